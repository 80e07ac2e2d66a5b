"""The simulated study's own table, given to `new`, gives the study that was written by hand."""

import pytest

from her2study.pipeline.new import Request, new_study
from her2study.study import load_study
from tests.tiny import ROOT


def test_the_simulated_table_gives_its_own_study(finished, tmp_path, monkeypatch):
    data = finished / "hong2025-smoke" / "source"
    monkeypatch.setenv("HER2STUDY_PAPERS", str(tmp_path))
    facts = new_study(Request("ours", data / "clinical.csv", data=data))
    ours = load_study("ours")
    monkeypatch.setenv("HER2STUDY_PAPERS", str(ROOT / "papers"))
    by_hand = load_study("hong2025")
    assert ours.simulated
    assert facts["questions"] == []
    assert ours.variables.keys() == by_hand.variables.keys()
    for name, variable in by_hand.variables.items():
        mine = ours.variables[name].model_copy(update={"plausible": None, "column": None})
        assert mine == variable.model_copy(update={"plausible": None}), name
    assert (ours.centres.development, ours.centres.external) == (("A", "B"), ("C", "D"))
    rules = [(rule.column, set(rule.model_dump()["values"]), rule.missing) for rule in by_hand.exclusions]
    assert [(rule.column, set(rule.model_dump()["values"]), rule.missing) for rule in ours.exclusions] == rules
    assert ours.network.mass_reading == by_hand.network.mass_reading == "lesion_type"
    assert facts["with_images"] == len(list((data / "images").iterdir()))


@pytest.mark.parametrize("profile", ["full", "smoke", "permuted"])
def test_every_profile_that_is_written_loads(finished, tmp_path, monkeypatch, profile):
    data = finished / "hong2025-smoke" / "source"
    monkeypatch.setenv("HER2STUDY_PAPERS", str(tmp_path))
    new_study(Request("ours", data / "clinical.csv", data=data))
    assert load_study("ours", profile).profile == profile
