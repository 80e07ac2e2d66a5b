"""HER2 from immunohistochemistry and in-situ hybridisation by the ASCO/CAP guidelines of 2013, 2018 and 2023.

Wolff et al., J Clin Oncol 2013;31:3997 and 2018;36:2105; the update of 2023 (J Clin Oncol 41:3867) affirms the rules
of 2018. Low is IHC 1+, or IHC 2+ with negative ISH; zero is IHC 0 (both without amplification). Nothing is guessed:
a score of 2+ without ISH is equivocal, a result that cannot be read is a finding, and neither is a negative.

Dual-probe ISH has five groups (ratio HER2/CEP17, mean HER2 copies per cell)::

    1  ratio >= 2.0, copies >= 4.0     amplified
    2  ratio >= 2.0, copies <  4.0     2013: positive; since 2018 by IHC: 3+ positive, 0 to 2+ negative
    3  ratio <  2.0, copies >= 6.0     2013: positive; since 2018 by IHC: 2+ and 3+ positive, 0 and 1+ negative
    4  ratio <  2.0, copies 4.0 to 5.9 by IHC: 3+ positive, 0 and 1+ negative; 2+ equivocal in 2013, since negative
    5  ratio <  2.0, copies <  4.0     not amplified

A ratio without copies decides only where the groups that it leaves open agree. What a second observer's recount
would change in groups 2 to 4 with IHC 2+ is not in a table: the numbers are taken as the final ones. Positive is
whoever is positive by either method.
"""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from her2study.cohort.findings import findings
from her2study.cohort.tables.quantities import quantity
from her2study.sections import HER2_CATEGORY
from her2study.study import Her2, nearest
from her2study.types import StudyError

HER2_REASON = "her2_reason"

IHC_WORDS = {
    "0": "0", "0+": "0", "1+": "1+", "1": "1+", "+": "1+", "2+": "2+", "2": "2+", "++": "2+", "3+": "3+", "3": "3+",
    "+++": "3+", "negative": "negative", "neg": "negative", "-": "negative", "阴性": "negative",
    "equivocal": "2+", "borderline": "2+", "positive": "3+", "pos": "3+", "阳性": "3+",
}  # fmt: skip
"""Scores as people write them, without spaces, brackets and the words HER2, IHC and score."""

ISH_WORDS = {
    "positive": "positive", "pos": "positive", "+": "positive", "amplified": "positive", "amplification": "positive",
    "阳性": "positive", "扩增": "positive", "有扩增": "positive",
    "negative": "negative", "neg": "negative", "-": "negative", "notamplified": "negative", "阴性": "negative",
    "nonamplified": "negative", "non-amplified": "negative", "unamplified": "negative", "noamplification": "negative",
    "无扩增": "negative", "未扩增": "negative", "未见扩增": "negative",
    "equivocal": "equivocal", "borderline": "equivocal", "indeterminate": "equivocal", "不确定": "equivocal",
}  # fmt: skip

STATUS_WORDS = {
    **{word: result for word, result in ISH_WORDS.items() if result != "equivocal"},
    "equivocal": "equivocal", "borderline": "equivocal", "low": "low", "her2-low": "low", "zero": "zero",
    "her2-zero": "zero", "0": "zero", "1+": "low", "3+": "positive", "2+": "equivocal",
    "低表达": "low", "不确定": "equivocal",
}  # fmt: skip

SCORES = ("0", "1+", "negative", "2+", "3+", "")
"""IHC; negative is 0 or 1+ where nobody wrote which, and the last is missing."""

GROUPS = {
    "2013": {1: "++++++", 2: "++++++", 3: "++++++", 4: "---?+?", 5: "----+-"},
    "2018": {1: "++++++", 2: "----+?", 3: "---++?", 4: "----+?", 5: "----+-"},
}
"""Positive (+), negative (-) or equivocal (?) by guideline, dual-probe group and, in this order, :data:`SCORES`."""

SINGLE = {"from 6.0": "++++++", "4.0 to 5.9": "---?+?", "below 4.0": "----+-"}
"""The same of mean copies per cell without a ratio (single probe); alike in all guidelines."""

WITHOUT_ISH = "---?+"
"""The same of the score alone."""

RESULTS = {"+": "positive", "-": "negative", "?": "equivocal"}
OF_NEGATIVE = {"0": "zero", "1+": "low", "2+": "low", "negative": "negative", "": "negative"}
"""Category of a negative result, by score."""

UNREADABLE = "unreadable"
UNDECIDED = "without copies, which does not decide"


def her2_category(table: pd.DataFrame, settings: Her2) -> pd.DataFrame:
    """Category and reason of every row.

    Parameters
    ----------
    table : DataFrame
        Text, mended (see ``sources.read_table``).
    settings : Her2
        ``outcome.her2`` of study.yml: the columns and the guideline.

    Returns
    -------
    DataFrame
        ``her2_category``: positive, low, zero, negative (low or zero unknown), equivocal, or missing where nothing
        is recorded or a cell cannot be read; ``her2_reason``: which rule made it. The index is that of ``table``.
    """
    wanted = [settings.ihc, settings.ish, settings.ratio, settings.copies, settings.status]
    cells = pd.DataFrame(
        {i: table[c].astype(object).where(table[c].notna(), "") if c else "" for i, c in enumerate(wanted)},
        index=table.index,
    )
    distinct = cells.drop_duplicates()
    made = {row: _judge(*row, settings.guideline) for row in distinct.itertuples(index=False, name=None)}
    both = [made[row] for row in cells.itertuples(index=False, name=None)]
    return pd.DataFrame(
        {HER2_CATEGORY: [c for c, _ in both], HER2_REASON: [r for _, r in both]}, index=table.index, dtype="str"
    )


def with_category(table: pd.DataFrame, settings: Her2 | None) -> pd.DataFrame:
    """The table with ``her2_category`` and ``her2_reason``; unchanged without settings.

    Raises
    ------
    StudyError
        A column is absent, is there already, or has a cell that cannot be read.
    """
    if settings is None:
        return table
    found = her2_findings(table, settings, "")
    if len(found):
        first = found.iloc[0]
        more = f" ({len(found) - 1} more findings; her2study validate lists them)" if len(found) > 1 else ""
        place = f"row {first['row']}: " if pd.notna(first["row"]) else ""
        raise StudyError(f"HER2: {place}{first['rule']}; {first['mend']}{more}")
    return table.join(her2_category(table, settings))


def her2_findings(table: pd.DataFrame, settings: Her2, patient_column: str, file: str = "") -> pd.DataFrame:
    """Absent columns and cells that cannot be read, one finding a distinct value, with the first row that has it."""
    found: list[dict] = [
        {
            "severity": "error", "area": "outcome", "file": file, "column": column, "value": column,
            "rule": f"the table has a column {column!r} already, which outcome.her2 makes",
            "mend": "rename it, or name it in outcome.column in place of outcome.her2",
        }
        for column in (HER2_CATEGORY, HER2_REASON)
        if column in table
    ]  # fmt: skip
    for key, words in (("ihc", IHC_WORDS), ("ish", ISH_WORDS), ("ratio", None), ("copies", None),
                       ("status", STATUS_WORDS)):  # fmt: skip
        column = getattr(settings, key)
        if column is None:
            continue
        if column not in table:
            found.append(
                {
                    "severity": "error", "area": "settings", "column": column, "value": column,
                    "rule": f"outcome.her2.{key} names the column {column!r}, which the table does not have"
                    f"{nearest(column, table.columns)}",
                    "mend": "correct outcome.her2 in study.yml",
                }
            )  # fmt: skip
            continue
        known = ", ".join(dict.fromkeys(words.values())) if words else "numbers such as 2.1"
        for value in table[column].dropna().unique():
            if (_number(value) if words is None else _word(value, words)) is not UNREADABLE:
                continue
            rows = table.index[table[column] == value]
            more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
            patient = table.loc[rows[0], patient_column] if patient_column in table else ""
            found.append(
                {
                    "severity": "error", "area": "outcome", "patient": patient, "file": file, "row": int(rows[0]) + 2,
                    "column": column, "value": value,
                    "rule": f"{column} is {value!r}{more}, which is none of {known}",
                    "mend": "map it in mending.yml (columns), or to null if the result is not known",
                }
            )  # fmt: skip
    return findings(found)


def _judge(ihc: str, ish: str, ratio: str, copies: str, status: str, guideline: str) -> tuple[str | None, str]:
    score, result = _word(ihc, IHC_WORDS), _word(ish, ISH_WORDS)
    numbers = [_number(ratio), _number(copies)]
    if UNREADABLE in (score, result, *numbers):
        return None, "a result cannot be read"
    edition = "2013" if guideline.endswith("2013") else "2018"
    said = f"IHC {score}" if score else "IHC missing"
    measured, how = _measured(numbers[0], numbers[1], score, edition)
    if result and measured and not how.endswith(UNDECIDED):
        how += f", recorded as ISH {result}" if measured != result else ""
    elif result:
        measured, how = _recorded(result, score), f"ISH {result}"
    if not measured and score and not how:
        measured, how = _looked_up(WITHOUT_ISH, score), "ISH missing" if score == "2+" else ""
    reason = f"{said}, {how}" if how else said
    if (not measured or measured == "equivocal") and not score and status:
        recorded = _word(status, STATUS_WORDS)
        if recorded is UNREADABLE:
            return None, "a result cannot be read"
        return recorded, f"{reason}; recorded status {recorded}"
    if not measured:
        return None, "no IHC, ISH or status recorded"
    return (OF_NEGATIVE[score] if measured == "negative" else measured), f"{reason} ({guideline})"


def _measured(ratio: float | None, copies: float | None, score: str, edition: str) -> tuple[str, str]:
    """The result of counted signals with the score, and the words for it; empty without counts that decide."""
    if copies is not None and ratio is not None:
        group = _group(ratio, copies)
        return _looked_up(GROUPS[edition][group], score), f"ISH group {group} (ratio {ratio:g}, {copies:g} copies)"
    if copies is not None:
        kind = "from 6.0" if copies >= 6 else "4.0 to 5.9" if copies >= 4 else "below 4.0"
        return _looked_up(SINGLE[kind], score), f"single-probe ISH ({copies:g} copies)"
    if ratio is None:
        return "", ""
    possible = {_looked_up(GROUPS[edition][group], score) for group in ((1, 2) if ratio >= 2 else (3, 4, 5))}
    if len(possible) == 1:
        return possible.pop(), f"ISH ratio {ratio:g}"
    return "equivocal", f"ISH ratio {ratio:g} {UNDECIDED}"


def _looked_up(results: str, score: str) -> str:
    return RESULTS[results[SCORES.index(score)]]


def _group(ratio: float, copies: float) -> int:
    if ratio >= 2:
        return 1 if copies >= 4 else 2
    return 3 if copies >= 6 else 4 if copies >= 4 else 5


def _recorded(result: str, score: str) -> str:
    """A result that is recorded in words, with the score: positive by either method is positive."""
    if result == "positive" or score == "3+":
        return "positive"
    if result == "equivocal" and score in ("0", "1+", "negative"):
        return "negative"
    return result


def _word(text: str, words: dict[str, str]) -> str:
    """A cell in the words of the guideline; empty for a missing one, :data:`UNREADABLE` for an unknown one."""
    if not text:
        return ""
    plain = unicodedata.normalize("NFKC", str(text)).casefold()
    if words is not STATUS_WORDS or plain not in words:
        plain = re.sub(r"her-?2(/neu)?|ihc|fish|cish|sish|d?ish\b|score|[\s()\[\]:=]", "", plain)
    return words.get(plain, UNREADABLE)


def _number(text: str) -> float | str | None:
    if not text:
        return None
    number, problem = quantity(str(text))
    return UNREADABLE if problem or number is None or float(number) < 0 else float(number)
