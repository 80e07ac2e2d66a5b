"""From a template and a finished study to the three files, all made before the first is written."""

from __future__ import annotations

import json
import tempfile
from importlib.resources import files
from pathlib import Path

from her2study.reporting.manuscript import language, typed
from her2study.reporting.manuscript.checks import check_numbers
from her2study.reporting.manuscript.citations import check_citations
from her2study.reporting.manuscript.exhibits import exhibits_markdown, gather_figures, gather_tables
from her2study.reporting.manuscript.front import Front, read_front
from her2study.reporting.manuscript.material import Material
from her2study.reporting.manuscript.numbering import Numbering
from her2study.reporting.manuscript.typeset import exhibits_typst, pdf_bytes
from her2study.reporting.style import SIMULATED
from her2study.study import nearest
from her2study.types import StudyError

WARNING = (
    "The patients of this text do not exist. They were simulated to test the analysis; nothing here is evidence about "
    "patients."
)

READER = "markdown-subscript-superscript-tex_math_dollars-raw_tex-raw_html-example_lists"
"""Pandoc's Markdown without the marks that numbers and names could trip over."""


def build_manuscript(path: Path, bibliography: Path, material: Material, folder: Path) -> dict[str, bytes]:
    """The files of a manuscript by name: ``manuscript.md``, ``manuscript.docx``, ``manuscript.pdf``.

    Parameters
    ----------
    path, bibliography : Path
        The template and its references.
    folder : Path
        Where the files will lie; the Markdown points to its pictures from there. Nothing is written.

    Raises
    ------
    StudyError
        With file and line: whatever the template, its head or its references get wrong; or numbers that contradict
        each other.
    """
    front, source = read_front(path)
    tree = language.parse(source, path)
    typed.check_typed(tree, path, front.constants)
    typed.check_value_names(tree, path, material.values)
    check_citations(source, path, bibliography)
    style = _style(path, front.csl)
    numbering = Numbering(material.figure_data, material.tables)
    body = language.render(source, path, material, numbering).strip()
    printed = {*numbering.mentioned["table"], *numbering.looked_up, "cohort_flow"} & set(material.tables)
    check_numbers(material.values, {name: material.tables[name] for name in printed})
    try:
        tables = gather_tables(material, numbering, front.tables)
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from None
    figures = gather_figures(material, numbering)

    mark = SIMULATED if material.simulated else ""
    head = {**front.model_dump(exclude={"tables", "constants", "csl", "line_spacing", "authors"})}
    head |= {"author": front.authors, "mark": mark, "warning": WARNING, "leading": f"{front.line_spacing * 0.62:.2f}"}
    head = {key: list(value) if isinstance(value, tuple) else value for key, value in head.items() if value}
    if mark:
        body = _warned(body, path)
    body += "\n\n# References\n\n::: {#refs}\n:::\n"
    typst_text = _pandoc(
        f"{body}\n```{{=typst}}\n{exhibits_typst(tables, figures)}\n```\n", "typst", head, bibliography, style
    )
    plain = _pandoc(body, "gfm-raw_html", {}, bibliography, style).decode()
    docx_head = {key: head[key] for key in ("title", "author") if key in head}
    if mark:
        docx_head["subtitle"] = f"{mark}: {WARNING}"
    docx_text = _pandoc(_title_page(front) + body, "docx", docx_head, bibliography, style)

    from her2study.reporting.manuscript.word import docx_bytes

    title = f"# {front.title}\n\n" + (f"**{mark}: {WARNING}**\n\n" if mark else "")
    markdown = f"{title}{_title_page(front)}{plain}\n{exhibits_markdown(tables, figures, folder.parent)}"
    return {
        "manuscript.md": markdown.encode(),
        "manuscript.docx": docx_bytes(docx_text, front, tables, figures, mark),
        "manuscript.pdf": pdf_bytes(typst_text.decode(), figures),
    }


def _pandoc(text: str, to: str, head: dict, bibliography: Path, style: Path) -> bytes:
    """Run pandoc with the references resolved."""
    import pypandoc

    with tempfile.TemporaryDirectory() as scratch:
        told, out = Path(scratch) / "head.json", Path(scratch) / f"out.{to.partition('-')[0]}"
        told.write_text(json.dumps(head), encoding="utf-8")
        options = ["--citeproc", f"--bibliography={bibliography}", f"--csl={style}", f"--metadata-file={told}"]
        options += [
            f"--metadata=link-citations:{str(to != 'gfm-raw_html').lower()}",
            "--metadata=lang:en-GB",
            "--wrap=none",
        ]
        if to == "typst":
            options += [f"--template={_asset('manuscript.typ')}"]
        try:
            pypandoc.convert_text(text, to, format=READER, extra_args=options, outputfile=str(out))
        except RuntimeError as error:
            raise StudyError(f"pandoc could not read the text: {str(error).strip()}") from None
        return out.read_bytes()


def _warned(body: str, path: Path) -> str:
    """The abstract begins by saying whose patients these are."""
    lines = body.split("\n")
    for place, line in enumerate(lines):
        if line.lower().startswith("# abstract"):
            return "\n".join([*lines[: place + 1], "", f"**{SIMULATED}.** {WARNING}", *lines[place + 1 :]])
    raise StudyError(f"{path}: the text has no heading '# Abstract', which must say that the patients are simulated")


def _title_page(front: Front) -> str:
    parts = [f"*{front.article_type}*", front.affiliation]
    parts += [f"**Running title:** {front.running_title}"]
    parts += [f"**Keywords:** {', '.join(front.keywords)}"] if front.keywords else []
    return "\n\n".join(part for part in parts if part) + "\n\n"


def _style(path: Path, name: str) -> Path:
    """The file of a reference style: beside the program, or beside the manuscript."""
    own = path.with_name(f"{name}.csl")
    if own.is_file():
        return own
    known = {Path(item.name).stem: item for item in files(__package__).iterdir() if item.name.endswith(".csl")}
    if name not in known:
        raise StudyError(f"{path}: csl: unknown reference style {name!r}{nearest(name, known)}")
    return _asset(f"{name}.csl")


def _asset(name: str) -> Path:
    return Path(__file__).with_name(name)
