"""A filled checklist as a table, as markdown and as a piece of a web page."""

from __future__ import annotations

from collections.abc import Container
from html import escape

import pandas as pd

from her2study.reporting.checklists.evidence import Evidence
from her2study.reporting.checklists.filled import ANSWERED, Answer, checklist, counted, fill
from her2study.reporting.style import SIMULATED

CAUTION = (
    "Questions are short paraphrases; read the original before you submit. An item is answered only where the named "
    "artefacts exist in these results, and an item that only people can answer is never ticked by the program."
)

STYLE = (
    "<style>.checklist td:first-child{white-space:nowrap}.checklist .answered{font-weight:600}"
    ".checklist .open{font-style:italic}.checklist ul{margin:.3em 0 0;padding-left:1.2em}</style>"
)


def checklist_frame(name: str, evidence: Evidence) -> pd.DataFrame:
    """One row an item: ``item, section, topic, asks, status, text, places``."""
    rows = [answer._asdict() | {"places": "; ".join(answer.places)} for answer in fill(name, evidence)]
    return pd.DataFrame(rows, columns=list(Answer._fields))


def checklist_markdown(name: str, evidence: Evidence) -> str:
    """A checklist as a markdown table, with its source and what it does not claim."""
    about, answers = checklist(name), fill(name, evidence)
    lines = [f"# {about['name']}: {about['title'][0].lower()}{about['title'][1:]}", ""]
    lines += [f"**{SIMULATED}**", ""] if evidence.simulated else []
    lines += [counted(answers), "", CAUTION, "", f"{about['citation']}. doi:{about['doi']}", ""]
    lines += ["| Item | Section and topic | What is asked | Status |", "|---|---|---|---|"]
    for answer in answers:
        cells = (answer.item, _topic(answer), answer.asks, _sentence(answer, evidence))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def checklist_html(name: str, evidence: Evidence, pages: Container[str] = (), root: str = "") -> str:
    """A checklist as a section of a page: a table with a row an item.

    Parameters
    ----------
    name : str
        One of :data:`~her2study.reporting.checklists.CHECKLISTS`.
    evidence : Evidence
        What the study has to show.
    pages : container of str
        Addresses of the report that exist (``tables/baseline.html``); only these are linked.
    root : str
        What leads from the page to the report's first page (``../``).
    """
    about, answers = checklist(name), fill(name, evidence)
    rows = []
    for answer in answers:
        places = "".join(f"<li>{_linked(place, evidence, pages, root)}</li>" for place in answer.places)
        status = f"<span class='{answer.status.replace(' ', '-')}'>{escape(_status(answer))}</span>"
        listed = f"<ul>{places}</ul>" if places else ""
        if answer.status == ANSWERED:
            words = f"{status}{listed}{escape(answer.text)}"
        else:
            words = f"{status}{f' Material: {listed}' if places else ''}"
        rows.append(
            f"<tr id='{name}-{answer.item}'><th scope='row'>{answer.item}</th><td>{escape(_topic(answer))}</td>"
            f"<td>{escape(answer.asks)}</td><td>{words}</td></tr>"
        )
    mark = f" [{SIMULATED}]" if evidence.simulated else ""
    head = "".join(f"<th scope='col'>{text}</th>" for text in ("Item", "Section and topic", "What is asked", "Status"))
    return (
        f"<section class='checklist' aria-labelledby='{name}'>{STYLE}"
        f"<h2 id='{name}'>{escape(about['name'])}</h2><p>{escape(about['title'])}. {escape(counted(answers))}</p>"
        f"<p>{escape(CAUTION)}</p><p>{escape(about['citation'])}. "
        f"<span class='doi'>doi:{escape(about['doi'])}</span></p>"
        f"<div class='table-wrap'><table><caption>{escape(about['name'])} items and where each is answered{mark}"
        f"</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _topic(answer: Answer) -> str:
    return answer.section if answer.section.startswith(answer.topic) else f"{answer.section}: {answer.topic}"


def _status(answer: Answer) -> str:
    """``answered in``, or the whole sentence of an open or inapplicable item."""
    return "answered in" if answer.status == ANSWERED else f"{answer.text}."


def _sentence(answer: Answer, evidence: Evidence) -> str:
    """Status and places in one sentence, for print."""
    places = "; ".join(evidence.label(place) for place in answer.places)
    if answer.status == ANSWERED:
        return f"answered in {places}. {answer.text}"
    return f"{answer.text}." + (f" Material: {places}." if places else "")


def _linked(place: str, evidence: Evidence, pages: Container[str], root: str) -> str:
    label, address = escape(evidence.label(place)), evidence.address(place)
    return f"<a href='{root}{address}'>{label}</a>" if address and address in pages else label
