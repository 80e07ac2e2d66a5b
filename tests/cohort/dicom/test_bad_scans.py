"""Spoilt scans: each is refused with its reason, or imported with a remark, and never with a traceback."""

from __future__ import annotations

import csv

import nibabel as nib
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, JPEGLossless, RLELossless

from her2study.pipeline.import_dicom import Request, import_dicom
from tests.cohort.dicom.maker import clock, truth, uid, write_scan


def outcome(tmp_path, **options):
    """Status of the one patient and everything said of it, with its phases if it was imported."""
    done = import_dicom(Request(tmp_path / "in", tmp_path / "out", **options))
    with open(tmp_path / "out" / "import_report.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["topic"] != "dropped"]
    files = sorted((tmp_path / "out" / "images").glob("P0001/*.nii.gz"))
    phases = [np.asarray(nib.load(path).dataobj).T for path in files]
    return done.refused, " | ".join(row["text"] for row in rows), phases


def times(tmp_path):
    with open(tmp_path / "out" / "patients.csv", newline="", encoding="utf-8") as file:
        return next(csv.DictReader(file))["acquisition_times"]


def shift(ds, phase, k, by):
    ds.ImagePositionPatient = [a + b for a, b in zip([-10, -20, 2.0 * k], by, strict=True)]


def uneven(ds, phase, k):
    shift(ds, phase, k, (0, 0, 0.7 * (k == 3)))


def sheared(ds, phase, k):
    shift(ds, phase, k, (0, 0.4 * k, 0))


def moved(ds, phase, k):
    shift(ds, phase, k, (0, 0, 9.0 * (phase == 1)))


def skewed(ds, phase, k):
    ds.ImageOrientationPatient = [1, 0, 0, 0.3, 0.95, 0]


def colour(ds, phase, k):
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0


def late_positions(ds, phase, k):
    ds.TemporalPositionIdentifier, ds.NumberOfTemporalPositions = phase + 2, 4


def same_marks(ds, phase, k):
    ds.TemporalPositionIdentifier, ds.AcquisitionTime, ds.InstanceNumber = 1, clock(36000), 1


def constant(ds, phase, k):
    ds.PixelData = bytes(len(ds.PixelData))


def compressed(ds, phase, k):
    ds.file_meta.TransferSyntaxUID, ds.PixelData = JPEGLossless, encapsulate([ds.PixelData])
    ds["PixelData"].is_undefined_length = True


def setting(**values):
    def change(ds, phase, k):
        for name, value in values.items():
            setattr(ds, name, value)

    return change


def without(*names):
    def change(ds, phase, k):
        for name in names:
            delattr(ds, name)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (uneven, "slices are unevenly spaced: 1.30 to 2.70 mm apart"),
        (sheared, "a sheared stack, as from a tilted gantry"),
        (moved, "slice places occur 1 to 2 times"),
        (skewed, "row and column directions are not perpendicular unit vectors"),
        (colour, "colour image"),
        (late_positions, "the first 1 of 4 phases that the header announces are absent"),
        (same_marks, "slice places occur 3 to 3 times and no header mark tells the phases apart"),
        (constant, "phase 1 is empty: every voxel is the same"),
        (setting(PixelSpacing=[0, 0]), "pixel spacing is missing or zero"),
        (without("PixelSpacing"), "pixel spacing is missing or zero"),
        (without("ImagePositionPatient"), "slices without position or orientation"),
        (setting(Modality="CT"), "not MR"),
        (setting(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"), "secondary capture"),
        (setting(ImageType=["DERIVED", "SECONDARY", "SUBTRACTION"]), "computed from other images"),
        (setting(SeriesDescription="Ax VIBRANT SUB"), "computed from other images"),
        (setting(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "localiser"),
        (setting(ScanningSequence="EP"), "echo-planar or diffusion imaging"),
        (lambda ds, phase, k: setattr(ds, "PixelData", ds.PixelData[:20]), "it is truncated or damaged"),
        (compressed, "no decoder is installed"),
    ],
)
def test_refused_with_its_reason(tmp_path, change, said):
    write_scan(tmp_path / "in", change=lambda ds, phase, k: change(ds, phase, k))
    refused, told, phases = outcome(tmp_path)
    assert said in told
    assert (refused, phases) == (1, [])
    assert "unexpected" not in told


@pytest.mark.parametrize(
    ("leave_out", "said"),
    [
        ([(1, 3)], "phase 2 of 3 lacks 1 of 6 slices"),
        ([(2, 0), (2, 5)], "phase 3 of 3 lacks 2 of 6 slices"),
        ([(0, 2), (1, 2), (2, 2)], "phase 1: 1 of 6 slices is missing inside the stack"),
        ([(0, k) for k in range(6)], "2 phases; one before contrast and at least two after it are needed"),
        ([(1, k) for k in range(1, 6)] + [(2, k) for k in range(6)], "phase 2 of 2 lacks 5 of 6 slices"),
    ],
)
def test_missing_slices_are_counted(tmp_path, leave_out, said):
    write_scan(tmp_path / "in", leave_out=leave_out)
    refused, told, _ = outcome(tmp_path)
    assert refused == 1
    assert said in told


def test_copies_of_files_change_nothing(tmp_path):
    expected = write_scan(tmp_path / "in" / "a")
    write_scan(tmp_path / "in" / "b")
    _, told, phases = outcome(tmp_path)
    np.testing.assert_array_equal(phases, expected)
    assert "18 files are copies of others" in told


def test_a_series_sent_twice_under_new_identifiers_is_one_candidate_more(tmp_path):
    expected = write_scan(tmp_path / "in" / "a", series=5)
    write_scan(tmp_path / "in" / "b", series=6)
    _, told, phases = outcome(tmp_path)
    np.testing.assert_array_equal(phases, expected)
    assert "series 2 repeats series 1 (same places and times) and was left out" in told


def test_before_and_after_contrast_in_two_series(tmp_path):
    """As GE does it: one volume, then a series of several by trigger time, the clock standing still in it."""

    def mark(ds, phase, k):
        del ds.TemporalPositionIdentifier
        if phase == 0:
            ds.SeriesInstanceUID, ds.AcquisitionTime = uid("before"), clock(36000)
        else:
            ds.AcquisitionTime, ds.TriggerTime = clock(36150), str(90000 * (phase - 1))

    expected = write_scan(tmp_path / "in", phases=4, change=mark)
    refused, told, phases = outcome(tmp_path)
    assert refused == 0, told
    np.testing.assert_array_equal(phases, expected)
    assert times(tmp_path) == "[0, 150, 240, 330]"


def test_an_incomplete_series_of_a_scan_in_several_series_is_refused(tmp_path):
    def separate(ds, phase, k):
        ds.SeriesInstanceUID, ds.SeriesNumber = uid("phase", phase), 10 + phase

    write_scan(tmp_path / "in", phases=4, change=separate, leave_out=[(0, 5)])
    refused, told, _ = outcome(tmp_path)
    assert refused == 1
    assert "series 1 holds 5 of the 6 slices of this scan: an incomplete phase" in told


def test_series_without_a_common_frame_of_reference_are_named(tmp_path):
    def apart(ds, phase, k):
        ds.SeriesInstanceUID, ds.FrameOfReferenceUID = uid("phase", phase), uid("frame", phase)

    expected = write_scan(tmp_path / "in", change=apart)
    assert "their frames of reference differ" in outcome(tmp_path)[1]
    choices = tmp_path / "c.yml"
    choices.write_text("P0001: {series: [1, 2, 3]}")
    refused, _, phases = outcome(tmp_path, choices=choices)
    assert refused == 0
    np.testing.assert_array_equal(phases, expected)


def test_a_scan_across_midnight(tmp_path):
    write_scan(tmp_path / "in", phases=4, start=86400 - 100)  # the date stays, as after careless anonymisation
    assert outcome(tmp_path)[0] == 0
    assert times(tmp_path) == "[0, 90, 180, 270]"


def test_temporal_positions_that_run_against_the_clock(tmp_path):
    def backwards(ds, phase, k):
        ds.TemporalPositionIdentifier = 3 - phase

    expected = write_scan(tmp_path / "in", change=backwards)
    _, told, phases = outcome(tmp_path)
    np.testing.assert_array_equal(phases, expected)
    assert "temporal positions run against the acquisition times" in told


def test_order_of_instance_numbers_is_the_last_resort_and_said(tmp_path):
    expected = write_scan(tmp_path / "in", change=without("TemporalPositionIdentifier", "AcquisitionTime"))
    _, told, phases = outcome(tmp_path)
    np.testing.assert_array_equal(phases, expected)
    assert "slices were dealt out in the order of InstanceNumber" in told
    assert "phase times are not recorded" in told
    assert times(tmp_path) == ""


def test_every_slice_with_its_own_time(tmp_path):
    """Two-dimensional acquisition: the clock runs on from slice to slice, interleaved."""

    def clocked(ds, phase, k):
        del ds.TemporalPositionIdentifier
        ds.AcquisitionTime = clock(36000 + 60 * phase + 5 * (k // 2) + 20 * (k % 2))

    expected = write_scan(tmp_path / "in", change=clocked)
    _, told, phases = outcome(tmp_path)
    np.testing.assert_array_equal(phases, expected)
    assert times(tmp_path) == "[0, 60, 120]", told


def test_a_bright_first_phase_and_a_gap_are_remarked_upon(tmp_path):
    def odd(ds, phase, k):
        ds.AcquisitionTime = clock(36000 + [0, 60, 120, 300, 360][phase])
        ds.PixelData = (5000 * (phase == 0) + truth(5)[phase, k]).astype("<u2").tobytes()

    write_scan(tmp_path / "in", phases=5, change=odd)
    refused, told, _ = outcome(tmp_path)
    assert refused == 0
    assert "the first phase is brighter than all later ones" in told
    assert "uneven phase spacing: the step between phases 3 and 4 is more than 1.5 times the usual 60 s" in told


def test_missing_announced_phases_are_remarked_upon(tmp_path):
    write_scan(tmp_path / "in", change=setting(NumberOfTemporalPositions=5))
    refused, told, _ = outcome(tmp_path)
    assert refused == 0
    assert "the header announces 5 phases, 3 are there" in told


def test_burned_in_text_is_warned_about(tmp_path):
    write_scan(tmp_path / "in", change=setting(BurnedInAnnotation="YES"))
    assert "18 files of the imported series declare text burned into the picture" in outcome(tmp_path)[1]


@pytest.mark.parametrize("syntax", [RLELossless, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_transfer_syntaxes(tmp_path, syntax):
    def encode(ds, phase, k):
        if syntax == RLELossless:
            ds.compress(RLELossless)
        else:
            ds.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            ds.PixelData = truth(3)[phase, k].astype(">u2").tobytes()
            ds["PixelData"].VR = "OW"

    expected = write_scan(tmp_path / "in", change=encode)
    _, told, phases = outcome(tmp_path)
    assert len(phases) == 3, told
    np.testing.assert_array_equal(phases, expected)


def test_signed_values_in_twelve_bits(tmp_path):
    def signed(ds, phase, k):
        values = truth(3)[phase, k] - 700
        ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 1, 12, 11
        ds.PixelData = (values & 0x0FFF).astype("<u2").tobytes()  # the sign stands in bit 11

    write_scan(tmp_path / "in", change=signed)
    _, _, phases = outcome(tmp_path)
    np.testing.assert_array_equal(phases, truth(3) - 700)


@pytest.mark.parametrize(
    ("slope", "intercept", "kind"), [(1, 0, np.int16), (2, -5, np.int16), (300, 0, np.int32), (0.37, 0.1, np.float32)]
)
def test_slope_and_intercept(tmp_path, slope, intercept, kind):
    write_scan(tmp_path / "in", change=setting(RescaleSlope=str(slope), RescaleIntercept=str(intercept)))
    _, _, phases = outcome(tmp_path)
    assert max(np.iinfo(kind).max if kind != np.float32 else 0, 0) >= 0
    np.testing.assert_allclose(phases, truth(3) * slope + intercept, rtol=1e-7)
    assert {phase.dtype for phase in phases[1:]} <= {np.dtype(kind), np.dtype(np.uint16)}


def test_files_without_preamble_and_other_patients_between(tmp_path):
    expected = write_scan(tmp_path / "in")
    write_scan(tmp_path / "in", patient="ID-2", series=9)
    for path in (tmp_path / "in").iterdir():
        path.write_bytes(path.read_bytes()[132:])
    done = import_dicom(Request(tmp_path / "in", tmp_path / "out"))
    assert (done.imported, done.refused) == (2, 0)
    for name in ("P0001", "P0002"):
        stored = nib.load(tmp_path / f"out/images/{name}/{name}_0002.nii.gz")
        np.testing.assert_array_equal(np.asarray(stored.dataobj).T, expected[2])
