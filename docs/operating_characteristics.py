"""The page on type I errors and coverage: `python docs/operating_characteristics.py` simulates and writes it.

operating_characteristics.csv holds the full numbers, operating_characteristics.md is the page to read; every number
and every verdict in it comes from the table. The simulations are in simulations.py; about three minutes on one core.
tests/evaluation/test_operating_characteristics.py runs them again and compares.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from simulations import ALPHA, COVERAGE, COVERAGE_RANGE, KEPT, MISUSE, REPEATED, SEED, STRINGENT, TYPE_ONE, compute

from her2study.words import interval, number

PATH = Path(__file__).with_suffix(".csv")
PACKAGES = ("her2study", "numpy", "scipy", "pandas", "statsmodels")

REJECTED = {"rejected": "rejected at 5%, % (interval)", "verdict": "verdict"}
TYPE_ONE_COLUMNS = {"n": "n", "positives": "positives", **REJECTED, "student": "against t, %"}
COVERAGE_COLUMNS = {
    "statistic": "estimate", "method": "interval", "n": "n", "positives": "positives", "auc": "true AUC",
    "true": "truth", "repeats": "studies", "rejected": "coverage, % (interval)", "mean": "mean width",
    "verdict": "verdict",
}  # fmt: skip

INTRODUCTION = """# Operating characteristics: what the statistics of `her2study.evaluation` keep of their promises

A test at 5% should reject a true null hypothesis in 5% of studies, and a 95% interval should hold the truth in 95%.
Here both are counted in simulated studies whose truth is known. Brackets are 95% Monte Carlo intervals (Wilson): what
the counting itself leaves open. This page and [its table of full numbers](operating_characteristics.csv) are written by
`make characteristics` from [simulations.py](simulations.py). No result is typed, and a test that runs the simulations
again fails if one of them changes.
"""

TYPE_ONE_TEXT = """## Type I error of DeLong's test

Two scores of the same patients with the same true AUC of {auc} (normal in each class, correlation 0.5 within a class).
The number of positives is fixed in each simulated study. {repeats} studies a row, which is fine enough to see
departures of about {resolution} percentage points. The last column compares the same z with Student's t
(Welch-Satterthwaite degrees of freedom, `delong_test(..., reference="t")`) instead of the normal distribution, which is
the default as in pROC.
"""

BEYOND_TEXT = """### Other truths, independent groups, several models

The same at other AUCs, DeLong's test of two independent groups of patients (each of the size stated), and the global
test that several AUCs of the same patients are equal.
"""

MISUSE_TEXT = """## Where DeLong's test must not be used

Nested models: a predictor without any effect is added to a logistic model, and both models are judged on the patients
they were fitted to. Equally good models: logistic models of five predictors each, all ten of the same true effect,
compared by their scores of patients left out in five-fold cross-validation. Each row is a test at 5% of a difference
that is not there.
"""

COVERAGE_TEXT = """## Coverage of 95% intervals

AUC, difference and sensitivity: normal scores as above, positives fixed, true values in closed form. Calibration and
net benefit: the predicted log odds are normal (mean −1.2, SD 1) and the true ones are 0.3 + slope × predicted, about a
third of patients being positive; the slope is true by definition, intercept and net benefit by numerical integration. A
row keeps its promise when coverage is {low} to {high}. Bootstraps, that of net benefit too, draw {resamples} resamples
in each study. An interval that could not be computed would count as one that missed; there were {undefined}.
"""

REGULAR_TITLE = "### Regular settings: 150 or 450 patients, about a third positive, a moderate AUC\n"
HARD_TITLE = "### Harder settings: a high AUC, or 60 patients\n"


def main() -> None:
    """Simulate and write both files."""
    table = compute()
    table.to_csv(PATH, index=False)
    # from the stored numbers, so that page and table cannot differ
    made = f"Python {platform.python_version()}, " + ", ".join(f"{p} {version(p)}" for p in PACKAGES)
    PATH.with_suffix(".md").write_text(f"{page(pd.read_csv(PATH))}\nMade with {made}.\n", encoding="utf-8")


def page(table: pd.DataFrame) -> str:
    """The page, in Markdown, without the versions it was made with."""
    parts = dict(list(table.groupby("part")))
    (grid, beyond), (regular, hard) = (
        [rows[rows["criterion"] == must] for must in (True, False)] for rows in (parts[TYPE_ONE], parts[COVERAGE])
    )
    width = float((grid["rate_high"] - grid["rate_low"]).mean() / 2)
    numbers = {"auc": grid["auc"].iloc[0], "repeats": f"{grid['repeats'].iloc[0]:,}"}
    numbers |= {"resolution": number(width, 1, percent=True)}
    ends = [number(end, 0, percent=True) + "%" for end in COVERAGE_RANGE]
    resamples, undefined = int(regular["resamples"].max()), int(parts[COVERAGE]["undefined"].sum())
    sections = [
        INTRODUCTION,
        TYPE_ONE_TEXT.format(**numbers),
        markdown(grid, TYPE_ONE_COLUMNS),
        *grid_sentences(grid),
        BEYOND_TEXT,
        markdown(beyond, {"statistic": "comparison", "auc": "true AUC"} | TYPE_ONE_COLUMNS),
        *beyond_sentences(beyond),
        MISUSE_TEXT,
        markdown(parts[MISUSE], {"statistic": "comparison", "method": "method", "n": "n"} | REJECTED),
        *misuse_sentences(parts[MISUSE]),
        COVERAGE_TEXT.format(low=ends[0], high=ends[1], resamples=resamples, undefined=undefined),
        REGULAR_TITLE,
        markdown(regular, COVERAGE_COLUMNS),
        *coverage_sentences(regular, "regular"),
        HARD_TITLE,
        markdown(hard, COVERAGE_COLUMNS),
        *coverage_sentences(hard, "harder"),
        f"Seed {SEED}; each row has its own random numbers, so none depends on which others are run.",
    ]
    return "\n".join(section if section.endswith("\n") else section + "\n" for section in sections)


def markdown(rows: pd.DataFrame, columns: dict[str, str]) -> str:
    """A Markdown table of these columns, under these headings; rounded, a dash where there is nothing to say."""
    shown = rows.assign(
        rejected=[interval(*rate, 1, percent=True) for rate in rows[["rate", "rate_low", "rate_high"]].to_numpy()],
        student=[number(rate, 1, percent=True) for rate in rows["rate_student"]],
        true=[number(value, 3) for value in rows["truth"]],
        mean=[number(value, 3) for value in rows["width"]],
        positives=[number(value, 0) for value in rows["positives"]],
        auc=[number(value, 2) for value in rows["auc"]],
        repeats=[number(value, 0) for value in rows["repeats"]],
    )[list(columns)]
    lines = [list(columns.values()), ["---"] * len(columns), *shown.astype(str).to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def grid_sentences(grid: pd.DataFrame) -> list[str]:
    """What the main table of type I errors means."""
    kept, slightly = grid["verdict"] == KEPT, grid["verdict"].str.startswith("slightly")
    off = grid[~kept & ~slightly]
    text = f"5% lies inside the Monte Carlo interval in {kept.sum()} of {len(grid)} settings. "
    if slightly.any():
        text += f"In {slightly.sum()} more the departure is real but at most {100 * STRINGENT:g} percentage points, "
        text += f"within Bradley's stringent criterion (1978): {places(grid[slightly])}. "
    if len(off):
        text += f"**The promise is not kept in {len(off)} of {len(grid)}:** {places(off)}. "
    if not kept.all():
        few = int(grid.loc[~kept, "positives"].max())
        text += f"All departures are with {few} positives or fewer"
        text += ", and none with more. " if (grid.loc[kept, "positives"] > few).all() else ". "
        text += "The variance is estimated from the few patients of the smaller class, and the normal distribution "
        text += "takes it as known; with so few, read a p value near 0.05 as undecided. "
    student = f"{span(grid['rate_student'])} of studies"
    return [f"{text}Against Student's t the same z rejects in {student} over all settings of this table."]


def beyond_sentences(beyond: pd.DataFrame) -> list[str]:
    """How far the other type I errors reach."""
    groups = beyond.groupby(["statistic", "auc"], sort=False)["rate"]
    return [" ".join(f"{name[0].upper()}{name[1:]}, true AUC {auc}: {span(r)}." for (name, auc), r in groups)]


def misuse_sentences(misuse: pd.DataFrame) -> list[str]:
    """What goes wrong, and with which test it does not."""
    rate = misuse.groupby("method")["rate"]
    nested = misuse[misuse["experiment"] == "nested"].groupby("method")["rate"]
    stacked, once, fixed = (span(rate.get_group(method)) for method in REPEATED)
    return [
        f"Nested models: DeLong's test rejects {span(nested.get_group('delong_test'))} instead of {ALPHA:.0%} "
        "(its null distribution is not normal there, Demler 2012), the likelihood-ratio test "
        f"{span(nested.get_group('likelihood_ratio_test'))}. The library refuses the first and offers the second.",
        f"Ten stacked cross-validations, each patient ten times: {stacked}. The library takes a patient once.",
        f"One cross-validation, a row a patient: {once}; the same comparison of models that were fixed before they met "
        f"the patients: {fixed}. DeLong's variance regards the scores as given and leaves out that both models were "
        "learnt from these patients, so its p values on development data cannot carry a claim that one way of "
        "modelling is better. Patients that no model has seen can.",
    ]


def coverage_sentences(rows: pd.DataFrame, kind: str) -> list[str]:
    """How many intervals keep their promise, and which do not."""
    off = rows[rows["verdict"] != KEPT]
    text = f"{len(rows) - len(off)} of {len(rows)} {kind} rows keep their promise"
    text += f", with coverage of {span(rows['rate'])}." if off.empty else "."
    for statistic, missed in off.groupby("statistic", sort=False):
        text += f" Not kept for the {statistic}: {places(missed, 'method')}."
    return [text]


def places(rows: pd.DataFrame, *also: str) -> str:
    """Settings in words with their rates."""
    return "; ".join(
        "".join(f"{r[column]}, " for column in also)
        + f"n = {r['n']}"
        + (f" with {r['positives']:.0f} positives" if pd.notna(r["positives"]) else "")
        + (f" at AUC {r['auc']:g}" if also and pd.notna(r["auc"]) else "")
        + f" ({number(r['rate'], 1, percent=True)}%)"
        for _, r in rows.iterrows()
    )


def span(rates: pd.Series) -> str:
    """``3.2% to 5.0%``, or the one value."""
    ends = [f"{number(end, 1, percent=True)}%" for end in (rates.min(), rates.max())]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


if __name__ == "__main__":
    main()
