"""What only whole columns tell: missing for some more than for others, second readers, columns that give HER2 away."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.cohort.checks.cells import Patients, about, cell_findings, share
from her2study.cohort.checks.variables import as_numbers
from her2study.cohort.findings import join, none
from her2study.study import Centres, Variable

AREA = "variables"

MUCH_MISSING = 0.4
UNEVEN_MISSING = 0.2
"""Difference between the shares missing in the two classes that is told, beyond chance."""

GIVES_AWAY = 0.95
"""AUC of a single candidate from which on one asks whether it was written after the outcome was known."""

UNIT_FACTOR = 5.0
"""Medians of two centres that differ so much are rather in two units (mm and cm differ by 10)."""

RARE = 5
ENOUGH = 20
SAME = 0.9999


def missingness(
    patients: Patients, name: str, column: str, centre: pd.Series, label: pd.Series, candidate: bool
) -> pd.DataFrame:
    """Warnings: much is missing, all of a centre, or far more in one class than in the other.

    Parameters
    ----------
    centre : Series
        Of all patients, on the index of the table.
    label : Series
        1, 0 or missing.
    """
    raw = patients.of(column)[patients.included]
    absent, found = raw.isna(), []
    if raw.empty or absent.all() or not absent.any():
        return none()
    tell, degree = _teller(patients, column), "warning" if candidate else "note"
    mend = f"complete it, or take variables.{name} out; what is missing is imputed on development patients"
    if absent.mean() > MUCH_MISSING:
        rule = f"a variable should be known of at least {100 * (1 - MUCH_MISSING):.0f}% of the patients"
        found.append(tell(degree, f"missing in {share(int(absent.sum()), len(absent))}", rule, mend))
    for place, here in absent.groupby(centre[patients.included]):
        if here.all() and len(here) >= RARE:
            value = f"missing in all {len(here):,} patients of centre {place}"
            rule = "what a centre does not record is imputed there for everybody, and no model can use it"
            found.append(tell(degree, value, rule, mend))
    known = label[patients.included]
    shares = absent.groupby(known).mean()
    sizes = absent.groupby(known).size()
    if candidate and len(shares) == 2 and sizes.min() >= ENOUGH:
        pooled = float(absent[known.notna()].mean())
        error = np.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
        if abs(shares[1] - shares[0]) > max(UNEVEN_MISSING, 4 * error):
            value = f"missing in {100 * shares[1]:.0f}% of positive and {100 * shares[0]:.0f}% of negative patients"
            rule = "if the outcome decides who has a value, a model learns who has one"
            found.append(tell("warning", value, rule, f"find out why; candidate: false for variables.{name} is safe"))
    return join(found)


def gives_outcome_away(patients: Patients, name: str, variable: Variable, label: pd.Series) -> pd.DataFrame:
    """A warning if one candidate alone tells the classes apart: it may define the outcome, or be its consequence."""
    column = variable.column or name
    raw, known = patients.of(column)[patients.included], label[patients.included]
    use = raw.notna() & known.notna()
    positive = known[use].to_numpy() == 1
    if min(positive.sum(), (~positive).sum()) < ENOUGH:
        return none()
    if variable.type == "continuous":
        score = as_numbers(raw[use])
        score = score.fillna(score.median()).to_numpy()
    else:  # the share of positives at each level
        score = pd.Series(positive, raw[use].index).groupby(raw[use]).transform("mean").to_numpy()
    area = _auc(positive, score)
    area = max(area, 1 - area)
    if area < GIVES_AWAY:
        return none()
    return _teller(patients, column)(
        "warning", f"tells the outcome by itself (AUC {area:.3f})",
        "a predictor must be known before the outcome and must not define it",
        f"if it was written later, or is the outcome in other words: candidate: false for variables.{name}",
    )  # fmt: skip


def second_reader(patients: Patients, name: str, variable: Variable) -> pd.DataFrame:
    """Warnings: the second reading copies the first, or is on another scale."""
    column, second = variable.column or name, variable.second_reader
    if not second or second not in patients.cells:
        return none()
    pair = patients.cells.loc[patients.included, [column, second]].dropna()
    if len(pair) < ENOUGH:
        return none()
    tell = _teller(patients, second)
    first, other = pair[column], pair[second]
    if (first == other).all() and first.min() != first.max():
        return tell(
            "warning", f"the same as {column} in all {len(pair):,} patients", "a second reader reads independently",
            f"see whether the column was copied; remove second_reader from variables.{name} if it was",
        )  # fmt: skip
    if variable.type != "continuous":
        return none()
    ratio = as_numbers(patients.of(second)) / as_numbers(patients.of(column)).where(lambda v: v > 0)
    usual = float(ratio[patients.included].median())
    if np.isfinite(usual) and (usual > 3 or 0 <= usual < 1 / 3):
        return tell(
            "warning", f"{usual:.2g} times {column} in the middle", "both readers measure in one unit",
            "convert one of the two by numbers: in mending.yml",
        )  # fmt: skip
    apart = (ratio > UNIT_FACTOR) | (ratio < 1 / UNIT_FACTOR)
    both = patients.of(second) + " against " + patients.of(column)
    rule = f"is a factor of {UNIT_FACTOR:g} or more from the first reader's value"
    mend = "see both readings; correct the slip, or convert the unit in mending.yml"
    return cell_findings(patients, apart, second, AREA, rule, mend, "warning", both)


def levels_seen(patients: Patients, name: str, variable: Variable, centre: pd.Series, centres: Centres) -> pd.DataFrame:
    """Notes and warnings: a variable without variation, levels nobody has, levels development has never seen."""
    column = variable.column or name
    raw = patients.of(column)[patients.included].dropna()
    tell = _teller(patients, column)
    if raw.empty:
        return none()
    if raw.min() == raw.max():
        return tell(
            "warning", f"{raw.iloc[0]!r} in all {len(raw):,} patients", "a variable without variation predicts nothing",
            f"remove variables.{name}, or see whether the column was filled by a default",
        )  # fmt: skip
    if variable.type == "continuous":
        return none()
    found = []
    counts = raw.value_counts()
    developed = raw[centre[raw.index].isin(centres.development)]
    for level in variable.levels:
        n = int(counts.get(level, 0))
        mend = f"join levels in mending.yml and in levels of variables.{name}, if the field allows it"
        if n == 0:
            found.append(tell("note", f"no patient is {level!r}", "a level needs patients", f"{mend}; or remove it"))
        elif not (developed == level).any():
            rule = "development has never seen this level, so the models cannot know it"
            degree = "warning" if variable.candidate else "note"
            found.append(tell(degree, f"{n:,} patients with {level!r} outside development only", rule, mend))
        elif n < RARE and variable.candidate:
            found.append(tell("note", f"{n} with {level!r}", f"under {RARE} patients tell nothing of a level", mend))
    return join(found)


def repeated_variables(patients: Patients, candidates: Mapping[str, Variable]) -> pd.DataFrame:
    """Warnings: two candidates that say the same."""
    columns = {name: v.column or name for name, v in candidates.items()}
    numeric = [name for name, variable in candidates.items() if variable.type == "continuous"]
    numbers = pd.DataFrame({name: as_numbers(patients.of(columns[name]))[patients.included] for name in numeric})
    found = []

    def tell(one: str, other: str, value: str) -> None:
        mend = f"keep one as a candidate: candidate: false for variables.{one} or variables.{other}"
        rule = "two candidates that say the same make the coefficients of both meaningless"
        found.append(_teller(patients, columns[other])("warning", value, rule, mend))

    if len(numbers) >= ENOUGH and len(numeric) > 1:
        likeness = np.triu(numbers.corr(min_periods=ENOUGH).abs().to_numpy(), 1)
        for i, j in zip(*np.nonzero(likeness >= SAME), strict=True):
            tell(numeric[i], numeric[j], f"variables.{numeric[j]} is variables.{numeric[i]}, but perhaps for a factor")
    seen: dict[bytes, str] = {}
    for name in (name for name in candidates if name not in numeric):
        values = patients.of(columns[name])[patients.included]
        codes = pd.factorize(values)[0]
        if codes.max(initial=0) > 0:
            first = seen.setdefault(codes.tobytes(), name)
            if first != name:
                tell(first, name, f"variables.{name} is variables.{first}, level by level")
    return join(found)


def centre_units(patients: Patients, name: str, variable: Variable, column: str, centre: pd.Series) -> pd.DataFrame:
    """A warning for the centre whose middle value is a factor away from those of the others, as if in another unit."""
    if variable.type != "continuous":
        return none()
    number = as_numbers(patients.of(column))[patients.included].where(lambda values: values > 0).dropna()
    by_centre = number.groupby(centre[number.index]).agg(["median", "size"])
    middles = by_centre.loc[by_centre["size"] >= RARE, "median"]
    if len(middles) < 2:
        return none()
    distance = pd.Series({place: abs(np.log(middles[place] / middles.drop(place).median())) for place in middles.index})
    if len(middles) > 2:  # the odd one out is far from the middle of all
        distance = np.log(middles / middles.median()).abs()
    odd = distance.idxmax()
    if distance[odd] < np.log(UNIT_FACTOR):
        return none()
    value = f"centre {odd}: the middle is {middles[odd]:g}, elsewhere {middles.drop(odd).median():g}"
    mend = f"if so, correct the centre's cells of {column}, or take variables.{name} out"
    return _teller(patients, column)("warning", value, "one centre may have measured in another unit", mend)


def _auc(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Mann-Whitney share of pairs in the right order, ties half."""
    ranks = pd.Series(score).rank().to_numpy()
    events = int(positive.sum())
    return float((ranks[positive].sum() - events * (events + 1) / 2) / (events * (len(positive) - events)))


def _teller(patients: Patients, column: str):
    def tell(severity: str, value: str, rule: str, mend: str) -> pd.DataFrame:
        return about(patients, AREA, severity, value, rule, mend, column=column)

    return tell
