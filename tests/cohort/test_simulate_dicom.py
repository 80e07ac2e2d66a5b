"""The written DICOM is what other software reads as the simulated scan, and hides people where scanners do."""

from collections import defaultdict
from datetime import timedelta

import highdicom
import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import MRImageStorage

from her2study.cohort.simulated.dicom import (
    DISTRACTORS,
    MASKS,
    STYLES,
    write_dicom,
    write_sample,
)
from her2study.cohort.simulated.dicom.masks import lesion_polygons
from her2study.types import StudyError
from tests.cohort.tiny_scans import GEOMETRIES, SECONDS, SHAPE, tiny_source
from tests.tiny import ROOT

CLASSIC = [style for style in STYLES if not style.startswith("enhanced")]


def read_all(folder):
    """Every DICOM object that can be read."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "broken.dcm"]
    return {path: pydicom.dcmread(path) for path in paths if pydicom.misc.is_dicom(path)}


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("style", CLASSIC)
def test_gdcm_reads_the_first_phase_as_simpleitk_reads_the_nifti(tmp_path, style, geometry):
    source = tiny_source(tmp_path / "source", {"A1": geometry})
    write_dicom(source, ["A1"], tmp_path / "out", style, masks=None)
    first_phase = {}
    for path, image in read_all(tmp_path / "out").items():
        phase = image.get("TemporalPositionIdentifier", 1) * image.AcquisitionNumber * (image.SeriesNumber - 4)
        if phase == 1:
            first_phase[tuple(image.ImagePositionPatient)] = str(path)
    reader = sitk.ImageSeriesReader()
    slices = highdicom.spatial.get_series_volume_positions([pydicom.dcmread(p) for p in first_phase.values()])[1]
    reader.SetFileNames([path for _, path in sorted(zip(slices, first_phase.values(), strict=True))])
    read = reader.Execute()
    nifti = sitk.ReadImage(str(source / "images" / "A1" / "A1_0000.nii.gz"))
    corners = np.array([(x, y, z) for x in (0, 10) for y in (0, 8) for z in (0, SHAPE[2] - 1)])
    for corner in corners.tolist():
        where = nifti.TransformIndexToPhysicalPoint(corner)
        index = read.TransformPhysicalPointToIndex(where)
        np.testing.assert_allclose(read.TransformIndexToPhysicalPoint(index), where, atol=1e-4)
        assert read[index] == nifti[corner]
    assert sorted(sitk.GetArrayViewFromImage(read).ravel()) == sorted(sitk.GetArrayViewFromImage(nifti).ravel())


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_highdicom_reads_an_object_a_phase_as_the_scan(tmp_path, geometry):
    source = tiny_source(tmp_path / "source", {"A1": geometry})
    write_dicom(source, ["A1"], tmp_path / "out", "enhanced_separate", masks=None)
    objects = sorted(read_all(tmp_path / "out").values(), key=lambda data: data.InstanceNumber)
    assert len(objects) == len(SECONDS)
    for number, data in enumerate(objects):
        volume = highdicom.Image.from_dataset(data).get_volume().to_patient_orientation("RAH")
        nifti = nib.as_closest_canonical(nib.load(source / "images" / "A1" / f"A1_{number:04d}.nii.gz"))
        np.testing.assert_array_equal(volume.array, nifti.get_fdata())
        np.testing.assert_allclose(np.diag([-1, -1, 1, 1]) @ volume.affine, nifti.affine, atol=1e-5)


def test_one_multi_frame_object_holds_every_phase(tmp_path):
    source = tiny_source(tmp_path / "source", {"A1": "sagittal"})
    write_dicom(source, ["A1"], tmp_path / "out", "enhanced", masks=None)
    (data,) = read_all(tmp_path / "out").values()
    for pixels, groups in zip(data.pixel_array, data.PerFrameFunctionalGroupsSequence, strict=True):
        content, transform = groups.FrameContentSequence[0], groups.PixelValueTransformationSequence[0]
        phase, k = content.TemporalPositionIndex - 1, content.InStackPositionNumber - 1
        nifti = nib.load(source / "images" / "A1" / f"A1_{phase:04d}.nii.gz")
        expected = np.asanyarray(nifti.dataobj)[:, :, k].T
        np.testing.assert_array_equal(pixels * transform.RescaleSlope + transform.RescaleIntercept, expected)
        right, anterior, superior = nifti.affine @ (0, 0, k, 1) @ np.eye(4)[:, :3]
        position = groups.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(position, (-right, -anterior, superior), atol=1e-5)


def test_phases_are_marked_as_each_make_marks_them(tmp_path):
    source = tiny_source(tmp_path / "source", {"A1": "axial"})
    found = {}
    for style in CLASSIC:
        write_dicom(source, ["A1"], tmp_path / style, style, masks=None)
        images = list(read_all(tmp_path / style).values())
        assert len(images) == len(SECONDS) * SHAPE[2]
        assert len({image.SOPInstanceUID for image in images}) == len(images)
        tags = ("SeriesInstanceUID", "AcquisitionTime", "TriggerTime", "TemporalPositionIdentifier", "RescaleSlope")
        found[style] = [len({image[tag].value for image in images if tag in image}) for tag in tags]
    # series, acquisition times, trigger times, temporal positions, slopes
    assert found == {
        "siemens": [1, 3, 0, 0, 0],
        "separate": [3, 3, 0, 0, 0],
        "ge": [1, 1, 3, 3, 0],
        "philips": [1, 3, 3, 3, 2],
    }


def test_a_segmentation_read_by_highdicom_is_the_mask(tmp_path):
    for style in ("siemens", "enhanced"):
        source = tiny_source(tmp_path / style / "source", {"A1": "oblique"})
        write_dicom(source, ["A1"], tmp_path / style / "out", style, masks="seg")
        path = next(path for path in (tmp_path / style / "out").rglob("lesion.dcm"))
        lesion = highdicom.seg.segread(path).get_volume(combine_segments=True).to_patient_orientation("RAH")
        mask = nib.as_closest_canonical(nib.load(source / "segmentations" / "expert" / "A1.nii.gz"))
        voxels = np.argwhere(mask.get_fdata())
        expected = mask.affine @ np.column_stack([voxels, np.ones(len(voxels))]).T
        inside = np.argwhere(lesion.array)
        read = np.diag([-1, -1, 1, 1]) @ lesion.affine @ np.column_stack([inside, np.ones(len(inside))]).T
        np.testing.assert_allclose(np.sort(read.round(4).T, axis=0), np.sort(expected.round(4).T, axis=0), atol=1e-3)


def test_contours_enclose_exactly_the_lesions_voxel_centres():
    from matplotlib.path import Path as Polygon

    rng = np.random.default_rng(3)
    mask = rng.random((4, 12, 10)) < 0.5
    centres = np.array([(x, y) for y in range(12) for x in range(10)])
    times_inside = np.zeros(mask.shape, dtype=int)
    for polygon in lesion_polygons(mask):
        times_inside[int(polygon[0, 2])] += Polygon(polygon[:, :2]).contains_points(centres).reshape(12, 10)
    np.testing.assert_array_equal(times_inside % 2 == 1, mask)


@pytest.mark.parametrize("style", STYLES)
def test_the_header_is_full_of_what_must_stay_private(tmp_path, style):
    source = tiny_source(tmp_path / "source", {"A1": "axial"})
    person = write_dicom(source, ["A1"], tmp_path / "out", style, masks=None)["A1"]
    path, image = next(iter(read_all(tmp_path / "out").items()))
    text = str(image) + image.PatientComments
    spelt_otherwise = {"-", ".", "/", ":"}
    lacking = [secret for secret in person.secrets() if secret not in text and not spelt_otherwise & set(secret)]
    assert set(lacking) <= _next_day(person)
    assert str(image.PatientName) == person.person_name
    assert person.family_name in str(path)
    assert person.device_serial_number in image.SOPInstanceUID


def test_people_have_accents_and_chinese_names_that_pydicom_reads_back(tmp_path):
    patients = {f"A{number}": "axial" for number in range(8)}
    source = tiny_source(tmp_path / "source", patients)
    people = write_dicom(source, patients, tmp_path / "out", "enhanced", masks=None)
    names = {str(data.PatientName) for data in read_all(tmp_path / "out").values()}
    assert names == {person.person_name for person in people.values()}
    assert {person.character_set for person in people.values()} == {"ISO_IR 100", "GB18030", "ISO_IR 192"}


def test_distractors_are_what_they_say(tmp_path):
    source = tiny_source(tmp_path / "source", {"A1": "axial"})
    write_dicom(source, ["A1"], tmp_path / "out", "siemens", masks=None, distractors=DISTRACTORS)
    kinds = defaultdict(set)
    for data in read_all(tmp_path / "out").values():
        kinds[data.Modality, data.SOPClassUID.name].add(data.SeriesNumber)
    assert {key: sorted(numbers) for key, numbers in kinds.items()} == {
        ("MR", MRImageStorage.name): [1, 2, 5, 17, 60, 61],
        ("OT", "Secondary Capture Image Storage"): [70],
        ("SR", "Basic Text SR Storage"): [80],
        ("DOC", "Encapsulated PDF Storage"): [81],
        ("OT", "Media Storage Directory Storage"): [99],
    }
    assert any(path.name.endswith(".exe") for path in (tmp_path / "out").rglob("*"))


@pytest.mark.parametrize("mask", MASKS)
def test_bytes_are_the_same_each_time(tmp_path, mask):
    source = tiny_source(tmp_path / "source", {"A1": "axial"})
    written = []
    for attempt in ("first", "second"):
        folder = tmp_path / attempt
        write_dicom(source, ["A1"], folder, "enhanced", masks=mask, distractors=("report", "pdf"))
        written.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    assert written[0] == written[1]


def test_a_misspelt_style_or_a_sheared_grid_is_refused(tmp_path):
    source = tiny_source(tmp_path / "source", {"A1": "axial"})
    with pytest.raises(StudyError, match=r"'simens' is not one of .*siemens"):
        write_dicom(source, ["A1"], tmp_path / "out", "simens")
    with pytest.raises(StudyError, match="'segg' is not one of"):
        write_dicom(source, ["A1"], tmp_path / "out", "ge", masks="segg")
    for path in (source / "images" / "A1").iterdir():
        image = nib.load(path)
        sheared = image.affine + 0.3 * np.eye(4, k=1)
        nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj), sheared), path)
    with pytest.raises(StudyError, match="right angles"):
        write_dicom(source, ["A1"], tmp_path / "out", "ge")


@pytest.mark.slow
def test_a_sample_folder_in_one_call(tmp_path):
    people = write_sample(tmp_path / "sample", ROOT / "papers" / "hong2025" / "assumptions.yml")
    assert len(people) == 4
    makers = {data.Manufacturer for data in read_all(tmp_path / "sample").values()}
    assert makers >= {"SIEMENS", "GE MEDICAL SYSTEMS", "Philips Medical Systems"}


def _next_day(person):
    """The day on which masks were drawn."""
    return {(person.study_started + timedelta(days=1)).strftime("%Y%m%d")}
