"""``study.yml`` as a form: every decision a line with its reason, every doubt a line that begins with ``# ?``."""

from __future__ import annotations

from typing import Any

from her2study.cohort.proposals.described import known, values
from her2study.cohort.proposals.proposal import Proposal
from her2study.cohort.proposals.propose import StudyProposal
from her2study.cohort.proposals.standard import closing_sections
from her2study.cohort.proposals.yaml_text import comment, entry, flow, heading
from her2study.study import Reading, Variable
from her2study.words import listing

ROLES = {
    "clinical": "Clinical: known before the MRI",
    "mri_reading": "Read on MRI",
    "pathology": "Pathology of the biopsy: describes the patients, offered to no model "
    "(HER2 is asked before the tissue answers)",
    "acquisition": "How the scan was made: describes the centres, offered to no model",
}
"""Role to its heading, in the order of the form."""

LEFT = {
    "leak": "Written after the outcome, because of it, or part of it (a model that reads them would only look good)",
    "identifying": "Names the patient or finds her record, and is never read (better removed from the table)",
    "text": "Free text and dates",
    "scan": "Tells the scanner and not the tumour",
    "unused": "Not used",
}
"""Why columns are left out, in the order of the form."""

TOLD = {"scan": "tells the scanner and not the tumour"}
"""Reasons that the heading says already."""

ORDER = ("type", "unit", "levels", "label", "role", "column", "log", "second_reader", "plausible", "candidate")
"""Of the settings in a variable's line."""


def study_text(name: str, proposal: StudyProposal, written_by: str) -> str:
    """The whole of ``study.yml``."""
    lines = [
        *_head(name, proposal, written_by),
        *_source(proposal),
        *_outcome(proposal),
        *_centres(proposal),
        *_exclusions(proposal),
        *_variables(proposal),
        *_left_out(proposal),
        *closing_sections(proposal, name),
    ]
    return "\n".join(lines) + "\n"


def settings_of(column: Proposal) -> dict[str, Any]:
    """A variable as in ``study.yml``, without what is said by default."""
    given = {**column.variable, "column": column.column if column.column != column.name else None}
    return _settings(given)


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for key in ORDER:
        value = given.get(key)
        default = Variable.model_fields[key].default
        if value is not None and value != default and value != ():
            kept[key] = value
    return kept


def _head(name: str, proposal: StudyProposal, written_by: str) -> list[str]:
    file = proposal.sheet.path.name + (f", sheet {proposal.sheet.name}" if proposal.sheet.name else "")
    n = len(proposal.doubts)
    questions = f"{n} lines begin with '# ?': questions for you." if n != 1 else "1 line begins with '# ?': a question."
    outcome = proposal.outcome.settings["label"]
    return [
        *comment(f"Settings of the study {name}, proposed by `{written_by}` from {file}. Nothing was sent anywhere, "
                 "and the table was not changed."),
        *comment("How to read this form: a line is a decision, and what stands behind # says why. Change any line. "
                 + (questions if n else "There is no open question.")),
        *comment("How the cells of the table are read (codes, units, missing values) stands in mending.yml; what was "
                 "found in every column, in codebook.md."),
        entry("name", name, 0),
        entry("title", f"{outcome} breast cancer from MRI and clinical data" if "HER2" in outcome
              else f"{outcome}, from MRI and clinical data", 0, "stands on every page"),
        entry("seed", 1, 0, "of every random draw; choose it before you see a result, and leave it"),
        "# paper: {citation: ..., doi: ..., public: ...}  # only if you repeat a published study",
    ]  # fmt: skip


def _source(proposal: StudyProposal) -> list[str]:
    sheet = proposal.sheet
    words = f"{proposal.patients:,} patients in {len(sheet.cells):,} rows."
    if proposal.with_images is not None:
        words += f" {proposal.with_images:,} of them have a folder of scans in images/."
    lines = heading("1. The table", words)
    kind = ("simulated", "every page says so") if proposal.simulated else ("folder", "real patients")
    lines += ["source:", entry("kind", kind[0], comment=f"{kind[1]}; the folder that DATA= names holds them")]
    lines.append(entry("table", sheet.path.name))
    if sheet.name:
        lines.append(entry("sheet", sheet.name))
    if proposal.joins:
        lines.append(entry("joins", proposal.joins, comment=f"further tables, joined by {proposal.patient.column}"))
    if proposal.features:
        lines.append(entry("features", proposal.features, comment="own measured features: numbers, one row a patient"))
    if proposal.scores:
        lines.append(entry("scores", proposal.scores, comment="own D-scores, in place of the network's"))
    reading = {
        field: value
        for field, value in sheet.reading.model_dump().items()
        if value != Reading.model_fields[field].default
    }
    if reading:
        lines += comment(_read_words(reading), 2)
        lines.append(entry("reading", reading))
    rows = proposal.rows
    if rows.patients:
        rule = {"keep": rows.keep, **({"by": rows.by} if rows.by else {})}
        some = "1 patient has" if rows.patients == 1 else f"{rows.patients:,} patients have"
        lines += comment(
            f"{some} several rows: {rows.why}. keep: only refuses them; first, last and largest choose.", 2, "# ?"
        )
        lines.append(entry("rows", rule))
    lines.append(entry("patient_column", proposal.patient.column, comment=proposal.patient.why))
    lines += _questions(proposal.patient)
    if proposal.centre:
        lines.append(entry("centre_column", proposal.centre.column, comment=proposal.centre.why))
    else:
        lines += comment("the table has no column of centres; write the hospital's name here and below", 2)
        lines.append(entry("only_centre", proposal.design.centres["development"][0]))
        if any(column.column == "centre" for column in proposal.columns):
            lines.append(entry("centre_column", "only centre", comment="the column 'centre' is not the centre here"))
    if proposal.date:
        line = entry("date_column", proposal.date.column)
        if proposal.design.split.get("internal") == "latest":
            lines.append(f"{line}  # known for {known(proposal.date)}; divides the patients by time")
        else:
            lines.append(f"  #{line[1:]}  # known for {known(proposal.date)}; needed for divisions by time only")
        lines += _questions(proposal.date)
    lines.append(entry("mending", "mending.yml"))
    return lines


def _read_words(reading: dict[str, Any]) -> str:
    words = []
    if "header_row" in reading:
        words.append(f"the names of the columns stand in row {reading['header_row']}")
    if reading.get("header_rows") == 2:
        words.append("in two rows, the upper one spanning columns")
    if "encoding" in reading:
        words.append(f"letters are {reading['encoding']}")
    if "decimal" in reading:
        words.append("numbers have a decimal comma")
    return "; ".join(words)


def _outcome(proposal: StudyProposal) -> list[str]:
    choice = proposal.outcome
    lines = heading(
        "2. The outcome",
        f"{proposal.positives:,} patients are positive and {proposal.negatives:,} negative; "
        f"{proposal.patients - proposal.positives - proposal.negatives:,} have no result and leave the study. "
        "A missing or equivocal result is never a negative one.",
    )
    lines += [line for words in choice.doubts for line in comment(words, 0, "# ?")]
    for column in proposal.by_use("outcome", "ihc", "ish"):
        if column.column != choice.column:
            lines += _questions(column, 0)
    lines.append("outcome:")
    settings = choice.settings
    if choice.column:
        column = next(c for c in proposal.columns if c.column == choice.column)
        lines.append(entry("column", choice.column, comment=f"{choice.why}: {values(column)}"))
        lines.append(entry("positive", settings["positive"]))
        lines.append(entry("negative", settings["negative"]))
    else:
        lines.append("  her2:  # " + choice.why)
        words = {"ihc": "score 0, 1+, 2+, 3+", "ish": "hybridisation: positive, negative, equivocal",
                 "ratio": "HER2/CEP17", "copies": "mean HER2 copies a cell",
                 "status": "recorded status, only where the score is missing",
                 "guideline": "or ASCO/CAP 2018, ASCO/CAP 2013"}  # fmt: skip
        for part, value in settings["her2"].items():
            column = next((c for c in proposal.columns if c.column == value), None)
            found = f": {values(column)}" if column and part in ("ihc", "ish", "status") else ""
            lines.append(entry(part, value, 4, words[part] + found))
        tasks = "or low-vs-zero, positive-vs-zero, positive-vs-low, zero-vs-rest"
        lines.append(entry("task", settings["task"], comment=tasks))
    lines.append(entry("label", settings["label"], comment="what positive means, in print"))
    return lines


def _centres(proposal: StudyProposal) -> list[str]:
    design = proposal.design
    lines = heading("3. Who develops the models, and who judges them", _sentence(design.why_centres))
    if proposal.centre:
        lines += comment(f"{proposal.centre.column}: {values(proposal.centre, 12)}.")
        lines += _questions(proposal.centre, 0)
    lines += [line for words in design.doubts for line in comment(words, 0, "# ?")]
    lines.append("centres:")
    names = design.centres
    lines.append(entry("development", names["development"]))
    if names["external"]:
        lines.append(entry("external", names["external"], comment="never seen by any model before it judges them"))
    else:
        lines.append(entry("external_by", "none", comment="or date, with external_from: 2022-01-01 and date_column"))
    for column in proposal.by_use("unused"):
        if column.concept and column.concept.use == "external":
            chosen = {"external_by": "column", "external_column": column.column, "external_values": ["..."]}
            lines += comment(f"{column.column} divides the patients too ({values(column)}). To use it:", 2)
            lines += [f"  # {key}: {flow(value)}" for key, value in chosen.items()]
    lines.append(entry("names", {name: name for name in (*names["development"], *names["external"])},
                       comment="as printed"))  # fmt: skip
    lines += ["", *comment(_sentence(design.why_split))]
    lines.append(f"split: {flow(design.split)}")
    return lines


def _exclusions(proposal: StudyProposal) -> list[str]:
    lines = heading(
        "4. Who leaves the study",
        "In this order; each patient leaves for the first reason that applies, and the flow chart counts them."
        + ("" if proposal.outcome.column else " HER2 missing, equivocal or left out by the task leave by themselves."),
    )
    for column in proposal.by_use("exclusion"):
        lines += _questions(column, 0)
    if not proposal.exclusions:
        return [*lines, "exclusions: []"]
    lines.append("exclusions:")
    for rule, why in proposal.exclusions:
        lines.append(f"  - {flow(rule)}" + (f"  # {why}" if why else ""))
    return lines


def _variables(proposal: StudyProposal) -> list[str]:
    lines = heading(
        "5. What is known of the patients",
        "A variable is offered to the clinical model and the baselines unless it says candidate: false. levels: the "
        "first is the reference. log: true: enters models as its logarithm. plausible: values beyond are reported, "
        "never changed.",
    )
    used = proposal.by_use("variable")
    if not used and not proposal.derived:
        return [*lines, "variables: {}  # no column was recognised: the study has images only"]
    lines.append("variables:")
    for role, title in ROLES.items():
        here = [column for column in used if column.variable["role"] == role]
        made = [derived for derived in proposal.derived if derived.variable["role"] == role]
        if here or made:
            lines += ["", *comment(title, 2)]
        for column in here:
            lines += _variable(column)
        for derived in made:
            lines += comment(f"made of {listing(derived.sources)}: {derived.why}", 2)
            given = {**derived.variable, "column": None}
            lines.append(entry(derived.variable["name"], _settings(given)))
    return lines


def _variable(column: Proposal) -> list[str]:
    words = f"{column.column}: {values(column)}; known for {known(column)}"
    if column.why and not column.variable.get("candidate"):
        words += f"; {column.why}"
    return [*comment(words, 2), *_questions(column), entry(column.name, settings_of(column))]


def _left_out(proposal: StudyProposal) -> list[str]:
    lines = heading("Columns that are left out", "To use one after all, write it as a line of variables.")
    for use, title in LEFT.items():
        here = proposal.by_use(use)
        if not here:
            continue
        lines += comment(f"{title}:")
        for column in here:
            words = "" if column.why == TOLD.get(use) else f": {column.why or use}"
            lines += [f"#   {line[2:]}" for line in comment(f"{column.column}{words}")]
            if use == "unused" and column.variable.get("levels", True) and column.variable.get("type"):
                lines.append(f"#     {entry(column.name or 'column', settings_of(column), 0)}")
            lines += [f"# ?   {words}" for words in column.doubts]
    others = proposal.by_use("times", "lesion", "breast", "visit")
    if others:
        lines += comment("Read for what they are, no variables:")
        lines += [f"#   {column.column}: {column.why or 'seconds of each phase after the first'}" for column in others]
    return lines


def _questions(column: Proposal, indent: int = 2) -> list[str]:
    return [line for words in column.doubts for line in comment(f"{column.column}: {words}", indent, "# ?")]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."
