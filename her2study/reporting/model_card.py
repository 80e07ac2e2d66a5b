"""A model card (Mitchell et al. 2019, doi 10.1145/3287560.3287596) of the study's final model.

Every number comes from the tables, the values or the frozen model; what only people can say is marked open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from her2study.reporting.card_performance import add_evaluation, add_thresholds, error_counts
from her2study.reporting.sheets import OPEN, Grid, Sheet, told
from her2study.reporting.style import model_label
from her2study.words import interval, listing, number

PAPER_ORDER = ("combined", "clinical")
"""The final model is the first of these that exists."""

MOSTLY_MISSING = 50
"""Percent of a centre's patients from which a predictor counts as hardly recorded."""


def model_card(
    settings: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    values: Mapping[str, Any],
    frozen: Mapping[str, Mapping[str, Any]],
) -> Sheet:
    """The card of the combined model, or of the clinical model where there is no combined one.

    Parameters
    ----------
    settings : mapping
        ``study.yml`` as plain values.
    tables : mapping
        Stored tables by name; those that do not exist leave a gap that the card names.
    values : mapping
        Values of sentences by name, as the notebooks stored them or as in ``values.json``.
    frozen : mapping
        Frozen models by name: ``{"combined": {...}, "clinical": {...}}``.
    """
    name = next((model for model in PAPER_ORDER if model in frozen), None)
    simulated, confidence = settings["source"]["kind"] == "simulated", settings["statistics"]["confidence"]
    title = f"Model card: {model_label(name).lower()} model" if name else "Model card"
    sheet = Sheet(f"{title} of {settings['name']}", simulated)
    if name is None:
        sheet.add("Model details", "These results hold no frozen model.")
        return sheet
    outcome, model = settings["outcome"]["label"], frozen[name]
    own_scores = settings["source"].get("scores")
    network = settings["network"] if "dscore" in model["variables"] and not own_scores else None
    _details(sheet, name, model, settings, network, values)
    _use(sheet, settings, outcome, network is not None)
    _training(sheet, name, model, settings, tables)
    add_evaluation(sheet, name, tables, values, confidence)
    add_thresholds(sheet, name, model, settings, tables, confidence)
    _ethics(sheet, name, model, settings, tables)
    _caveats(sheet, model, settings, network, tables, values)
    return sheet


def _details(
    sheet: Sheet, name: str, model: Mapping[str, Any], settings: Mapping[str, Any], network: Mapping[str, Any] | None,
    values: Mapping[str, Any],
) -> None:  # fmt: skip
    equation, paper = told(values, f"{name}_equation"), settings.get("paper")
    own_scores = settings["source"].get("scores") if "dscore" in model["variables"] else None
    sheet.add(
        "Model details",
        f"A logistic regression that gives the probability that a patient is {settings['outcome']['label']}."
        + (f" It was built to test the claims of {paper['citation'].rstrip('.')} (doi {paper['doi']})."
           if paper else ""),
        "Selection kept no predictor: the model gives every patient the same probability."
        if model["null_model"]
        else f"Equation: {equation}." if equation else None,
        Grid("Terms of the frozen model", pd.DataFrame(
            [{"term": term["label"], "coefficient": term["coefficient"]} for term in model["terms"]])),
        Grid("Inputs, and the range in which the model was trained", pd.DataFrame(
            [_input(variable) for variable in model["variables"].values()])),
        f"Missing inputs are filled with the {model['missing_values']}. Fitted by {model['method']}.",
        *(dscore_words(network) if network else []),
        f"The D-score is no model of this study: it was made elsewhere and comes from the table {own_scores}."
        if own_scores else None,
        f"Seed {settings['seed']}; fingerprint of the training patients {model['training']['fingerprint'][:16]}.",
    )  # fmt: skip


def _input(variable: Mapping[str, Any]) -> dict[str, str]:
    """A predictor with what it may be and what stands in for a missing value."""
    ends = variable.get("range") or []
    return {
        "predictor": variable["label"],
        "trained_on": " to ".join(f"{end:.4g}" for end in ends) or ", ".join(map(str, variable.get("levels", []))),
        "filled_with": f"{filled:.4g}" if isinstance(filled := variable.get("imputation"), float) else str(filled),
    }


def dscore_words(network: Mapping[str, Any]) -> list[str]:
    """What the D-score is made of, from the settings of the network."""
    learned = network.get("learned_share", 1.0)
    if learned >= 1:
        made = "Its logit comes from the convolutions of a 3D residual network alone."
    else:
        shares = [f"{number(share, 0, percent=True)}%" for share in (learned, 1 - learned)]
        source = "It has no part that was learned from images" if learned == 0 else (
            f"{shares[0]} of its logit comes from the convolutions of a 3D residual network"
        )  # fmt: skip
        made = (
            f"{source}; the other {shares[1]} comes from a logistic regression on measurements of the lesion in its "
            "mask (network.learned_share), so it needs a mask as a radiologist would draw it."
            + (" A score that is mostly measured is radiomics by another name." if learned < 0.5 else "")
        )
    words = [f"The D-score is the recalibrated mean of the networks of all folds. {made}"]
    if network.get("objective") == "measurements" and learned > 0:
        words.append(
            "The convolutions were not trained on the outcome: they learned to tell the measurements from the images, "
            "and a ridge logistic regression on what they see gives their part of the logit (network.objective)."
        )
    return words


def _use(sheet: Sheet, settings: Mapping[str, Any], outcome: str, scans: bool) -> None:
    reasons = [exclusion["reason"] for exclusion in settings.get("exclusions", [])]
    sheet.add(
        "Intended use",
        f"Research on telling {outcome} from other patients by imaging and clinical findings: to reproduce, to inspect "
        "and to compare with other models. Users are researchers who can read an interval.",
        f"{OPEN}a clinical purpose, its place in the care pathway and its users, if there is to be one.",
    )
    sheet.add(
        "Out of scope",
        [
            "Any decision about a patient: the model is no medical device and does not replace a biopsy.",
            *(["Any statement about real patients: everyone it has seen is simulated."] if sheet.simulated else []),
            *([f"Patients of a kind that the study excluded: {'; '.join(reasons)}."] if reasons else []),
            "Inputs outside the training ranges above"
            + (", and scans that were preprocessed in another way." if scans else "."),
        ],
    )


def _training(
    sheet: Sheet, name: str, model: Mapping[str, Any], settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]
) -> None:
    centres, training = settings["centres"], model["training"]
    names = [centres.get("names", {}).get(centre, centre) for centre in centres["development"]]
    sheet.add(
        "Training data",
        f"{training['patients']} development patients, {training['positives']} of them positive, of {listing(names)}. "
        "Where they come from is in the data sheet.",
        "D-scores of development patients are out of fold: each comes from a model that never saw the patient."
        if "dscore" in model["variables"] else None,
        _optimism(tables.get(f"optimism_{name}")),
    )  # fmt: skip


def _optimism(table: pd.DataFrame | None) -> str | None:
    rows = table[table["measure"] == "auc"] if table is not None else []
    for row in rows.itertuples() if len(rows) else ():
        corrected = interval(row.corrected, row.corrected_low, row.corrected_high)
        return (
            f"Apparent AUC in its own training patients {number(row.apparent)}; corrected for optimism by "
            f"{row.resamples} bootstrap developments {corrected}."
        )
    return None


def _ethics(
    sheet: Sheet, name: str, model: Mapping[str, Any], settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]
) -> None:
    variables = settings["variables"]
    personal = [v["label"] for v in variables.values() if v["role"] == "clinical"]
    entered = [
        variables[v]["label"] for v in model["variables"] if v in variables and variables[v]["role"] == "clinical"
    ]
    points = [
        f"Characteristics of persons in the data: {listing(personal)}. In the model: {listing(entered)}.",
        *error_counts(name, tables.get("operating_points")),
        f"{OPEN}which groups of people matter for fairness here, and whether the subgroups above are enough.",
        f"{OPEN}ethics approval, consent, and what harm an error would do in the intended use.",
    ]
    sheet.add("Ethical considerations", points)


def _caveats(
    sheet: Sheet, model: Mapping[str, Any], settings: Mapping[str, Any], network: Mapping[str, Any] | None,
    tables: Mapping[str, pd.DataFrame], values: Mapping[str, Any],
) -> None:  # fmt: skip
    points = []
    if sheet.simulated:
        points.append(
            "All patients are simulated: what the model finds was planted, and how well it does is no evidence about "
            "patients."
        )
        if network and network.get("learned_share", 1) < 1:
            points.append(
                "The measurements in the D-score were chosen by people who knew how the patients are simulated: it may "
                "be closer to the best possible score here than it would be in real patients."
            )
    if settings.get("paper"):
        points.append(f"What is public of the paper: {settings['paper']['public'].rstrip('.')}.")
    size = tables.get("sample_size")
    if size is not None:
        unmet = size[~size["met"].astype(bool)]
        rules = "; ".join(f"{row.part}: {row.rule}" for row in unmet.itertuples())
        which = f" ({rules})" if rules else ""
        verb = "is" if len(unmet) == 1 else "are"
        points.append(f"{len(unmet)} of {len(size)} criteria of sample size {verb} not met{which}.")
    points += _unrecorded(model, settings, tables.get("missingness"))
    points += _attention(tables.get("audit"))
    points += [told(values, f"saliency_{place}") for place in range(1, 20) if f"saliency_{place}" in values]
    sheet.add("Caveats", points)


def _unrecorded(model: Mapping[str, Any], settings: Mapping[str, Any], missing: pd.DataFrame | None) -> list[str]:
    """Predictors that a centre hardly records: there the model mostly sees what it fills in."""
    if missing is None:
        return []
    often = missing[missing["variable"].isin(model["variables"]) & (missing["percent"] >= MOSTLY_MISSING)]
    names = settings["centres"].get("names", {})
    return [
        f"{label} is a predictor and not recorded in most or all patients of "
        f"{listing([names.get(centre, centre) for centre in rows['centre']])}: there the filled value stands in for it."
        for label, rows in often.groupby("label", sort=False)
    ]


def _attention(audit: pd.DataFrame | None) -> list[str]:
    """Checks of the audit that did not pass."""
    points = []
    for verdict, one, several in (("failed", "failed", "failed"), ("attention", "asks for", "ask for")):
        found = audit[audit["verdict"] == verdict] if audit is not None else []
        if len(found):
            first = "; ".join(found["check"].head(5))
            more = f" and {len(found) - 5} more" if len(found) > 5 else ""
            words = f"1 check of the audit {one}" if len(found) == 1 else f"{len(found)} checks of the audit {several}"
            points.append(f"{words}{' attention' * (verdict == 'attention')}: {first}{more}.")
    return points
