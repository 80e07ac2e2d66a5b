"""Who is shown, where on which page, and with what."""

import numpy as np
import pandas as pd
import pytest

from her2study.imaging.montage import COLUMNS, ROWS, montage, montage_pages, shown_channel
from her2study.types import StudyError


def test_the_montage_spreads_over_centres_and_labels_and_shows_the_largest_slice():
    n = 12
    cohort = pd.DataFrame({"patient_id": [f"P{i:02d}" for i in range(n)], "centre": list("AAAAAABBBBBB"), "label": 0})
    cohort.loc[[4, 5, 11], "label"] = 1
    mask = np.zeros((n, 3, 4, 5), np.uint8)
    mask[:, 0, 0, 0] = 1
    mask[:, 2, 1:3, 1:3] = 1
    channels = np.random.default_rng(0).normal(size=(n, 3, 3, 4, 5)).astype(np.float16)
    frame = montage(channels, mask, cohort, patients=4)
    assert frame["patient_id"].tolist() == ["P00", "P04", "P06", "P11"]
    assert frame[["height", "width"]].to_numpy().tolist() == [[4, 5]] * 4
    np.testing.assert_array_equal(np.reshape(frame["mask"][0], (4, 5)), mask[0, 2])
    np.testing.assert_array_equal(np.reshape(frame["image"][1], (4, 5)), channels[4, 1, 2])
    pd.testing.assert_frame_equal(frame, montage(channels, mask, cohort, patients=4))


def volumes(n: int) -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros((n, 3, 4, 5), np.uint8)
    mask[:, 1, 1:3, 1:4] = 1
    return np.full((n, 3, 3, 4, 5), 0.75, np.float16), mask


def quality(*patients: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(patients, columns=["patient_id", "centre", "findings"])


def test_pages_go_by_centre_with_findings_first():
    scans = quality(
        ("P1", "B", ""), ("P2", "A", ""), ("P3", "A", "mask in several pieces; hardly enhances"), ("P4", "A", "")
    )  # fmt: skip
    (page,) = montage_pages(*volumes(4), scans, names={"A": "Hospital A"})
    assert page["patient_id"].tolist() == ["P3", "P2", "P4", "P1"]
    assert page["flag"].tolist() == ["pieces, weak", "", "", ""]
    assert page["heading"].unique().tolist() == [
        "Hospital A, 3 patients; with findings: 1",
        "Centre B, 1 patient; with findings: 0",
    ]
    assert page[["row", "column"]].to_numpy().tolist() == [[0, 0], [0, 1], [0, 2], [1, 0]]


def test_a_page_holds_so_many_and_the_next_one_says_that_it_continues():
    n = COLUMNS * ROWS + 1
    scans = quality(*[(f"P{i:03d}", "A", "") for i in range(n)])
    first, second = montage_pages(*volumes(n), scans)
    assert (len(first), len(second)) == (n - 1, 1)
    assert first["row"].max() == ROWS - 1
    assert second[["patient_id", "heading", "row"]].to_numpy().tolist() == [["P080", "Centre A, continued", 0]]


def test_a_picture_is_grey_on_one_scale_and_the_slice_with_most_lesion():
    channels, mask = volumes(2)
    channels[1, 1, 1, 0, 0] = 30  # brighter than white, in the brightest half percent
    channels[:, 1, 1, 3, 4] = -1
    (page,) = montage_pages(channels, mask, quality(("P1", "A", ""), ("P2", "A", "")))
    image = np.reshape(page["image"][0], (4, 5))
    assert image[1, 1] == round(255 * 0.75 / 1.5)
    assert image[3, 4] == 0
    assert np.reshape(page["image"][1], (4, 5))[0, 0] == 255
    np.testing.assert_array_equal(np.reshape(page["mask"][0], (4, 5)), mask[0, 1])


def test_the_channel_that_shows_the_lesion_is_found_by_name():
    assert shown_channel(("pre", "wash_in", "wash_out")) == 1
    assert shown_channel(("early", "late", "subtraction")) == 2
    with pytest.raises(StudyError, match="add wash_in"):
        shown_channel(("pre", "wash_out"))
