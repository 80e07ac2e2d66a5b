"""`her2study manuscript`: the texts of both studies, and what it does with results that are not there."""

from __future__ import annotations

import os
import re

import pytest

from her2study.cli import main
from her2study.pipeline import open_chain
from her2study.pipeline.manuscript import write_manuscript
from her2study.reporting.manuscript import language
from her2study.reporting.manuscript.citations import check_citations
from her2study.reporting.manuscript.front import read_front
from her2study.reporting.manuscript.typed import check_typed
from her2study.types import StudyError
from tests.tiny import ROOT

STUDIES = ("hong2025", "mamamia")


@pytest.mark.parametrize("study", STUDIES)
def test_the_texts_are_sound_before_there_is_any_result(study):
    path = ROOT / "papers" / study / "manuscript.md"
    front, source = read_front(path)
    tree = language.parse(source, path)
    check_typed(tree, path, front.constants)
    check_citations(source, path, path.with_name("references.bib"))
    for heading in ("Abstract", "Introduction", "Material and Methods", "Results", "Discussion", "Statements"):
        assert f"\n# {heading}\n" in source
    for part in ("Ethics.", "Data and code availability.", "Reporting guideline."):
        assert f"**{part}**" in source


@pytest.mark.parametrize("study", STUDIES)
def test_every_reference_can_be_found(study):
    text = (ROOT / "papers" / study / "references.bib").read_text(encoding="utf-8")
    entries = re.split(r"(?m)^(?=@)", text)[1:]
    for entry in entries:
        assert re.search(r"title = \{\{.+\}\}", entry)
        assert re.search(r"year = \{(19|20)\d\d\}", entry)
        assert "journal = {" in entry or "booktitle = {" in entry
    identified = [entry for entry in entries if re.search(r"doi = \{10\.\d{4,5}/\S+\}", entry)]
    assert len(identified) >= len(entries) - 3  # books of proceedings and one old journal have none


def test_unfinished_results_are_refused_with_the_command_that_mends_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HER2STUDY_RESULTS", str(tmp_path))
    assert main(["manuscript", "--profile", "smoke"]) == 2
    told = capsys.readouterr().err
    assert "the results are not finished" in told
    assert "make reproduce PROFILE=smoke" in told
    assert not (tmp_path / "hong2025-smoke" / "manuscript").exists()


@pytest.fixture
def smoke(finished, monkeypatch):
    monkeypatch.setenv("HER2STUDY_RESULTS", str(finished))
    return open_chain("hong2025", "smoke")


def test_the_paper_is_written_from_finished_results(smoke, tmp_path, monkeypatch):
    monkeypatch.setattr(smoke.run, "folder", _linked(smoke.run.folder, tmp_path))
    started = sum(os.times()[:4])
    paths = write_manuscript(smoke)
    seconds = sum(os.times()[:4]) - started
    assert [path.name for path in paths] == ["manuscript.md", "manuscript.docx", "manuscript.pdf"]
    assert seconds < 30  # of a processor, pandoc's included: other tests run beside this one
    text = paths[0].read_text(encoding="utf-8")
    values = smoke.run.load_json("values")
    assert values["difference_combined_clinical_external"]["text"] in text
    assert f"{values['patients_screened']['value']} simulated patients" in text
    assert "SIMULATED" in text
    assert not re.search(r"\{\{|\}\}|\bnan\b|\bNone\b", text)
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_manuscript(smoke)] == before


def test_nothing_is_half_written(smoke, tmp_path, monkeypatch):
    folder = _linked(smoke.run.folder, tmp_path)
    (folder / "figures").unlink()
    (folder / "figures").mkdir()
    monkeypatch.setattr(smoke.run, "folder", folder)
    with pytest.raises(StudyError, match=r"\.png is missing; draw the figures again"):
        write_manuscript(smoke)
    assert not (folder / "manuscript").exists()


def test_real_patients_have_a_text_of_their_own(finished_public, tmp_path, monkeypatch):
    from tests.finished import public_data

    monkeypatch.setenv("HER2STUDY_RESULTS", str(finished_public))
    chain = open_chain("mamamia", "smoke", public_data())
    monkeypatch.setattr(chain.run, "folder", _linked(chain.run.folder, tmp_path))
    text = write_manuscript(chain)[0].read_text(encoding="utf-8")
    assert "SIMULATED" not in text
    assert "Images were not part of this analysis" in text


def _linked(results, tmp_path):
    """A results folder that shows another one's files, so that nothing is written into the shared run."""
    folder = tmp_path / results.name
    folder.mkdir()
    for part in results.iterdir():
        if part.name != "manuscript":
            (folder / part.name).symlink_to(part)
    return folder
