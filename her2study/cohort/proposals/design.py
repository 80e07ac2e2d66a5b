"""Who develops the models and who judges them: centres, internal part and folds that the patients suffice for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

MOST_EXTERNAL = 1 / 3
"""Share of the patients that the external centres may hold together, one centre aside."""

LEAST_EXTERNAL = 5
"""Patients of each class without which a centre cannot be judged by itself."""

LEAST_DEVELOPMENT = 3
"""Patients of each class without which a centre cannot be dealt into folds."""

LEAST_INTERNAL = 10
"""Patients of the rarer class without which an internal part says nothing."""

OTHER_CENTRES = "other centres"


@dataclass(frozen=True)
class Design:
    """``centres`` and ``split`` as in ``study.yml``, with their reasons; ``joined`` maps small centres to one."""

    centres: dict[str, Any]
    split: dict[str, Any]
    why_centres: str
    why_split: str
    joined: dict[str, str] = field(default_factory=dict)
    exclusions: tuple[dict[str, Any], ...] = ()
    doubts: tuple[str, ...] = ()


def choose_design(centre: pd.Series, labels: pd.Series, column: str | None, by_date: bool) -> Design:
    """Propose a design.

    Parameters
    ----------
    centre : Series
        Of each patient, spelt as the study does; missing where not recorded. With one centre, its name everywhere.
    labels : Series
        1, 0 or missing (who leaves), on the same patients.
    column : str or None
        The centre column, none if the table has none.
    by_date : bool
        Whether nearly everybody has a date, so that the last patients of a single centre can be set aside.
    """
    sizes = pd.crosstab(centre, labels).reindex(columns=[0.0, 1.0], fill_value=0)
    sizes = sizes.reindex(centre.dropna().unique(), fill_value=0)
    sizes, joined, left = _without_small(sizes)
    exclusions, doubts = [], []
    if left:
        reason = "Centre with too few patients to be judged"
        exclusions.append({"reason": reason, "column": column, "values": left})
        doubts.append(
            f"{', '.join(left)}: fewer than {LEAST_DEVELOPMENT} patients of one class. They leave the study; name the "
            "centre under development to keep them."
        )
    sizes = sizes.assign(n=sizes.sum(axis=1))
    falling = sizes.sort_values("n", ascending=False, kind="stable")
    judges = _external(falling["n"], set(sizes.index[sizes[[0.0, 1.0]].min(axis=1) >= LEAST_EXTERNAL]))
    external = [name for name in sizes.index if name in judges]  # in the order of the table
    development = [name for name in sizes.index if name not in judges]
    split, why = _split(sizes.loc[development], bool(external), by_date)
    named = {"development": development, "external": external}
    if external:
        words = (
            f"the smaller centres judge from outside, together {sizes.loc[external, 'n'].sum() / sizes['n'].sum():.0%} "
            "of the patients"
        )
    else:
        words = (
            "one centre: nobody judges from outside"
            if len(sizes) == 1
            else (f"no smaller centre has {LEAST_EXTERNAL} patients of each class: nobody judges from outside")
        )
    return Design(named, split, words, why, joined, tuple(exclusions), tuple(doubts))


def _without_small(sizes: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """Centres that can be dealt into folds; the others joined to one if that suffices, else those that leave."""
    small = list(sizes.index[sizes.min(axis=1) < LEAST_DEVELOPMENT]) if len(sizes) > 1 else []
    if not small:
        return sizes, {}, []
    together = sizes.loc[small].sum()
    stay = sizes.drop(index=small)
    if len(stay) and (together.min() < LEAST_DEVELOPMENT or len(small) == 1):
        return stay, {}, small
    stay.loc[OTHER_CENTRES] = together
    return stay, dict.fromkeys(small, OTHER_CENTRES), []


def _external(sizes: pd.Series, enough: set[str]) -> list[str]:
    """The smallest centres with enough patients, up to a third of all together, at least one; ``sizes`` falls."""
    chosen: list[str] = []
    for name in sizes.index[:0:-1]:
        if name not in enough:
            continue
        if chosen and sizes[[*chosen, name]].sum() > MOST_EXTERNAL * sizes.sum():
            break
        chosen.append(name)
    return chosen


def _split(development: pd.DataFrame, external: bool, by_date: bool) -> tuple[dict[str, Any], str]:
    least = int(development[[0.0, 1.0]].min(axis=1).min())
    rarer = int(development[[0.0, 1.0]].sum().min())
    fraction = 0.2 if 0.2 * rarer >= LEAST_INTERNAL and least >= 5 else 0
    folds = max(2, min(5, int(least * (1 - fraction))))
    split: dict[str, Any] = {"internal_fraction": fraction, "folds": folds}
    if fraction and not external and by_date:
        split = {"internal_fraction": fraction, "internal": "latest", "folds": folds}
        return split, "the last fifth of the patients, by date, judges: the nearest thing to another hospital"
    if fraction:
        return split, "a fifth of the development patients is set aside, drawn within centre and outcome"
    return split, (
        f"nobody is set aside: an internal part would hold {0.2 * rarer:.0f} patients of the rarer class; out-of-fold "
        "scores and the bootstrap judge instead"
    )
