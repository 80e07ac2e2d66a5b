import pandas as pd
import pytest

from her2study.reporting.checklists import Evidence, write_checklists
from her2study.study import load_study

CLINICAL = {
    "null_model": True,
    "terms": [],
    "variables": {},
    "thresholds": {"youden": 0.3},
    "training": {"fingerprint": "f" * 64, "patients": 40, "positives": 12},
    "missing_values": "median",
    "method": "maximum likelihood",
}


@pytest.fixture
def evidence(tmp_path):
    study = load_study("hong2025", "smoke")
    return Evidence(tmp_path / "results", study.model_dump(mode="json"), study.folder)


def test_every_document_is_written_and_marked(evidence, tmp_path):
    written = write_checklists(tmp_path / "out", evidence, {}, {}, {"clinical": CLINICAL})
    names = ["claim.csv", "claim.md", "data_sheet.md", "model_card.md", "tripod_ai.csv", "tripod_ai.md"]
    assert [path.name for path in written] == names
    for path in written:
        assert "SIMULATED" in path.read_text(encoding="utf-8")
    frame = pd.read_csv(tmp_path / "out" / "claim.csv", dtype=str)
    assert len(frame) == 44
    assert set(frame["patients"]) == {"SIMULATED"}
    assert set(frame["status"]) == {"open", "not applicable"}, "nothing exists, so nothing is answered"


def test_the_same_evidence_gives_the_same_bytes(evidence, tmp_path):
    first = write_checklists(tmp_path / "a", evidence, {}, {}, {"clinical": CLINICAL})
    second = write_checklists(tmp_path / "b", evidence, {}, {}, {"clinical": CLINICAL})
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_without_a_frozen_model_there_is_no_card(evidence, tmp_path):
    names = {path.name for path in write_checklists(tmp_path / "out", evidence, {}, {}, {})}
    assert "model_card.md" not in names
    assert "data_sheet.md" in names
