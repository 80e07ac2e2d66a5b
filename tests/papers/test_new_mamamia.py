"""MAMA-MIA's table, unaided, gives the study that was written by hand; what differs is listed here."""

from pathlib import Path

import pandas as pd
import pytest

from her2study.cohort import flow, schema
from her2study.cohort.sources import read_table
from her2study.pipeline.new import Request, new_study
from her2study.study import load_study
from tests.tiny import ROOT

REAL = ROOT.parent / "shared" / "data" / "mamamia"

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"the public MAMA-MIA table is not here ({REAL})")

SECTIONS = {
    ("centres", "names"): "printed names are the collections' own spelling",
    ("network", "widths"): "the smaller network of hong2025, for a few hundred patients",
    ("network", "layers"): "the same",
    ("network", "learning_rate"): "the same",
    ("network", "noise"): "the same",
    ("network", "objective"): "the same",
    ("network", "learned_share"): "the same",
}
"""Settings that differ, and why; name, title, seed and paper are the owner's."""

VARIABLES = {
    ("breast_implant", None): "left out by hand; `new` knows no reason to",
    ("histological_grade", "label"): "Nottingham grade by hand",
}
"""Variables that differ in more than their plausible range, which was not written by hand."""


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    papers = tmp_path_factory.mktemp("papers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HER2STUDY_PAPERS", str(papers))
        facts = new_study(Request("ours", REAL / "clinical_and_imaging_info.xlsx", joins=("tumour_measures.csv",)))
        ours = load_study("ours")
        patch.setenv("HER2STUDY_PAPERS", str(ROOT / "papers"))
        return load_study("mamamia"), ours, facts


def test_settings_are_those_written_by_hand_but_for_a_list(studies):
    by_hand, ours, facts = studies
    theirs, mine = by_hand.model_dump(), ours.model_dump()
    differ = {
        (section, key)
        for section in theirs.keys() - {"name", "title", "seed", "paper", "variables", "folder", "simulation"}
        for key in (theirs[section] if isinstance(theirs[section], dict) else [])
        if theirs[section][key] != mine[section][key]
    }
    assert differ == set(SECTIONS)
    assert theirs["exclusions"] == mine["exclusions"]
    assert facts["questions"] == []


def test_variables_are_those_written_by_hand_but_for_a_list(studies):
    by_hand, ours, _ = studies
    theirs, mine = by_hand.model_dump()["variables"], ours.model_dump()["variables"]
    differ = {(name, None) for name in theirs.keys() ^ mine.keys()}
    differ |= {
        (name, key)
        for name in theirs.keys() & mine.keys()
        for key in theirs[name]
        if key != "plausible" and theirs[name][key] != mine[name][key]
    }
    assert differ == set(VARIABLES)
    assert set(by_hand.candidates) == set(ours.candidates) - {"breast_implant"}


def test_every_patient_has_the_same_values_and_leaves_for_the_same_reason(studies):
    frames, left = zip(*(_cohort(study, REAL) for study in studies[:2]), strict=True)
    pd.testing.assert_frame_equal(left[0], left[1])
    pd.testing.assert_frame_equal(frames[0], frames[1][list(frames[0])])


def _cohort(study, folder: Path):
    table = read_table(folder, study.source, study.folder)
    included, excluded = flow.apply_exclusions(table, study.exclusions, study.outcome, study.source)
    return schema.typed_cohort(included, study.source, study.outcome, study.centres, study.variables), excluded
