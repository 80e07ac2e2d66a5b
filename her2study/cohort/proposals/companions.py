"""The small files beside ``study.yml``: claims, assumptions and a page to start from."""

from __future__ import annotations

from her2study.cohort.proposals.propose import StudyProposal
from her2study.cohort.proposals.yaml_text import entry
from her2study.words import listing

CLAIMS = """\
# Claims to be tested, written down before any result is seen. An own study has none until you write one, such as:
#
#   - id: combined_better_than_clinical
#     claim: The combined model discriminates better than the clinical model.
#     kind: difference        # or count, auc, ranking: see papers/hong2025/claims.yml
#     better: combined
#     worse: clinical
#     split: external         # or internal, development (out-of-fold)
claims: []
"""

README = """\
# {name}

{summary}

| file | what it is for |
|---|---|
| `study.yml` | the form: every decision of the study, with its reason; change what you know better |
| `mending.yml` | how the cells of the table are read: codes, units, missing values, spellings |
| `codebook.md` | every column of the table: what it holds, what was decided, what is doubtful |
| `claims.yml` | what the study is to test; empty until you write it |
| `assumptions.yml` | choices that the table did not make; printed in the report |

## What next

1. Read `study.yml`. Lines that begin with `# ?` are questions for you{questions}.
2. `her2study validate {name} --data {data}` lists everything that is wrong with table and scans, in one go.
3. `make reproduce STUDY={name} PROFILE=smoke DATA={data}` runs the whole chain in little.
4. `make reproduce STUDY={name} DATA={data}` runs the study.

`{data}` holds {table}{beside}. Scans go into
`images/<patient>/<patient>_0000.nii.gz` (before contrast), `_0001` and so on (after), masks into
`segmentations/expert/<patient>.nii.gz`; `her2study import-dicom` makes both from DICOM. Without them the study runs
on the table alone.
"""


def readme_text(name: str, proposal: StudyProposal, data: str) -> str:
    """``README.md`` of the study."""
    n = len(proposal.doubts)
    others = [*proposal.joins, *proposal.features, *([proposal.scores] if proposal.scores else [])]
    label = proposal.outcome.settings["label"]
    return README.format(
        name=name,
        summary=f"{label} or not, in {proposal.patients:,} patients ({proposal.positives:,} positive, "
        f"{proposal.negatives:,} negative) of {proposal.sheet.path.name}. Started by `her2study new`.",
        questions=f" ({n} of them; `codebook.md` lists them)" if n else ": there is none",
        data=data,
        table=f"`{proposal.sheet.path.name}`",
        beside=f", {listing([f'`{other}`' for other in others])}" if others else "",
    )


def assumptions_text(proposal: StudyProposal) -> str:
    """``assumptions.yml``: choices with their reasons, as the table ``assumptions`` of the report prints them."""
    design = proposal.design
    centres = design.centres
    cohort = {
        "development": (", ".join(centres["development"]), design.why_centres),
        "external": (", ".join(centres["external"]) or "none", design.why_centres),
        "internal": (f"{design.split['internal_fraction']:.0%}", design.why_split),
        "missing_outcome": ("excluded", "a missing result is never a negative one"),
    }
    if proposal.rows.patients:
        cohort["several_rows"] = (f"{proposal.rows.keep}", proposal.rows.why)
    lines = [
        "# Choices that the table did not make for us, each with its reason. Printed in the table \"assumptions\".",
        "# Replace a reason when you have a better one."
        + ("" if proposal.simulated else " Nothing is planted: the patients are real."),
        "cohort:",
        *(_entry(name, value, why) for name, (value, why) in cohort.items()),
    ]  # fmt: skip
    coded = [c for c in proposal.columns if any("by custom" in words for words in c.doubts)]
    if coded:
        why = "the table does not say what its codes mean; 0 and 1 are read as is usual"
        lines += ["", "coding:", *(_entry(c.name or c.column, "by custom", why) for c in coded)]
    return "\n".join(lines) + "\n"


def _entry(name: str, value: str, why: str) -> str:
    return entry(name, {"value": value, "reason": why, "source": "her2study new"})
