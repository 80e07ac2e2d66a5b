"""The list of all patients that were scored, as one page that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from her2study.reporting.patient_sheet.content import Content
from her2study.words import number

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
h1 { font-size: 1.35rem; margin: 0 0 .3rem }
p { margin: .3rem 0 1rem; max-width: 60rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #dde1e5; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.flags { font-size: .86rem; color: #5a4300 }
.mark { background: #777; color: #fff; font-weight: bold; padding: .1rem .5rem; font-size: .8rem }
@media print { body { margin: 0; max-width: none } a { color: inherit } }
"""


def index_page(contents: Mapping[str, Content], pages: bool) -> str:
    """HTML of the list.

    Parameters
    ----------
    contents : mapping
        File name of each patient, without ending, and what her sheet says, in the order of the list.
    pages : bool
        Whether each has a PDF below ``patients/``.
    """
    first = next(iter(contents.values()))
    mark = '<p><span class="mark">MODEL OF SIMULATED PATIENTS</span></p>' if first.simulated else ""
    rules = list(dict.fromkeys(verdict.rule for content in contents.values() for verdict in content.verdicts))
    head = "".join(f"<th>{escape(rule.partition(':')[0].capitalize())}</th>" for rule in rules)
    rows = "\n".join(_row(name, content, rules, pages) for name, content in contents.items())
    flagged = sum(bool(content.flags) for content in contents.values())
    silent = sum(bool(content.reason) for content in contents.values())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Predictions: {escape(first.title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(first.title)}</h1>{mark}
<p>Probability of {escape(first.outcome)} for {len(contents)} patients by a frozen model (fingerprint
<code>{escape(first.fingerprint[:16])}</code>); flagged: {flagged}; not scored by every model: {silent}. Research use
only, no medical device. Full numbers: predictions.csv, contributions.csv, flags.csv.</p>
<table><thead><tr><th>Patient</th><th>Model that answers</th><th>Probability</th>{head}
<th>Flags and reasons</th></tr></thead>
<tbody>
{rows}
</tbody></table></body></html>
"""


def _row(name: str, content: Content, rules: Sequence[str], pages: bool) -> str:
    patient = escape(content.patient)
    link = f'<a href="patients/{escape(name, quote=True)}.pdf">{patient}</a>' if pages else patient
    words = {True: "▲ at or above", False: "▽ below"}
    sides = {v.rule: f"{words[v.positive]} {number(v.threshold, 0, True)}%" for v in content.verdicts}
    cells = "".join(f"<td>{sides.get(rule, '')}</td>" for rule in rules)
    told = "<br>".join(
        escape(text) for text in ([content.reason] if content.reason else []) + [t for _, t in content.flags]
    )
    answer = content.answer
    told_answer = (escape(answer.label), escape(answer.words)) if answer else ("none", "–")
    return (
        f'<tr><td>{link}</td><td>{told_answer[0]}</td><td class="number">{told_answer[1]}</td>{cells}'
        f'<td class="flags">{told}</td></tr>'
    )
