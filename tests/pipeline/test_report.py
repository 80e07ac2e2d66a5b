"""The report as a step of the chain: from finished results only, whole or not at all, and due when it must be."""

import hashlib
import shutil

import pytest

from her2study.pipeline import fingerprint, open_chain, report, steps
from her2study.pipeline.fingerprint import STEP_CODE, looks_of
from her2study.study import Study
from her2study.types import StudyError
from tests.reporting.site.crawl import broken


@pytest.fixture
def chain(project, monkeypatch):
    """A study of which nothing but a table exists, taken for finished."""
    monkeypatch.setattr("her2study.pipeline.finished.reason_to_run", lambda chain, node: None)
    chain = open_chain("tiny", "full", str(project.data))
    (chain.run.folder / "tables").mkdir(parents=True)
    (chain.run.folder / "tables" / "mine.csv").write_text("n,patients\n5,real\n")
    return chain


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_pages_of_whatever_exists_appear_whole_and_are_replaced(chain):
    out = chain.run.folder / "report"
    written = steps.report(chain)
    assert {"report/index.html", "report/tables/mine.html"} <= set(written)
    assert broken(out) == []
    first = digests(out)
    (out / "index.html").write_text("changed by hand")
    (out / "old.html").write_text("of an earlier run")
    steps.report(chain)
    assert digests(out) == first


def test_a_failure_leaves_the_last_report_as_it_was(chain, monkeypatch):
    steps.report(chain)
    out = chain.run.folder / "report"
    first = digests(out)

    def fail(content, folder):
        (folder / "index.html").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "build_site", fail)
    with pytest.raises(StudyError, match="no space left on the disk"):
        steps.report(chain)
    assert digests(out) == first
    assert {path.name for path in out.parent.iterdir() if "report" in path.name} == {"report"}


def test_unfinished_results_are_refused_with_the_command_that_finishes_them(project):
    chain = open_chain("tiny", "full", str(project.data))
    with pytest.raises(StudyError, match=r"01_cohort: has not run yet.*make reproduce STUDY=tiny"):
        steps.report(chain)
    assert not (chain.run.folder / "report").exists()


def test_it_depends_on_every_setting_and_on_every_template(chain):
    node = chain.nodes["report"]
    made_from = fingerprint.fingerprint(chain, node)
    assert set(made_from["settings"]) == set(Study.model_fields) - {"folder"}
    for name in ("templates/base.html", "assets/report.css", "assets/report.js"):
        assert f"her2study/reporting/site/{name}" in made_from["code"]
    assert "her2study/reporting/legends.yml" in made_from["code"]


def test_word_lists_and_templates_count_but_not_what_python_leaves_behind():
    found = looks_of(["her2study.reporting.site.build"])
    assert found
    assert not [name for name in found if "__pycache__" in name or name.endswith(".py")]
    assert looks_of(["her2study.study"]) == {}


def test_every_plain_step_says_what_it_depends_on(chain):
    assert {node.stage for node in chain.nodes.values() if not node.notebook} <= set(STEP_CODE)


def test_a_missing_figure_file_makes_no_broken_page(chain):
    import pandas as pd

    chain.run.save_figure_data("roc", pd.DataFrame({"split": ["external"], "model": ["a"], "fpr": [0.0], "tpr": [0.0],
                                                    "auc": [0.5], "auc_low": [0.4], "auc_high": [0.6]}))  # fmt: skip
    steps.report(chain)
    assert broken(chain.run.folder / "report") == []
    assert not (chain.run.folder / "report" / "figures.html").exists()
    shutil.rmtree(chain.run.folder / "report")
