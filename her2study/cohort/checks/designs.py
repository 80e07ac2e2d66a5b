"""Whether the settings do what they say on this table: exclusions that apply, splits that can be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from her2study.cohort.checks.cells import Patients, about, share, suggest
from her2study.cohort.findings import join, none
from her2study.study import Exclusion, Variable
from her2study.words import listing

MOST_EXCLUDED = 0.5
OWN_MODELS = ("dscore", "clinical", "combined")


def check_exclusions(patients: Patients, exclusions: Sequence[Exclusion], excluded: pd.DataFrame) -> pd.DataFrame:
    """Notes and warnings: a rule that removes nobody, a value that no patient has, a rule that removes most."""
    found = []
    gone = excluded["reason"].value_counts()
    for rule in exclusions:
        if rule.column not in patients.cells:
            continue
        seen = set(patients.cells[rule.column].dropna().unique())
        where = f"the exclusion {rule.reason!r}"
        strange = [str(value) for value in rule.values if str(value) not in seen]  # noqa: PD011 (a setting)
        n = int(gone.get(rule.reason, 0))
        for value in strange:
            close = suggest(value, seen).strip()
            # a value that nobody has is common where a rule was written in advance; a near spelling is suspicious
            degree = "warning" if close and _alike(value, seen) else "note"
            found.append(about(
                patients, "settings", degree, f"{where} asks for {value!r}, which no patient has",
                "an exclusion compares whole cells", f"{close or 'nothing to do if nobody should leave for it'}",
                column=rule.column,
            ))  # fmt: skip
        if n > MOST_EXCLUDED * len(patients.cells):
            value = f"{where} removes {share(n, len(patients.cells))}"
            found.append(about(
                patients, "table", "warning", value, "a study of the few who stay holds for the few",
                f"check values of {where} in study.yml", column=rule.column,
            ))  # fmt: skip
    if len(patients.cells) and not patients.included.any():
        value = f"all {len(patients.cells):,} patients leave: " + ", ".join(
            f"{k} ({v:,})" for k, v in gone.head(4).items()
        )
        mend = "check the exclusions and the outcome in study.yml"
        found.append(about(patients, "table", "error", value, "a study needs patients", mend))
    return join(found)


def check_comparisons(
    patients: Patients, models: Sequence[str], comparisons: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """Warnings: models to compare that no step of a study makes."""
    known = [*OWN_MODELS, *models]
    strange = dict.fromkeys(name for pair in comparisons for name in pair if name not in known)
    return join(
        about(
            patients, "settings", "warning", f"statistics.comparisons names {name!r}",
            f"the models of this study are {listing(known)}; a pair with another is left out",
            f"{suggest(name, known)}correct statistics.comparisons in study.yml",
        )
        for name in strange
    )  # fmt: skip


def unread_by_role(
    patients: Patients, variables: Mapping[str, Variable], candidates: Mapping[str, Variable]
) -> pd.DataFrame:
    """A warning if variables are there and none may enter a model."""
    if not variables or candidates:
        return none()
    value = f"none of {len(variables)} variables is a candidate"
    mend = "set candidate: true for some, or add their role to clinical.candidate_roles"
    return about(patients, "settings", "warning", value, "the clinical model needs candidates", mend)


def _alike(value: str, seen: set[str]) -> bool:
    """Whether a value of the table differs only in capitals, spaces or hyphens."""

    def folded(text: str) -> str:
        return "".join(text.lower().split()).replace("-", "").replace("_", "")

    return folded(value) in {folded(other) for other in seen}
