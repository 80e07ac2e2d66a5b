"""Planted values: all typed, all with a reason, mistakes named."""

import pytest
import yaml

from her2study.cohort.simulate import assumptions_table, load_assumptions
from her2study.types import StudyError
from tests.tiny import ROOT

PLANTED = ROOT / "papers" / "hong2025" / "assumptions.yml"


@pytest.fixture
def raw():
    return yaml.safe_load(PLANTED.read_text())


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "assumptions.yml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return path

    return write


def test_values_are_nested_by_group():
    planted = load_assumptions(PLANTED)
    assert planted.outcome.rim_sign in (-1, 1)
    assert planted.scanner.plane["D"] == "sagittal"
    assert planted.centres == ("A", "B", "C", "D")


def test_the_table_has_every_entry_with_its_reason_and_source(raw):
    table = assumptions_table(PLANTED)
    assert list(table.columns) == ["group", "name", "value", "unit", "reason", "source"]
    assert len(table) == sum(len(entries) for entries in raw.values())
    assert (table.drop(columns="unit").map(len) > 0).all(axis=None)
    planes = table.query("group == 'scanner' and name == 'plane'")["value"].item()
    assert planes == "A: axial; B: axial; C: axial; D: sagittal"


def test_an_unknown_entry_is_named_with_its_neighbour(raw, write):
    raw["outcome"]["log_nod"] = dict(raw["outcome"]["log_node"])
    with pytest.raises(StudyError, match=r"unknown entry 'outcome.log_nod'; did you mean 'log_node'\?"):
        load_assumptions(write(raw))


def test_a_missing_entry_is_named(raw, write):
    del raw["arterial_input"]["haematocrit"]
    with pytest.raises(StudyError, match=r"'arterial_input.haematocrit' is missing"):
        load_assumptions(write(raw))


def test_an_entry_without_its_reason_is_named(raw, write):
    del raw["outcome"]["rim"]["reason"]
    with pytest.raises(StudyError, match=r"outcome.rim lacks its 'reason'"):
        load_assumptions(write(raw))


def test_an_entry_with_an_unknown_part_is_named(raw, write):
    raw["outcome"]["rim"]["sauce"] = "mint"
    with pytest.raises(StudyError, match=r"outcome.rim has an unknown part 'sauce'; did you mean 'source'\?"):
        load_assumptions(write(raw))


def test_an_impossible_value_is_named(raw, write):
    raw["outcome"]["rim_sign"]["value"] = 3
    with pytest.raises(StudyError, match=r"outcome.rim_sign.*found 3"):
        load_assumptions(write(raw))


def test_a_centre_without_a_value_is_named(raw, write):
    del raw["scanner"]["gain"]["value"]["C"]
    with pytest.raises(StudyError, match="gain has no value for 'C'"):
        load_assumptions(write(raw))


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "not valid YAML"), ("- 1", "mapping of groups"), ("outcome: 3", "mapping of entries")],
)
def test_a_file_of_another_form_is_refused(tmp_path, text, message):
    path = tmp_path / "assumptions.yml"
    path.write_text(text)
    with pytest.raises(StudyError, match=message):
        load_assumptions(path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"assumptions.yml does not exist"):
        load_assumptions(tmp_path / "assumptions.yml")
