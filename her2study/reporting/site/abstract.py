"""The abstract and the study at a glance: sentences and numbers chosen by what was found, none typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from her2study.evaluation.compare import OWN_MODELS
from her2study.evaluation.conclusion import conclusion as evaluation_conclusion
from her2study.evaluation.judges import judging_split
from her2study.evaluation.statements import optimism_sentences
from her2study.evaluation.verdicts import difference_sentences, discrimination_sentences
from her2study.evaluation.wording import SPLIT_WORDS, split_words
from her2study.reporting.judgement import HOLDS, UNTESTED
from her2study.reporting.sentences import verdict_line
from her2study.reporting.site.content import Content
from her2study.reporting.style import model_label, model_order, split_label, split_order
from her2study.types import SPLITS
from her2study.words import interval, listing, number, percent_of, valued


class Part(NamedTuple):
    """A labelled paragraph of the abstract."""

    heading: str
    sentences: list[str]


class Tile(NamedTuple):
    """One number at a glance, what it counts, and the page that tells more."""

    value: str
    label: str
    url: str


def abstract(content: Content) -> list[Part]:
    """Purpose, patients, methods, results and conclusion; a part about which nothing is known is absent."""
    parts = [
        Part("Purpose", _purpose(content)),
        Part("Patients", _patients(content)),
        Part("Methods", _methods(content)),
        Part("Results", _results(content)),
        Part("Conclusion", _conclusion(content)),
    ]
    return [part for part in parts if part.sentences]


def tiles(content: Content) -> list[Tile]:
    """The study in a few numbers, as far as they exist."""
    tables, values = content.tables, content.numbers
    found = [
        ("patients included", _value(values, "patients_included"), _page(tables, "cohort_flow")),
        ("screened", _value(values, "patients_screened"), _page(tables, "cohort_flow")),
        (content.outcome, _value(values, "prevalence_percent"), _page(tables, "baseline")),
        ("centre" if values.get("centres") == 1 else "centres", _value(values, "centres"), _page(tables, "centres")),
        ("models", str(performance["model"].nunique()) if len(performance := _performance(content)) else "",
         _page(tables, "performance")),
    ]  # fmt: skip
    shown = [Tile(value, label, url) for label, value, url in found]
    shown += [_claims(tables), Tile(_attention(tables), "audit findings to look at", "audit.html")]
    return [tile for tile in shown if tile.value]


class Headline(NamedTuple):
    """AUCs as printed: a column for each split, a row for each model."""

    heads: list[tuple[str, str]]
    rows: list[tuple[str, list[tuple[str, float]]]]


def headline(content: Content) -> Headline | None:
    """AUC and interval of each model in each split, or none if there is no performance."""
    performance = _performance(content)
    if performance.empty:
        return None
    splits = split_order(performance["split"])
    found = {(row.model, row.split): row for row in performance.itertuples()}
    patients = performance.drop_duplicates("split").set_index("split")
    heads = [
        (split_label(split), f"{patients.loc[split, 'n']} patients, {patients.loc[split, 'positives']} positive")
        for split in splits
    ]
    rows = [
        (
            model_label(model),
            [
                (interval(row.auc, row.auc_low, row.auc_high), row.auc)
                if (row := found.get((model, split)))
                else ("", -1.0)
                for split in splits
            ],
        )
        for model in model_order(performance["model"])
    ]
    return Headline(heads, rows)


def judged_split(content: Content) -> str:
    """The patients who judge the models best: external, else internal, else development; empty without any."""
    return judging_split(_performance(content).get("split", ()))


def _purpose(content: Content) -> list[str]:
    paper = content.settings.get("paper") or {}
    whose = "simulated patients, of whom the truth is known" if content.simulated else "real patients"
    if not paper.get("citation"):
        title = str(content.settings.get("title", "")).rstrip(".")
        return [f"{title}: to develop and validate models in {whose}."] if title else []
    return [f"To put a published question, its models and its claims ({paper['citation'].rstrip('.')}) to {whose}."]


def _patients(content: Content) -> list[str]:
    values, sentences = content.numbers, []
    if {"patients_screened", "patients_included", "patients_excluded"} <= set(values):
        screened, included, excluded = (
            _value(values, f"patients_{what}") for what in ("screened", "included", "excluded")
        )
        sentences.append(f"Of {screened} patients screened {included} were included and {excluded} left by the rules.")
    positives, percent = _value(values, "positives"), _value(values, "prevalence_percent").replace(" %", "%")
    if positives and percent:
        sentences.append(f"Of those included {positives} ({percent}) were {content.outcome}.")
    groups = [
        f"{_value(values, f'patients_{split}')} {SPLIT_WORDS[split].split(' (')[0]}"
        for split in SPLITS
        if _value(values, f"patients_{split}") not in ("", "0")
    ]
    if groups:
        sentences.append(f"They were {listing(groups)}{_whence(content.settings.get('centres', {}))}.")
    return sentences


def _whence(centres: Mapping[str, Any]) -> str:
    """What makes patients external, as the end of a sentence."""
    ways = []
    if centres.get("external"):
        ways.append("are from " + _plural("centre", centres["external"]) + " of their own")
    if centres.get("external_by") == "date":
        ways.append(f"came from {centres['external_from']} on")
    if centres.get("external_by") == "column":
        ways.append(f"are those with {centres['external_column']} {' or '.join(centres['external_values'])}")
    return f"; the external patients {' or '.join(ways)}" if ways else ""


def _methods(content: Content) -> list[str]:
    performance, values = _performance(content), content.numbers
    if performance.empty:
        return []
    models = model_order(performance["model"])
    names = listing([model_label(model) for model in models])
    folds = _value(values, "folds")
    several = f"{len(models)} models" if len(models) > 1 else "One model"
    sentences = [
        f"{several} gave every patient a probability: {names}.",
        *_own_tables(content.settings.get("source", {})),
    ]
    if "development" in set(performance["split"]):
        sentences.append(
            f"Development patients were scored out of fold{f' ({folds} folds)' if folds else ''}, so no model has seen "
            "a patient it is judged on; thresholds were chosen on development patients, and nothing was fitted on "
            "others."
        )
    sentences.append(f"Intervals are {percent_of(content.confidence)} confidence intervals; AUCs are DeLong's.")
    return sentences


def _own_tables(source: Mapping[str, Any]) -> list[str]:
    """What was measured or scored elsewhere and came in tables of the study's own."""
    sentences = []
    if source.get("scores"):
        sentences.append(
            f"The D-score was made elsewhere and comes from a table of the study's own ({source['scores']})."
        )
    if source.get("features"):
        sentences.append(f"Features measured elsewhere ({listing(source['features'])}) were offered to the algorithms.")
    return sentences


def _results(content: Content) -> list[str]:
    split, performance = judged_split(content), _performance(content)
    if not split:
        return []
    here = performance[performance["split"] == split]
    own = here[here["model"].isin(OWN_MODELS)]
    sentences = discrimination_sentences(own if len(own) else here, content.outcome)
    delong = content.tables.get("delong")
    if delong is not None:
        pairs = delong[(delong["split"] == split) & delong["model_a"].isin(OWN_MODELS)]
        sentences += difference_sentences(pairs[pairs["model_b"].isin(OWN_MODELS)], content.confidence)
    sentences = once(sentences, f"In {split_words(split)}, ")
    corrected = [content.tables[name] for name in ("optimism_clinical", "optimism_combined") if name in content.tables]
    return sentences + (optimism_sentences(pd.concat(corrected)) if corrected and split == "development" else [])


def once(sentences: list[str], opening: str) -> list[str]:
    """Sentences that all open in the same words, which a paragraph says once."""
    shared = [sentence.removeprefix(opening) for sentence in sentences[1:]]
    return sentences[:1] + [sentence[:1].upper() + sentence[1:] for sentence in shared]


def _conclusion(content: Content) -> list[str]:
    sentences, performance = [], _performance(content)
    if len(performance):
        delong = content.tables.get("delong", pd.DataFrame(columns=["split", "model_a", "p"]))
        own = discrimination_sentences(performance, content.outcome)
        told = evaluation_conclusion(performance, delong[:0], content.outcome, content.confidence)
        sentences += [sentence for sentence in told if sentence not in own]
    if "claims" in content.tables:
        sentences.append(f"{verdict_line(content.tables['claims'])}.")
    if content.simulated and sentences:
        sentences.append("The patients are simulated: this is evidence about the method and none about patients.")
    return sentences


def _performance(content: Content) -> pd.DataFrame:
    table = content.tables.get("performance", pd.DataFrame())
    return table if {"model", "split", "n", "positives", "auc", "auc_low", "auc_high"} <= set(table) else table[:0]


def _claims(tables: Any) -> Tile:
    """How many claims hold, and of how many that cannot be said."""
    if "claims" not in tables:
        return Tile("", "", "")
    verdicts = tables["claims"]["verdict"]
    untested = (verdicts == UNTESTED).sum()
    rest = f", {untested} cannot be tested here" if untested else ""
    return Tile(f"{(verdicts == HOLDS).sum()} of {len(verdicts)}", f"claims hold{rest}", "claims.html")


def _attention(tables: Any) -> str:
    return number((tables["audit"]["verdict"] == "attention").sum(), 0) if "audit" in tables else ""


def _value(values: Any, name: str) -> str:
    """A number as printed, empty if there is none; counts in thousands are read with a comma."""
    found = values.get(name, "")
    return f"{found:,}" if isinstance(found, int) else valued(found)


def _page(tables: Any, name: str) -> str:
    return f"tables/{name}.html" if name in tables else "tables.html"


def _plural(word: str, items: Any) -> str:
    return f"a {word}" if len(items) == 1 else f"{len(items)} {word}s"
