"""From a spreadsheet and scans to the report with no code: new, validate, what validate asks for, reproduce."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.hospital import planted_ward, scans, ward
from tests.hospital.judge import errors, read_findings
from tests.hospital.running import Place
from tests.hospital.sheets import Sheet
from tests.imaging.patients import mask_path, phase_path, save


def with_times(sheet: Sheet) -> Sheet:
    """The radiographers' column: seconds of each phase."""
    sheet.headers.append(("times", "acquisition_times", ""))
    for row in sheet.rows:
        row["times"] = f"'{scans.TIMES}" if row.get("site") else ""
    return sheet


@pytest.mark.slow
def test_from_spreadsheet_to_report(tmp_path, capsys):
    place, data = Place(tmp_path), tmp_path / "data"
    data.mkdir()
    patients = [row["id"] for row in ward.sheet().rows]
    scans.write_images(data, patients)
    mask = mask_path(data, "XH-003")
    save(mask, (scans.phantom(2)[1])[::-1], scans.AFFINE)  # turned left to right
    phase_path(data, "PD-007", 1).unlink()

    # as the hospital sent it
    dirty = planted_ward.dirty(ward.sheet(), spared="a reading that one centre never made")  # it would hide spellings
    with_times(dirty).to_xlsx(data / "patients.xlsx", "患者")
    assert place.call("new", "ours", "--table", data / "patients.xlsx", "--data", data) == 0
    assert place.call("validate", "ours", "--data", data) == 1
    asked = read_findings(tmp_path / "results", "ours")
    assert {"5O", "4+", "yse", "3.1x2.2"} <= set(asked.loc[asked["severity"] == "error", "value"].str.strip("'"))
    assert place.call("reproduce", "--study", "ours", "--profile", "smoke", "--data", data) != 0

    # the cells that validate named, mended in the spreadsheet; study.yml as new wrote it
    with_times(ward.sheet()).to_xlsx(data / "patients.xlsx", "患者")
    place.call("validate", "ours", "--data", data)
    asked = read_findings(tmp_path / "results", "ours")
    assert errors(asked) == []
    unfit = asked[asked["area"].isin(["masks", "phases"]) & asked["patient"].ne("")]
    assert {"XH-003", "PD-007"} <= set(unfit["patient"])

    capsys.readouterr()
    assert place.call("reproduce", "--study", "ours", "--profile", "smoke", "--data", data) == 0, capsys.readouterr()
    results = tmp_path / "results" / "ours-smoke"
    assert (results / "report" / "index.html").is_file()
    flow = pd.read_csv(results / "tables" / "cohort_flow.csv")
    assert flow.loc[flow["label"].str.contains("mirrored|phase missing"), "n"].tolist() == [1, 1]
    performance = pd.read_csv(results / "tables" / "performance.csv")
    assert np.isfinite(performance["auc"]).any()
