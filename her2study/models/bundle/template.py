"""What a new hospital fills in: an empty table with the right columns, and a page that explains each of them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from her2study.models.bundle.contents import Bundle

PATIENT, CENTRE, TIMES, DSCORE = "patient_id", "centre", "acquisition_times", "dscore"

EMPTY = "Leave a cell empty where a value is not known."

CODEBOOK = """\
# {name}: what a table of new patients holds

{mark}Fill in `template.csv`, one row a patient, or give a table in the study's own format. {empty} Columns beside
these are not looked at.

{columns}

## Missing values

{missing}

## Scans

{scans}

## What is done with it

    her2study predict {name}.her2study.zip FOLDER               probabilities of new patients, a page for each
    her2study validate-external {name}.her2study.zip FOLDER     the models judged on patients whose outcome is known

FOLDER holds the table{and_scans}. Nothing is sent anywhere, and nothing in the bundle can be fitted again.
"""


def columns_of(bundle: Bundle) -> pd.DataFrame:
    """The columns of the template: ``column, meaning, values, missing, trained_on``, all text."""
    rows = [
        _row(PATIENT, "a number or pseudonym of the patient, never her name", "any text, once", "not allowed"),
        _row(CENTRE, "the hospital; may be left out", "any text", "allowed"),
        *(_predictor(bundle, name) for name in predictors(bundle)),
    ]
    if bundle.network is not None:
        times = "when each phase was taken, in seconds after the one before contrast; may be left out"
        rows.append(_row(TIMES, times, "a list such as `[0, 97, 194]`", "the centre's usual times"))
    outcome = bundle.outcome
    known = ", ".join(f"`{value}`" for value in (*outcome.positive, *outcome.negative))
    words = f"the outcome ({outcome.label}); for validate-external only"
    rows.append(_row(outcome.column, words, known, "not judged"))
    return pd.DataFrame(rows).astype("str")


def predictors(bundle: Bundle) -> list[str]:
    """Variables that the frozen models need from a table, in the study's order; a D-score made elsewhere is one."""
    wanted = {name for frozen in bundle.logistic.values() for name in frozen["variables"]}
    return [name for name in bundle.variables if name in wanted] + (
        [DSCORE] if DSCORE in wanted and bundle.network is None else []
    )


def template_csv(bundle: Bundle) -> bytes:
    """The header of the table, and no row."""
    return (",".join(columns_of(bundle)["column"]) + "\n").encode()


def codebook(bundle: Bundle) -> bytes:
    """The page that explains the columns."""
    mark = "**The patients that these models were made from are SIMULATED.** " if bundle.simulated else ""
    policies = {frozen["missing_values"] for frozen in bundle.logistic.values()}
    missing = "A missing predictor is replaced by the " + "; or the ".join(sorted(policies)) + ", and flagged."
    text = CODEBOOK.format(
        name=bundle.name,
        mark=mark,
        empty=EMPTY,
        columns=_grid(columns_of(bundle)),
        missing=missing if policies else "No predictor is needed.",
        scans=_scans(bundle),
        and_scans=" and the scans" if bundle.network is not None else "",
    )
    return text.encode()


def _scans(bundle: Bundle) -> str:
    if bundle.network is None or bundle.imaging is None:
        return "None: these models need no scan."
    imaging = bundle.imaging
    return (
        "`images/<patient>/<patient>_0000.nii.gz` before contrast, `_0001`, `_0002` and so on after it, and the "
        "lesion's mask `segmentations/expert/<patient>.nii.gz` on the grid of the images; `her2study import-dicom` "
        f"makes this layout from DICOM. Phases near {imaging.early_seconds:g} s and {imaging.late_seconds:g} s after "
        "injection are used. A patient without a usable scan gets no D-score, and the reason."
    )


def _predictor(bundle: Bundle, name: str) -> dict[str, Any]:
    told = next(frozen["variables"][name] for frozen in bundle.logistic.values() if name in frozen["variables"])
    if name == DSCORE:
        return _row(DSCORE, "your own D-score", "a probability, 0 to 1", "imputed", _span(told))
    variable = bundle.variables[name]
    values = " or ".join(f"`{level}`" for level in variable.levels) or f"a number, {variable.unit or 'no unit'}"
    filled = told["imputation"]
    imputed = f"imputed with {filled:.4g}" if isinstance(filled, float) else f"imputed with `{filled}`"
    return _row(name, variable.label, values, imputed, _span(told))


def _span(told: dict[str, Any]) -> str:
    return " to ".join(f"{end:.4g}" for end in told["range"]) if told["range"] else "the values beside"


def _row(column: str, meaning: str, values: str, missing: str, trained_on: str = "") -> dict[str, str]:
    return {"column": column, "meaning": meaning, "values": values, "missing": missing, "trained_on": trained_on}


def _grid(frame: pd.DataFrame) -> str:
    heads = [name.replace("_", " ") for name in frame.columns]
    rows = [heads, ["---"] * len(heads), *frame.assign(column="`" + frame["column"] + "`").to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
