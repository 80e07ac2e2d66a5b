"""Tables reshaped for print, before any number becomes text: long ones turned wide, names spelt out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from her2study import words
from her2study.cohort.describe import print_wide
from her2study.evaluation.wording import MODEL_LABELS
from her2study.reporting.sentences import printed_claims
from her2study.reporting.style import model_label

COHORTS = {
    "development": "Development", "internal": "Internal validation", "external": "External validation",
    "all": "All patients",
}  # fmt: skip
"""Splits as heads of columns of patients, of whom none was predicted yet."""

FLOW = {"included": "Patients", "excluded": "Excluded", "split": "Cohort", "centre": "Centre"}
CHECKS = {
    "randomisation": "Maps of networks with random layers: rank correlation with the trained network's",
    "repeatability": "Maps of two networks: rank correlation",
    "agreement": "Maps of two methods: rank correlation",
    "lesion_overlap": "Evidence in the lesion: share of the map",
    "rim": "Planted rim: ring above core",
}
INDENT = "\u2003"
"""An em space, before the levels of a variable."""
POOLED = {"pooled": "All centres, pooled", "prediction": "A new centre"}


class View(NamedTuple):
    """One way to look at a table: its own part of the title, the frame and lines to print below it."""

    title: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


def views(name: str, frame: pd.DataFrame) -> list[View]:
    """The frames that are printed of a table, most often the table itself; so too if columns were left out of it."""
    reshape, needed = VIEWS.get(name, (None, ()))
    return reshape(frame) if reshape and set(needed) <= set(frame) else [View("", frame)]


def _baseline(frame: pd.DataFrame) -> list[View]:
    """Table 1 by cohort, by centre and by outcome; how many values are missing stands beside each variable."""
    found = []
    for by, title in (("split", "by cohort"), ("centre", "by centre"), ("label", "by outcome")):
        part = frame[frame["by"] == by]
        if part.empty:
            continue
        missing = _missing(part, "group")
        if by == "split":
            part = pd.concat([part, frame[frame["by"] == "all"]])
            part = part.assign(group=part["group"].replace(COHORTS))
        found.append(View(title, _wide(part, "group", missing)))
    return found


def _protocol(frame: pd.DataFrame) -> list[View]:
    notes = ("Settings with few values are numbers of patients with percentages, others medians with range.",)
    return [View("", _wide(frame, "centre", _missing(frame, "centre")), notes)]


def _missing(part: pd.DataFrame, group: str) -> pd.Series:
    return part.drop_duplicates([group, "variable"]).groupby("variable")["missing"].sum()


def _wide(part: pd.DataFrame, group: str, missing: pd.Series) -> pd.DataFrame:
    """A column a group; a row a variable, and below it, a little inwards, one for each level that was counted.

    On the variable's row stand what its numbers are, how many values are missing and how groups compare.
    """
    part = part.assign(level=part["level"].astype("str").fillna(""), text=part["text"].astype("str").fillna(""))
    wide = print_wide(part, group)
    names = part.loc[part[group] == part[group].iloc[0], "variable"].reset_index(drop=True)
    compared = [column for column in ("test", "p", "smd") if column in wide]
    groups = [column for column in wide if column not in ("characteristic", "level", "summary", *compared)]
    rows = []
    for place, row in enumerate(wide.to_dict("records")):
        cells = {column: row[column] for column in groups}
        if row["characteristic"]:
            head = row["characteristic"] + (f"; {row['summary']}" if row.get("summary") else "")
            told = {"test": row.get("test", ""), "p": words.p_value(row.get("p")), "smd": words.number(row.get("smd"))}
            own = {"missing": f"{missing[names[place]]:,}", **{column: told[column] for column in compared}}
            rows.append({"characteristic": head, **({} if row["level"] else cells), **own})
        if row["level"]:
            rows.append({"characteristic": f"{INDENT}{row['level']}", **cells})
    table = pd.DataFrame(rows, columns=["characteristic", *groups, "missing", *compared], dtype="str").fillna("")
    return table.assign(**{column: table[column].map(_thousands) for column in groups}).rename(columns=_thousands)


def _thousands(text: str) -> str:
    """Whole numbers with a comma, as in all other tables: ``1016 (100.0%)`` as ``1,016 (100.0%)``."""
    return re.sub(r"(?<![\d.,])\d{4,}(?![\d.])", lambda number: f"{int(number[0]):,}", text)


def named_levels(texts: Sequence[str]) -> list[str]:
    """Levels with the name of their variable, for rows that will not stay below it: ``Shape: oval``."""
    named, variable = [], ""
    for text in texts:
        if not text.startswith(INDENT):
            variable = text.partition("; ")[0]
        named.append(f"{variable}: {text.removeprefix(INDENT)}" if text.startswith(INDENT) else text)
    return named


def _missingness(frame: pd.DataFrame) -> list[View]:
    """Variables with missing values, a column a centre; the others are named below."""
    sizes = frame.drop_duplicates("centre").set_index("centre")["n"]
    with_gaps = frame.groupby("variable")["missing"].transform("sum") > 0
    complete = list(frame.loc[~with_gaps, "label"].unique())
    shown = frame[with_gaps] if with_gaps.any() else frame
    text = [f"{n:,} ({words.number(p, 1)}%)" for n, p in zip(shown["missing"], shown["percent"], strict=True)]
    cells = shown.assign(text=text, centre=shown["centre"].map(lambda c: f"{words.spell(c)} (n = {sizes[c]:,})"))
    wide = cells.pivot_table(index=["variable", "label"], columns="centre", values="text", aggfunc="first", sort=False)
    totals = shown.groupby("variable", sort=False)[["missing", "n"]].sum()
    percent = 100 * totals["missing"] / totals["n"]
    wide = wide.reset_index("variable", drop=True).reset_index()
    wide[f"all (n = {int(sizes.sum()):,})"] = [
        f"{n:,} ({words.number(p, 1)}%)" for n, p in zip(totals["missing"], percent, strict=True)
    ]
    wide.columns.name = None
    notes = ["Numbers are patients without a recorded value, with percentages of the patients of the centre."]
    if with_gaps.any() and complete:
        notes.append(f"Recorded in all patients: {words.listing(complete)}.")
    return [View("", wide.rename(columns={"label": "characteristic"}), tuple(notes))]


def _audit(frame: pd.DataFrame) -> list[View]:
    named = {column: frame[column].map(_spelt, na_action="ignore") for column in ("check", "detail")}
    named["check"] = named["check"].map(lambda text: text[:1].upper() + text[1:])
    return [View("", frame.assign(**named))]


def _spelt(text: str) -> str:
    """Models in a list of words by their printed names."""
    parts = re.split(r"(, |: |; | for )", str(text))
    return "".join(model_label(part) if part in MODEL_LABELS else part for part in parts)


def _centres(frame: pd.DataFrame) -> list[View]:
    return [View("", frame.assign(centre=frame["kind"].map(POOLED).fillna(frame["centre"])))]


def _rules(frame: pd.DataFrame) -> list[View]:
    """The rule and its target in words: ``Sensitivity of at least 90%``."""
    names = [
        "Youden's index" if pd.isna(target) else f"{words.spell(rule)} of at least {words.number(target, 0, True)}%"
        for rule, target in zip(frame["rule"], frame["target"], strict=True)
    ]
    return [View("", frame.assign(rule=names))]


def _quality(frame: pd.DataFrame) -> list[View]:
    """The same decimals in all cells of a column."""
    frame = frame.assign(centre=frame["centre"].replace({"all": "All centres"}))
    even = {
        name: _evened(frame[name]) for name in frame if name != "centre" and pd.api.types.is_string_dtype(frame[name])
    }
    notes = ("Measures are medians with quartiles in brackets.",)
    return [View("", frame.assign(**even), notes)]


def _evened(column: pd.Series) -> list[str]:
    """Text with several numbers in a cell, all printed with the decimals of the column's typical number."""
    found = [float(number) for text in column.dropna() for number in re.findall(r"\d+\.?\d*(?:e[+-]?\d+)?", str(text))]
    decimals = words.decimals_for(found)
    pattern = r"-?\d+\.?\d*(?:e[+-]?\d+)?"
    return [re.sub(pattern, lambda m: words.number(float(m[0]), decimals), str(text)) for text in column]


def _assumptions(frame: pd.DataFrame) -> list[View]:
    """Names and values without the underscores that a file needs."""
    named = {
        "group": frame["group"].map(words.spell),
        "name": frame["name"].map(lambda name: words.spell(re.sub(r"_(years|mm|ml|seconds|percent)$", "", name))),
        "value": frame["value"].map(_plain_value),
    }
    return [View("", frame.assign(**named).rename(columns={"name": "quantity"}))]


def _plain_value(value: object) -> str:
    """Names without underscores, a true minus sign."""
    return re.sub(r"(?<=[a-z0-9])_(?=[a-z0-9])", " ", re.sub(r"(?<![\w.])-(?=\d)", "−", str(value)))


def _named(column: str, names: Mapping[str, str]) -> Callable[[pd.DataFrame], list[View]]:
    return lambda frame: [View("", frame.assign(**{column: frame[column].replace(dict(names))}))]


LONG = ("variable", "label", "unit", "level", "missing", "text")
CLAIMED = ("claim", "published", "measure", "reproduced", "reproduced_low", "reproduced_high", "verdict", "reason")

VIEWS: Mapping[str, tuple[Callable[[pd.DataFrame], list[View]], tuple[str, ...]]] = {
    "assumptions": (_assumptions, ("group", "name", "value")),
    "audit": (_audit, ("check", "detail")),
    "baseline": (_baseline, ("by", "group", "group_n", *LONG)),
    "centres": (_centres, ("centre", "kind")),
    "claims": (lambda frame: [View("", printed_claims(frame))], CLAIMED),
    "cohort_flow": (_named("kind", FLOW), ("kind",)),
    "leave_one_centre_out": (_centres, ("centre", "kind")),
    "missingness": (_missingness, ("variable", "label", "centre", "n", "missing", "percent")),
    "mri_protocol": (_protocol, ("centre", "centre_n", *LONG)),
    "operating_points": (_rules, ("rule", "target")),
    "quality": (_quality, ("centre",)),
    "recalibration": (_named("how", {"intercept": "Intercept", "slope": "Intercept and slope"}), ("how",)),
    "saliency_sanity": (_named("check", CHECKS), ("check",)),
}
"""How tables are reshaped, and the columns that this takes."""
