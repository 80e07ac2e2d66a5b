"""Whether the mending of a column says what its header says: ``Rim {0 = no, 1 = yes}`` mended the other way round."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from her2study.cohort.checks.cells import Patients, about
from her2study.cohort.findings import join, none
from her2study.cohort.mending import load_mending
from her2study.study import Source
from her2study.types import StudyError

BRACES = re.compile(r"[{(\[]([^{}()\[\]]*\d\s*[=:：＝][^{}()\[\]]*)[})\]]")
CODE = re.compile(r"(-?\w+\+?)\s*[=:：＝]\s*([^,;，；/|=:]+)")


def header_codes(column: str) -> dict[str, str]:
    """Codes that a header explains, ``{"0": "no", "1": "yes"}``; none if it explains none."""
    found = BRACES.search(column)
    return {code: meaning.strip() for code, meaning in CODE.findall(found[1])} if found else {}


def check_codings(patients: Patients, source: Source, study_folder: Path) -> pd.DataFrame:
    """Warnings: a code whose word in the mending file is the word of another code in the header."""
    if not source.mending:
        return none()
    try:
        mending = load_mending(study_folder / source.mending)
    except StudyError:  # told by the reading of the table
        return none()
    found = []
    for column, mended in mending.columns.items():
        said = header_codes(column)
        for code, word in mended.items():
            meaning = said.get(str(code))
            if meaning is None or word is None or _same(meaning, word):
                continue
            exchanged = [other for other, words in said.items() if other != code and _same(words, word)]
            if exchanged:
                value = f"{code} is {word!r} in {source.mending}, and {meaning!r} in the header"
                rule = "mending and header explain a code alike"
                mend = f"correct {source.mending}, unless the header is wrong"
                found.append(about(patients, "variables", "warning", value, rule, mend, column=column))
    return join(found)


def _same(one: str, other: str) -> bool:
    """Whether one word is the other, or begins it: neg and negative."""
    a, b = one.casefold().strip(), other.casefold().strip()
    return a == b or (min(len(a), len(b)) >= 2 and (a.startswith(b) or b.startswith(a)))
