"""The one-page sheet: what stands on it, on one page, in any script."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from her2study.explain.saliency.planes import planes
from her2study.models.apply.patients import NewPatients, read_new_patients
from her2study.models.apply.scores import score_patients
from her2study.reporting.patient_sheet import content_of, write_overlay, write_sheet
from her2study.reporting.patient_sheet.index_page import index_page
from her2study.reporting.patient_sheet.page import HEIGHT_MM, WIDTH_MM, sheet_style
from her2study.reporting.patient_sheet.sheet import draw_sheet
from tests.models.apply.hospital import PATIENTS, bundle_of, hospital


def content(tmp_path, table=PATIENTS, patient="P3", cut=(), bundle=None, told=()):
    """The sheet of one patient of a table without scans."""
    bundle = bundle or bundle_of(0)
    new = read_new_patients(bundle, hospital(tmp_path / "new", table, scans=()))
    applied = score_patients(bundle, NewPatients(new.table, new.findings, None))
    (row,) = applied.scores[applied.scores["patient_id"] == patient].to_dict("records")
    flags = pd.concat([applied.flags, pd.DataFrame(told, columns=list(applied.flags))])
    return content_of(bundle, row, applied.contributions, flags, cut)


def pictures():
    away = sum((axis - 8) ** 2 for axis in np.indices((17, 17, 17)))
    return planes(np.exp(-away / 30), away - 40.0, away < 20, (1.5, 1.5, 1.5))


def texts(drawn):
    """All text of a sheet, spaces joined."""
    with sheet_style():
        figure = draw_sheet(drawn)
        figure.draw_without_rendering()
        found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
        inside = [one.get_window_extent().transformed(figure.transFigure.inverted()) for one in found if one.get_text()]
    assert all(box.x0 >= 0 and box.x1 <= 1 and box.y0 >= 0 and box.y1 <= 1 for box in inside)
    assert figure.get_size_inches() * 25.4 == pytest.approx((WIDTH_MM, HEIGHT_MM))
    return " ".join(" ".join(one.get_text().split()) for one in found)


def test_the_answer_stands_with_interval_model_thresholds_and_drivers(tmp_path):
    drawn = content(tmp_path)
    words = texts(drawn)
    shown = 100 / (1 + np.exp(3 - 0.7 - 1.1 * np.log(12)))
    assert f"{shown:.0f}%" in words
    assert "Clinical model" in words
    assert "▲ at or above 30%" in words
    assert "+0.70" in words  # rim against the typical patient's none
    assert "SIMULATED" in words
    assert "Every predictor is known and inside the training range" in words


def test_real_patients_are_not_called_simulated(tmp_path):
    from dataclasses import replace

    assert "SIMULATED" not in texts(content(tmp_path, bundle=replace(bundle_of(0), simulated=False)))


def test_flags_that_find_no_room_are_counted(tmp_path):
    told = [("P3", "quality", "", f"something odd number {i}, told at some length for the reader") for i in range(60)]
    words = texts(content(tmp_path, cut=pictures(), told=told))
    assert "something odd number 0," in words
    more = int(re.search(r"and (\d+) more, see flags.csv", words)[1])
    assert f"number {59 - more}," in words
    assert f"number {60 - more}," not in words


def test_a_patient_whom_no_model_can_score_has_a_sheet_that_says_so(tmp_path):
    drawn = content(tmp_path, bundle=bundle_of(2, logistic={}, thresholds={}))
    words = texts(drawn)
    assert "No answer" in words
    assert "no scans" in words
    assert drawn.predicted == "No model could answer"


def test_the_pdf_has_one_page_and_the_same_bytes_again(tmp_path):
    drawn = content(tmp_path, PATIENTS.replace({"P3": "张伟 ß/3 \U0001f600"}), "张伟 ß/3 \U0001f600", pictures())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("a", "b"):
            write_sheet(drawn, tmp_path / f"{name}.pdf")
            write_overlay(drawn, tmp_path / f"{name}.png")
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert re.findall(rb"/Type /Pages.*?/Count (\d+)|/Count (\d+)", pdf, re.DOTALL)[0] in ((b"1", b""), (b"", b"1"))
    assert pdf == (tmp_path / "b.pdf").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_list_links_every_patient_and_escapes_what_tables_hold(tmp_path):
    drawn = content(tmp_path, PATIENTS.replace({"P3": "<b>P3"}), "<b>P3")
    html = index_page({"_b_P3": drawn}, pages=True)
    assert '<a href="patients/_b_P3.pdf">&lt;b&gt;P3</a>' in html
    assert "<b>" not in html
    assert "MODEL OF SIMULATED PATIENTS" in html
    assert "href" not in index_page({"_b_P3": drawn}, pages=False)
