"""What makes a step due, and what does not: notebooks run in this process, without a kernel."""

import shutil

import pytest

from her2study.pipeline import fingerprint, node, open_chain, run_node, steps
from her2study.pipeline.chain import due_steps
from her2study.pipeline.notebook import read_code
from her2study.pipeline.records import first_difference, load_record, retire_absent
from her2study.pipeline.report import gather
from tests.tiny import TINY_NOTEBOOKS, TINY_TABLE


@pytest.fixture(autouse=True)
def without_kernel(monkeypatch):
    """Run the code of a notebook where we are, and let the report only read; the rest is the real thing."""

    def execute_notebook(chain, step):
        parameters, _, rest = read_code(chain.notebook(step)).partition("from her2study import")
        names = {}
        exec(parameters, names)
        exec("from her2study import" + rest, names | dict(step.parameters))
        done = chain.run.folder / "notebooks" / f"{step.name}.ipynb"
        done.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(chain.notebook(step), done)
        return {}

    monkeypatch.setattr(node, "_run_notebook", execute_notebook)

    def gather_only(chain):
        """The report reads all that it shows; its pages are another test's."""
        gather(chain)
        return {}

    monkeypatch.setattr(steps, "report", gather_only)


def run_all(project, profile="full"):
    """Run every step that is due, in order, as Snakemake would with a mtime cascade; names of those that ran."""
    chain = open_chain("tiny", profile, str(project.data))
    retire_absent(chain)
    before = {name: load_record(chain, name) for name in chain.nodes}
    for step in chain.nodes.values():
        run_node(chain, step)
    return [name for name in chain.nodes if load_record(chain, name) != before[name]]


@pytest.fixture
def done(project):
    """The tiny study with images, run once."""
    project.images()
    assert len(run_all(project)) == 15
    return project


def test_nothing_is_due_after_a_run(done):
    assert run_all(done) == []


@pytest.mark.parametrize(
    ("section", "key", "value", "expected"),
    [
        ("network", "epochs", 5, {"04_dscore_fold_0", "04_dscore_fold_1", "05_dscore", "08_combined"}),
        ("clinical", "keep_p", 0.01, {"07_clinical", "08_combined"}),
        ("statistics", "bootstrap", 50, None),  # no tiny notebook names it
    ],
)
def test_a_setting_reruns_what_it_touches(done, section, key, value, expected):
    done.settings(lambda settings: settings[section].update({key: value}))
    always = {"09_evaluation", "10_explanation"}  # they read every prediction; 11 reads their values, which stay
    shown = {"tables", "report"}  # the report shows every setting
    assert set(run_all(done)) == (expected | always if expected else set()) | shown


def test_the_reason_names_the_setting(done):
    done.settings(lambda settings: settings["network"].update(epochs=5))
    reasons = due_steps(open_chain("tiny", "full", str(done.data)))
    assert reasons["04_dscore_fold_1"] == "setting network.epochs changed"


def test_same_outputs_stop_the_cascade(done):
    done.notebook("01_cohort", TINY_NOTEBOOKS["01_cohort"] + "\nunused = 1")
    assert run_all(done) == ["01_cohort", "report"]  # which shows the notebook and its time


def test_a_comment_reruns_nothing(done):
    done.notebook("01_cohort", "# the same, explained\n" + TINY_NOTEBOOKS["01_cohort"])
    assert run_all(done) == []


def test_a_changed_source_table_reruns_by_content_of_what_follows(done):
    (done.data / "clinical.csv").write_text(TINY_TABLE + "p11,B,no,53\n")
    ran = run_all(done)
    assert "01_cohort" in ran
    assert "11_claims" in ran


def test_a_damaged_artefact_is_made_again(done):
    whole = (done.results / "radiomics.parquet").read_bytes()
    (done.results / "radiomics.parquet").write_bytes(whole[:-1])
    assert run_all(done) == ["03_radiomics", "report"]
    assert (done.results / "radiomics.parquet").read_bytes() == whole


def test_a_touched_artefact_is_not(done):
    (done.results / "radiomics.parquet").touch()
    assert run_all(done) == []


def test_an_artefact_that_was_asked_for_counts_when_it_appears(project):
    run_all(project)
    assert not (project.results / "radiomics.parquet").exists()
    project.images()
    ran = run_all(project)
    assert "06_baselines" in ran  # it had asked for radiomics and found none
    assert "07_clinical" not in ran


def test_steps_that_are_gone_take_their_results_with_them(done):
    done.settings(lambda settings: settings["split"].update(folds=3))
    run_all(done)
    assert (done.results / "fold_2_scores.parquet").exists()
    done.settings()
    run_all(done)
    assert not (done.results / "fold_2_scores.parquet").exists()
    assert (done.results / "fold_1_scores.parquet").exists()


def test_what_a_notebook_no_longer_writes_is_removed(done):
    done.notebook("03_radiomics", TINY_NOTEBOOKS["03_radiomics"].replace('"radiomics"', '"features"', 1))
    chain = open_chain("tiny", "full", str(done.data))
    run_node(chain, chain.nodes["03_radiomics"])
    assert (done.results / "features.parquet").exists()
    assert not (done.results / "radiomics.parquet").exists()


def test_another_package_version_is_a_reason(done, monkeypatch):
    real = fingerprint._installed
    monkeypatch.setattr(fingerprint, "_installed", lambda name: "9.9" if name == "pandas" else real(name))
    reasons = due_steps(open_chain("tiny", "full", str(done.data)))
    assert "pandas" in reasons["01_cohort"]


def test_a_change_of_code_reruns_what_imports_it(done, monkeypatch):
    real = fingerprint._module_digest
    changed = {"her2study.reporting.figures": "recoloured"}
    monkeypatch.setattr(fingerprint, "_module_digest", lambda module: changed.get(module) or real(module))
    assert run_all(done) == ["figures", "report"]
    changed["her2study.store"] = "changed"
    assert "01_cohort" in run_all(done)


def test_a_footnote_prints_the_tables_again_and_no_other_result(done, monkeypatch):
    real = fingerprint._module_digest
    changed = {"her2study.reporting.printed.explained": "reworded"}
    monkeypatch.setattr(fingerprint, "_module_digest", lambda module: changed.get(module) or real(module))
    assert set(run_all(done)) - {"report"} == {"tables"}


def test_a_table_that_appears_is_printed_and_one_that_goes_takes_its_files_with_it(done):
    tables = done.results / "tables"
    assert sorted(path.name for path in tables.glob("shap_ranking.*")) == [
        f"shap_ranking.{kind}" for kind in ("csv", "docx", "tex")
    ]
    done.notebook("11_claims", TINY_NOTEBOOKS["11_claims"] + '\nrun.save_table("mine", run.load_table("performance"))')
    run_all(done)
    assert (tables / "mine.docx").is_file()
    done.notebook("11_claims", TINY_NOTEBOOKS["11_claims"])
    run_all(done)
    assert not list(tables.glob("mine.*"))


def test_first_difference_names_the_place():
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 2}}) == "a.b"
    assert first_difference({"a": [1, 2]}, {"a": [2, 1]}) == "a"
    assert first_difference({"a": 1}, {"a": 1, "c": None}) == "c"
    assert first_difference({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}) == "a"
    assert first_difference({}, {}) is None
