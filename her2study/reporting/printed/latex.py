"""Tables in LaTeX, to be read in with ``\\input``: booktabs' three lines, longtable over any number of pages."""

from __future__ import annotations

from her2study.reporting.printed.sheet import Cell, Sheet, paragraphs
from her2study.reporting.printed.widths import GAP_MM, fit, unbroken

PREAMBLE = (
    "% {caption}\n% A table of her2study. It needs, in the preamble:\n"
    "% \\usepackage[T1]{{fontenc}}\n% \\usepackage{{array,booktabs,longtable,pdflscape}}\n"
)

ESCAPES = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "%": "\\%", "_": "\\_",
    "^": "\\textasciicircum{}", "~": "\\textasciitilde{}", "<": "\\textless{}", ">": "\\textgreater{}",
    "|": "\\ensuremath{|}", "[": "{[}", "]": "{]}", "*": "{*}", '"': "\\textquotedbl{}", "–": "--", "—": "---",
    "−": "\\ensuremath{-}", "±": "\\ensuremath{\\pm}", "×": "\\ensuremath{\\times}", "≥": "\\ensuremath{\\geq}",
    "≤": "\\ensuremath{\\leq}", "≠": "\\ensuremath{\\neq}", "→": "\\ensuremath{\\rightarrow}",
    "·": "\\textperiodcentered{}",
    "χ": "\\ensuremath{\\chi}", "τ": "\\ensuremath{\\tau}", "κ": "\\ensuremath{\\kappa}", "α": "\\ensuremath{\\alpha}",
    "β": "\\ensuremath{\\beta}", "σ": "\\ensuremath{\\sigma}", "μ": "\\ensuremath{\\mu}", "µ": "\\ensuremath{\\mu}",
    "Δ": "\\ensuremath{\\Delta}", "²": "\\textsuperscript{2}", "³": "\\textsuperscript{3}", "“": "``", "”": "''",
    "‘": "`", "’": "'", "…": "\\ldots{}", "°": "\\textdegree{}", "\u00a0": "~",
    "\u2003": "\\quad{}",
}  # fmt: skip
"""What has a meaning in LaTeX, or is in no font of its own; square brackets and stars would be read by ``\\\\``."""


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(ESCAPES.get(letter, letter) for letter in text.replace("\n", " "))


def latex(sheets: list[Sheet]) -> str:
    """Some sheets as LaTeX, the packages they need named in a comment."""
    return PREAMBLE.format(caption=sheets[0].caption) + "".join(
        _sheet(sheet, place) for place, sheet in enumerate(sheets)
    )


def _sheet(sheet: Sheet, place: int) -> str:
    widths, turned = fit(sheet)
    count = len(sheet.heads)
    label = f"tab:{sheet.name.replace('_', '-')}" + (f"-{place + 1}" if place else "")
    aligned = ["centering" if head.numeric else "raggedright" for head in sheet.heads]
    columns = "".join(
        f"\n  >{{\\{side}\\arraybackslash{{}}}}p{{{width - GAP_MM:.1f}mm}}"
        for side, width in zip(aligned, widths, strict=True)
    )
    head = " & ".join(f"\\textbf{{{escape(unbroken(head.text))}}}{_mark(head.mark)}" for head in sheet.heads)
    grouped = any(row.group for row in sheet.rows)
    lines = []
    for row in sheet.rows:
        if row.group:
            name = f"\\textbf{{\\emph{{{escape(row.cells[0].text)}}}}}"
            lines.append(f"\\multicolumn{{{count}}}{{l}}{{{name}}} \\\\\n\\nopagebreak")
        else:
            lines.append(("\\quad " if grouped else "") + " & ".join(map(_cell, row.cells)) + " \\\\")
    notes = "".join(
        "\\noindent " + " ".join(_mark(note.mark) + escape(note.text) for note in lines) + "\\par\n"
        for lines in paragraphs(sheet.notes)
    )
    body = "\n".join(lines)
    text = (
        f"\\begingroup\\footnotesize\\setlength{{\\tabcolsep}}{{{GAP_MM / 2:.1f}mm}}\n"
        f"\\begin{{longtable}}{{@{{}}{columns}\n  @{{}}}}\n"
        f"\\caption{{{escape(sheet.caption)}}}\\label{{{label}}} \\\\\n"
        f"\\toprule\n{head} \\\\\n\\midrule\n\\endfirsthead\n"
        f"\\toprule\n{head} \\\\\n\\midrule\n\\endhead\n"
        f"{body}\n\\bottomrule\n\\end{{longtable}}\n{notes}\\endgroup\n"
    )
    return f"\\begin{{landscape}}\n{text}\\end{{landscape}}\n" if turned else text


def _cell(cell: Cell) -> str:
    return escape(cell.text) + _mark(cell.mark)


def _mark(letter: str) -> str:
    return f"\\textsuperscript{{{letter}}}" if letter else ""
