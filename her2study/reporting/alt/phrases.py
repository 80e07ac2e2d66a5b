"""Turns of phrase that several figures' texts share."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from her2study.evaluation.wording import split_words
from her2study.reporting.style import model_label, model_order, split_order
from her2study.words import ABSENT, listing, number

FEW = 4
"""Things that are all told; of more, the ends are."""

PANELS = 6
"""Panels that are all told in full; of more, those of the last split are, for it judges what the others chose."""


def by_split(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """``("external patients", rows)`` in reading order."""
    return [(split_words(split), frame[frame["split"] == split]) for split in split_order(frame["split"])]


def by_model(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """``("Combined", rows)`` in the order of a paper."""
    return [(model_label(model), frame[frame["model"] == model]) for model in model_order(frame["model"])]


def in_full(frame: pd.DataFrame, split: str) -> bool:
    """Whether the panels of a split are told one by one and not as a range."""
    panels = frame[["split", "model"]].drop_duplicates()
    return len(panels) <= PANELS or split == split_order(frame["split"])[-1]


def span(values: pd.Series, decimals: int = 2) -> str:
    """``0.06 to 1.58``, or the one number."""
    known = values.dropna()
    ends = dict.fromkeys(number(end, decimals) for end in (known.min(), known.max())) if len(known) else [ABSENT]
    return " to ".join(ends)


def told(texts: Sequence[str], values: Sequence[float]) -> str:
    """All texts if they are few, else those of the highest and the lowest value, and how many there are.

    ``texts`` have the form "name number (low to high)"; things without a value come last.
    """
    if len(texts) <= FEW:
        return ", ".join(texts)
    known = pd.Series(values, dtype="float64").sort_values(ascending=False, kind="stable", na_position="last").dropna()
    if known.empty:
        return f"none of {len(texts)} could be estimated"
    first, last = texts[known.index[0]], texts[known.index[-1]]
    return f"of {len(texts)} the highest is {first} and the lowest {last}"


def ranges(steps: Sequence[float], chosen: Sequence[bool]) -> str:
    """``5% to 30%, 45%``: the runs of a grid of fractions that are chosen; ``none``."""
    runs: list[list[float]] = []
    for place, (step, inside) in enumerate(zip(steps, chosen, strict=True)):
        if not inside:
            continue
        if runs and place and chosen[place - 1]:
            runs[-1].append(step)
        else:
            runs.append([step])
    ends = [dict.fromkeys(f"{number(end, 0, percent=True)}%" for end in (run[0], run[-1])) for run in runs]
    return ", ".join(" to ".join(end) for end in ends) or "none"


def leaders(labels: Sequence[str], first: int = 3) -> str:
    """The first of a ranking, and how many more there are."""
    named = listing(list(labels)[:first])
    more = len(labels) - first
    return f"{named} (then {more} more)" if more > 0 else named
