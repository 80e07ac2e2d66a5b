import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from her2study.reporting.checklists import CHECKLISTS, Evidence, checklist_frame, checklist_html, checklist_markdown
from her2study.reporting.checklists.filled import ANSWERED, NOT_APPLICABLE, OPEN, checklist, fill
from her2study.reporting.legends import figure_order, table_order
from her2study.study import load_study
from her2study.types import StudyError

ITEMS = [(name, item) for name in CHECKLISTS for item in checklist(name)["items"]]

HUMAN = {
    "tripod_ai": "1 2 3a 3b 3c 5b 8b 8c 9c 14 17 18a 18b 18c 18d 18e 19 25 26 27a 27b 27c".split(),
    "claim": "1 2 3 11 14 15 16 17 34 40 41 42 43 44".split(),
}
"""Items that no artefact can answer: ethics, funding, registration, involvement, who read, what it means."""


def places(item):
    return [*item.get("answered", []), *item.get("also", [])]


def settings():
    return load_study("hong2025", "smoke").model_dump(mode="json")


@pytest.fixture
def everything(tmp_path) -> Evidence:
    """Empty files in every place that any item names."""
    results, project = tmp_path / "results", tmp_path / "project"
    folder = project / "papers" / "hong2025"
    roots = {"file": results, "study": folder, "project": project}
    for _, item in ITEMS:
        for kind, _, name in (place.partition(":") for place in places(item)):
            path = {
                "table": results / "tables" / f"{name}.csv",
                "figure": results / "figure_data" / f"{name}.parquet",
                "notebook": results / "notebooks" / f"{name}.ipynb",
            }.get(kind) or roots.get(kind, tmp_path / "other") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (results / "qc.parquet").touch()
    return Evidence(results, settings(), folder)


def test_the_numbers_are_those_of_the_published_checklists():
    tripod = [item["item"] for item in checklist("tripod_ai")["items"]]
    assert len(tripod) == len(set(tripod)) == 52
    assert list(dict.fromkeys(int(item.rstrip("abcdefg")) for item in tripod)) == list(range(1, 28))
    assert [item for item in tripod if item.startswith("12")] == [f"12{letter}" for letter in "abcdefg"]
    assert [item["item"] for item in checklist("claim")["items"]] == [str(n) for n in range(1, 45)]


@pytest.mark.parametrize(("name", "item"), ITEMS, ids=[f"{name}-{item['item']}" for name, item in ITEMS])
def test_an_item_is_either_answered_by_artefacts_or_open_for_people(name, item):
    assert set(item) <= {"item", "section", "topic", "asks", "answered", "also", "says", "open", "unless"}
    assert ("open" in item) != ("answered" in item)
    assert ("answered" in item) == ("says" in item)
    assert item["asks"].endswith((".", "?"))
    known = {"table": set(table_order()), "figure": set(figure_order())}
    for kind, _, stem in (place.partition(":") for place in places(item)):
        assert stem in known.get(kind, {stem}), f"{kind} {stem} is unknown"


@pytest.mark.parametrize("name", CHECKLISTS)
def test_what_only_people_can_answer_is_never_ticked(name, everything):
    found = {answer.item: answer for answer in fill(name, everything)}
    for item in HUMAN[name]:
        assert found[item].status == OPEN
        assert found[item].text.startswith("open: for the authors")


@pytest.mark.parametrize("name", CHECKLISTS)
def test_every_other_item_is_answered_where_everything_exists(name, everything):
    for answer, item in zip(fill(name, everything), checklist(name)["items"], strict=True):
        assert answer.status == (OPEN if "open" in item else ANSWERED)


def test_removing_an_artefact_opens_every_item_that_rests_on_it(everything):
    for name, item in ITEMS:
        for place in item.get("answered", []):
            kind, _, stem = place.partition(":")
            if kind == "setting":
                without = Evidence(everything.results, _without(everything.settings, stem), everything.study_folder)
                assert _status(name, item, without) == OPEN, place
                continue
            path = _path(everything, kind, stem)
            path.rename(path.with_suffix(".away"))
            assert _status(name, item, everything) == OPEN, place
            assert everything.label(place) in _answer(name, item, everything).text
            path.with_suffix(".away").rename(path)
            assert _status(name, item, everything) == ANSWERED


def _answer(name, item, evidence):
    fresh = Evidence(evidence.results, evidence.settings, evidence.study_folder)
    return next(answer for answer in fill(name, fresh) if answer.item == item["item"])


def _status(name, item, evidence):
    return _answer(name, item, evidence).status


def _path(evidence, kind, name) -> Path:
    folder = {
        "table": evidence.results / "tables" / f"{name}.csv",
        "figure": evidence.results / "figure_data" / f"{name}.parquet",
        "notebook": evidence.results / "notebooks" / f"{name}.ipynb",
        "project": evidence.study_folder.parents[1] / name,
    }
    return folder.get(kind, evidence.results / name)


def _without(value, name):
    head, _, rest = name.partition(".")
    return {k: _without(v, rest) if k == head and rest else v for k, v in value.items() if k != head or rest}


def test_without_images_items_about_images_do_not_apply(everything):
    shutil.rmtree(everything.results / "notebooks")
    (everything.results / "qc.parquet").unlink()
    found = {answer.item: answer for answer in fill("claim", Evidence(everything.results, settings()))}
    assert found["22"].status == NOT_APPLICABLE
    assert found["22"].text == "not applicable because the study has no images and no network"
    assert found["19"].status == OPEN, "its notebook is gone, and images have nothing to do with it"


def test_pages_of_figures_and_folds_of_notebooks_count(tmp_path):
    (tmp_path / "figure_data").mkdir()
    (tmp_path / "notebooks").mkdir()
    for name in ("figure_data/montage_all_2.parquet", "figure_data/montage_all_1.parquet",
                 "notebooks/04_dscore_fold_0.ipynb"):  # fmt: skip
        (tmp_path / name).touch()
    evidence = Evidence(tmp_path, {})
    assert evidence.address("figure:montage_all") == "figures/montage_all_1.html"
    assert evidence.address("notebook:04_dscore_fold") == "notebooks/04_dscore_fold_0.html"
    assert not evidence.exists("figure:montage")
    assert evidence.address("figure:montage") == evidence.address("file:values.json") == ""
    assert evidence.address("page:model card") == "model-card.html"
    assert not evidence.exists("page:model card")


def test_settings_that_say_nothing_do_not_count():
    evidence = Evidence(Path("nowhere"), {"a": {"none": None, "empty": [], "off": False, "zero": 0}})
    assert [evidence.exists(f"setting:a.{key}") for key in ("none", "empty", "off", "zero", "b")] == [
        False, False, True, True, False,
    ]  # fmt: skip
    assert not evidence.exists("study:claims.yml")


def test_an_unknown_place_or_checklist_is_refused():
    with pytest.raises(StudyError, match="'picture:roc' is no place"):
        Evidence(Path("nowhere"), {}).exists("picture:roc")
    with pytest.raises(StudyError, match=r"unknown checklist 'tripod'.*did you mean 'tripod_ai'"):
        fill("tripod", Evidence(Path("nowhere"), {}))


def test_only_pages_that_exist_are_linked(everything):
    html = checklist_html("tripod_ai", everything, {"tables/baseline.html"}, root="../")
    assert html.count("<a href=") == html.count("<a href='../tables/baseline.html'>") > 0
    assert "<a href=" not in checklist_html("tripod_ai", everything)
    assert html.count("<tr id=") == 52
    assert "SIMULATED PATIENTS" in html


def test_real_patients_are_not_called_simulated(everything):
    real = Evidence(everything.results, settings() | {"source": {"kind": "folder"}}, everything.study_folder)
    assert "SIMULATED" not in checklist_markdown("claim", real) + checklist_html("claim", real)
    assert "SIMULATED PATIENTS" in checklist_markdown("claim", everything)


def test_frame_and_markdown_have_a_row_an_item(everything):
    frame = checklist_frame("claim", everything)
    assert list(frame["item"]) == [str(n) for n in range(1, 45)]
    assert set(frame["status"]) == {ANSWERED, OPEN}
    rows = [line for line in checklist_markdown("claim", everything).splitlines() if line.startswith("| ")]
    assert len(rows) == 45
    assert all(row.count(" | ") == 3 for row in rows)


def test_files_say_that_questions_are_paraphrased():
    for name in CHECKLISTS:
        about = checklist(name)
        assert about["doi"].startswith("10.")
        assert "20" in about["citation"]
        source = Path(checklist_frame.__globals__["__file__"]).parent / f"{name}.yml"
        head = source.read_text(encoding="utf-8").partition("name:")[0]
        assert "paraphrase in our own words" in head.replace("\n# ", " ")
        assert yaml.safe_load(source.read_text(encoding="utf-8")) == about


class TestFinishedRun:
    """Of the smoke runs: every place that an answer rests on is there, or the item is open and says why."""

    def evidence(self, root, name):
        study = load_study(name, "smoke")
        return Evidence(root / f"{name}-smoke", study.model_dump(mode="json"), study.folder)

    def test_simulated_study(self, finished):
        evidence = self.evidence(finished, "hong2025")
        for name, item in ITEMS:
            missing = [place for place in item.get("answered", []) if not evidence.exists(place)]
            assert not missing, f"{name} {item['item']}: {missing}"
            assert _status(name, item, evidence) == (OPEN if "open" in item else ANSWERED)

    def test_public_cohort_without_images(self, finished_public):
        evidence = self.evidence(finished_public, "mamamia")
        claim = {answer.item: answer.status for answer in fill("claim", evidence)}
        assert [item for item in claim if claim[item] == NOT_APPLICABLE] == ["9", "10", "22", "24", "25", "27", "39"]
        assert claim["37"] == ANSWERED
        frame = pd.concat([checklist_frame(name, evidence) for name in CHECKLISTS])
        assert not frame["text"].str.contains("SIMULATED").any()
