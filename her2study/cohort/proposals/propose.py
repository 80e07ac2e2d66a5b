"""A whole study from a table: every column, the outcome, centres, rows and design, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from her2study.cohort.proposals.alarms import alarmed
from her2study.cohort.proposals.columns import propose_column
from her2study.cohort.proposals.content import list_length
from her2study.cohort.proposals.design import Design, choose_design
from her2study.cohort.proposals.legend import Entry
from her2study.cohort.proposals.levels import free_levels
from her2study.cohort.proposals.outcomes import OutcomeChoice, choose_outcome, outcome_labels
from her2study.cohort.proposals.own import kind_of
from her2study.cohort.proposals.people import RowChoice, choose_centre, choose_patient, choose_rows
from her2study.cohort.proposals.proposal import Mends, Proposal
from her2study.cohort.proposals.relations import Derived, relate
from her2study.cohort.tables import Sheet
from her2study.types import StudyError

ONLY_CENTRE = "this hospital"
"""Name of the centre of a table without a centre column."""

DATED = 0.9
"""Share of patients with a date above which it can divide them by time."""

TIMES = "acquisition_times"

RARE_SPELLING = 4
"""So few rows of a centre with another's name at its beginning are a longer spelling of it."""

SINGULAR = ("centre", "date", "times", "external")
"""Uses that one column has; others like it are left out."""


@dataclass(frozen=True)
class StudyProposal:
    """Everything that is written into ``study.yml``, ``mending.yml`` and the codebook."""

    sheet: Sheet
    joins: tuple[str, ...]
    features: tuple[str, ...]
    scores: str | None
    columns: tuple[Proposal, ...]
    derived: tuple[Derived, ...]
    patient: Proposal
    centre: Proposal | None
    date: Proposal | None
    rows: RowChoice
    outcome: OutcomeChoice
    design: Design
    exclusions: tuple[tuple[dict[str, Any], str], ...]
    corrections: Mapping[str, Mapping[str, None]]
    patients: int
    positives: int
    negatives: int
    images: tuple[str, ...] | None
    simulated: bool

    @property
    def with_images(self) -> int | None:
        """Patients of the table who have a folder of scans; nothing where the data were not at hand."""
        return None if self.images is None else len(set(self.images) & set(self.patient.content.counts))

    @property
    def doubts(self) -> list[tuple[str, str]]:
        """``(column, question)`` of everything that a person must decide."""
        whole = [("outcome", words) for words in self.outcome.doubts] + [("centres", w) for w in self.design.doubts]
        used = [c for c in self.columns if c.column != self.outcome.column]
        return whole + [(column.column, words) for column in used for words in column.doubts]

    def by_use(self, *uses: str) -> list[Proposal]:
        """Columns of some uses, in the order of the table."""
        return [column for column in self.columns if column.use in uses]


def propose(
    sheet: Sheet,
    joins: Sequence[Sheet] = (),
    legend: Mapping[str, Entry] | None = None,
    images: Iterable[str] | None = None,
    outcome: str | None = None,
    centre: str | None = None,
    simulated: bool = False,
) -> StudyProposal:
    """Propose a study.

    Parameters
    ----------
    sheet, joins : Sheet
        The table, and further ones with the same patient column.
    legend : mapping, optional
        What another sheet of the workbook says of each column.
    images : iterable of str, optional
        Names of the folders in ``images/``, if the data are at hand.
    outcome, centre : str, optional
        Columns named by the user.
    simulated : bool
        Whether the patients are simulated, which every page of the study must then say.

    Raises
    ------
    StudyError
        No column names the patients or tells HER2; a named column does not exist; nobody has an outcome.
    """
    entries = legend or {}
    folders = None if images is None else tuple(images)
    cells, columns = sheet.cells, _columns(sheet, entries)
    patient = choose_patient(columns, cells, folders or ())
    kinds = {joined.path.name: kind_of(joined.cells, patient.column) for joined in joins}
    for joined in joins:
        if kinds[joined.path.name] == "join":
            cells, columns = _joined(cells, columns, joined, patient, entries)
    columns = [patient if c.column == patient.column else _not_patient(c) for c in columns]
    chosen = choose_centre(columns, centre)
    if chosen:
        chosen = _spelt(chosen)
    columns = [chosen if chosen and c.column == chosen.column else c for c in columns]
    choice, columns = choose_outcome(columns, outcome)
    columns = _singular(columns, chosen)
    related = relate(columns, cells)
    columns = related.columns
    rows = choose_rows(columns, cells, patient.column)
    one = cells.drop_duplicates(patient.column)
    labels = outcome_labels(one, choice, columns)
    if labels.nunique() < 2:
        raise StudyError(
            f"{sheet.path.name}: of {len(one):,} patients {int((labels == 1).sum())} are positive and "
            f"{int((labels == 0).sum())} negative; a study needs both: name the column with the outcome (--outcome)"
        )
    columns = alarmed(columns, one, labels)
    date = next((c for c in columns if c.use == "date"), None)
    design = choose_design(
        _centre_of(one, chosen),
        labels,
        chosen.column if chosen else None,
        date is not None and date.share_known >= DATED,
    )
    columns = [c.but(mends=_joined_centres(c, design)) if chosen and c.column == chosen.column else c for c in columns]
    return StudyProposal(
        sheet=sheet,
        joins=tuple(name for name, kind in kinds.items() if kind == "join"),
        features=tuple(name for name, kind in kinds.items() if kind == "features"),
        scores=next((name for name, kind in kinds.items() if kind == "scores"), None),
        columns=tuple(columns),
        derived=tuple(related.derived),
        patient=next(c for c in columns if c.column == patient.column),
        centre=next((c for c in columns if chosen and c.column == chosen.column), None),
        date=date,
        rows=rows,
        outcome=choice,
        design=design,
        exclusions=_exclusions(columns, choice, design, chosen, one),
        corrections=_corrections(columns, one, patient.column),
        patients=len(one),
        positives=int((labels == 1).sum()),
        negatives=int((labels == 0).sum()),
        images=folders,
        simulated=simulated,
    )


def _columns(sheet: Sheet, legend: Mapping[str, Entry]) -> list[Proposal]:
    nothing = Entry(None, {})
    return [
        propose_column(
            name,
            sheet.path.name,
            sheet.cells[name],
            legend.get(name, nothing).codes,
            legend.get(name, nothing).description,
        )
        for name in sheet.cells
    ]


def _joined(
    cells: pd.DataFrame, columns: list[Proposal], joined: Sheet, patient: Proposal, legend: Mapping[str, Entry]
) -> tuple[pd.DataFrame, list[Proposal]]:
    """The table with another one beside it."""
    if patient.column not in joined.cells:
        raise StudyError(
            f"{joined.path}: has no column {patient.column!r}, by which it is joined to {patient.file}; rename its own"
        )
    twice = sorted((set(cells) & set(joined.cells)) - {patient.column})
    if twice:
        raise StudyError(f"{joined.path}: the column {twice[0]!r} is also in {patient.file}; rename one")
    if joined.cells[patient.column].duplicated().any():
        several = joined.cells.loc[joined.cells[patient.column].duplicated(), patient.column].iloc[0]
        raise StudyError(f"{joined.path}: patient {several!r} stands in several rows; a joined table has one a patient")
    merged = cells.merge(joined.cells, how="left", on=patient.column)
    more = [
        propose_column(
            name,
            joined.path.name,
            merged[name],
            legend[name].codes if name in legend else None,
            legend[name].description if name in legend else None,
        )
        for name in joined.cells
        if name != patient.column
    ]
    return merged, [*columns, *more]


def _not_patient(column: Proposal) -> Proposal:
    """Other columns that name the patient are never used."""
    return column.left_out("identifying", "names the patient once more") if column.use == "patient" else column


def _singular(columns: list[Proposal], centre: Proposal | None) -> list[Proposal]:
    """One centre, one date, one list of times; what tells lesions, breasts and visits apart is read for that only."""
    taken: set[str] = {"centre"}
    kept = []
    for column in columns:
        is_centre = centre is not None and column.column == centre.column
        if column.use in ("lesion", "breast", "visit"):
            column = column.but(
                why=f"tells {column.use}s of one patient apart" if column.use != "breast" else "the side"
            )
        elif column.use in SINGULAR and not is_centre:
            if column.use in taken or column.use == "external":
                column = column.left_out("unused", column.why or f"another column is the {column.use}")
            elif column.use == "times" and column.column != TIMES:
                column = column.left_out("unused", "times of phases").doubted(
                    f"Rename the column to {TIMES} to have its times used."
                )
            taken.add(column.use)
        kept.append(column)
    return kept


def _spelt(centre: Proposal) -> Proposal:
    """Centres that differ in case or spaces only are one; so is a rare longer name with its beginning."""
    read = free_levels(centre.content.counts, centre.header.codes, 1)
    maps = dict(read.maps)
    sizes: dict[str, int] = {}
    for value, n in centre.content.counts.items():
        word = maps.get(value, value)
        sizes[word] = sizes.get(word, 0) + n
    for name, n in sizes.items():
        longer = [other for other in sizes if other != name and name.startswith(other) and len(other) > 1]
        if n < RARE_SPELLING and longer and sizes[longer[0]] >= 5 * n:
            maps |= {value: longer[0] for value in centre.content.counts if maps.get(value, value) == name}
            centre = centre.doubted(f"{name} is read as {longer[0]}. Correct mending.yml if it is another centre.")
    return centre.but(mends=Mends(maps, read.missing, suggested=read.unknown), variable={})


def _centre_of(cells: pd.DataFrame, centre: Proposal | None) -> pd.Series:
    if centre is None:
        return pd.Series(ONLY_CENTRE, index=cells.index)
    return cells[centre.column].map({value: centre.mends.read(value) for value in centre.content.counts})


def _joined_centres(centre: Proposal, design: Design) -> Mends:
    maps = {v: design.joined.get(centre.mends.read(v) or "", centre.mends.read(v)) for v in centre.content.counts}
    maps = {value: name for value, name in maps.items() if name is not None and name != value}
    return Mends(maps, centre.mends.missing)


def _exclusions(
    columns: list[Proposal], outcome: OutcomeChoice, design: Design, centre: Proposal | None, cells: pd.DataFrame
) -> tuple[tuple[dict[str, Any], str], ...]:
    """Rules of the flow with their comments, in the order in which they are applied."""
    rules: list[tuple[dict[str, Any], str]] = []
    for column in columns:
        if column.use == "exclusion" and column.concept:
            read = cells[column.column].map({value: column.mends.read(value) for value in column.content.counts})
            for level, reason in column.concept.excluded.items():
                rule = {"reason": reason, "column": column.column, "values": [level]}
                rules.append((rule, f"{int((read == level).sum()):,} patients; remove the line to keep them"))
    if centre and centre.share_known < 1:
        rules.append(({"reason": "Centre not recorded", "column": centre.column, "missing": True}, ""))
    rules += [(rule, "") for rule in design.exclusions]
    rules += [(rule, "a missing result is never a negative one") for rule in outcome.exclusions]
    return tuple(rules)


def _corrections(columns: list[Proposal], cells: pd.DataFrame, patient: str) -> dict[str, dict[str, None]]:
    """Times that are not as many as the phases: which one is missing nobody can say."""
    times = next((c for c in columns if c.use == "times"), None)
    phases = next((c for c in columns if c.concept and c.concept.key == "all_phases"), None)
    if not times or not phases:
        return {}
    lengths = cells[times.column].map({value: list_length(value) for value in times.content.counts})
    wrong = lengths.notna() & (lengths != pd.to_numeric(cells[phases.column], errors="coerce"))
    return {str(name): {times.column: None} for name in cells.loc[wrong, patient]}
