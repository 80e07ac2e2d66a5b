"""Who is shown, on which slice, and where a map lies in the patient."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from her2study.explain.saliency.pictures import choose_failures, choose_typical, crop_affine, saliency_slices
from her2study.imaging.preprocess import preprocess_patients
from her2study.store import Run
from her2study.study import Imaging, load_study
from tests.imaging.patients import AXIAL, OBLIQUE, SAGITTAL, cohort_of, mask_path, phase_path, write_patient


@pytest.fixture
def predictions():
    return pd.DataFrame(
        {
            "patient_id": list("ABCDEFGH"),
            "centre": "C",
            "label": [1, 1, 1, 1, 0, 0, 0, 0],
            "probability": [0.9, 0.7, 0.6, 0.1, 0.8, 0.3, 0.2, 0.05],
        }
    )


def test_typical_patients_are_correct_and_near_the_median(predictions):
    chosen = choose_typical(predictions, threshold=0.5, per_group=1)
    assert chosen["patient_id"].tolist() == ["B", "G"]
    assert chosen["title"].tolist() == ["True positive", "True negative"]


def test_failures_are_the_worst_errors_first(predictions):
    chosen = choose_failures(predictions, per_group=2)
    assert chosen["patient_id"].tolist() == ["D", "C", "E", "F"]
    assert chosen["title"].tolist() == ["Missed positive"] * 2 + ["False alarm"] * 2


def test_slices_show_the_largest_lesion_area_each_map_on_its_own_scale(predictions):
    image = np.arange(2 * 4 * 2 * 3, dtype=np.float16).reshape(2, 4, 2, 3)
    rng = np.random.default_rng(0)
    maps = {"gradcam": rng.normal(size=(2, 4, 2, 3)).astype(np.float32), "occlusion": np.zeros((2, 4, 2, 3))}
    mask = np.zeros((2, 4, 2, 3), np.uint8)
    mask[0, 1, 0, 0] = mask[0, 2, 0, :2] = mask[1, 3, 1, 1] = 1
    frame = saliency_slices(predictions.head(2).assign(title="x"), image, maps, mask)
    assert frame.columns.tolist() == [
        *("patient_id", "centre", "label", "probability", "title"),
        *("height", "width", "image", "mask", "gradcam", "occlusion"),
    ]
    assert (frame["height"][0], frame["width"][0]) == (2, 3)
    assert np.array_equal(np.reshape(frame["image"][0], (2, 3)), image[0, 2])
    assert np.array_equal(np.reshape(frame["mask"][0], (2, 3)), mask[0, 2])
    heat = maps["gradcam"][1]
    np.testing.assert_allclose(np.reshape(frame["gradcam"][1], (2, 3)), heat[3] / np.abs(heat).max(), rtol=1e-6)
    assert set(frame["occlusion"][0]) == {0.0}


@pytest.mark.parametrize("affine", [AXIAL, SAGITTAL, OBLIQUE], ids=["axial", "sagittal", "oblique"])
def test_a_map_lies_on_the_original_scan_in_any_viewer(tmp_path, project, affine):
    """SimpleITK and nibabel, which know nothing of the crop, find the lesion where the scan has it."""
    write_patient(tmp_path, "P1", affine)
    imaging = Imaging(crop_voxels=(24, 28, 26), spacing_mm=(1.6, 1.4, 1.5))
    done = preprocess_patients(cohort_of("P1"), tmp_path, imaging, tmp_path / "store")
    origin = done.index.loc[0, ["origin_x_mm", "origin_y_mm", "origin_z_mm"]].to_numpy(float)
    run = Run(load_study("tiny"), project.root / "results")
    run.save_volume("saliency/P1_gradcam", done.mask[0].astype(np.float32), crop_affine(origin, imaging.spacing_mm))
    path = run.folder / "saliency" / "P1_gradcam.nii.gz"

    scan = sitk.ReadImage(str(phase_path(tmp_path, "P1", 1)))
    laid_over = sitk.Resample(sitk.ReadImage(str(path)), scan, sitk.Transform(), sitk.sitkLinear, 0.0)
    lesion = sitk.GetArrayFromImage(sitk.ReadImage(str(mask_path(tmp_path, "P1")))) > 0
    found = sitk.GetArrayFromImage(laid_over) > 0.5
    assert 2 * (found & lesion).sum() / (found.sum() + lesion.sum()) > 0.9

    centres = []
    for image in (nib.load(path), nib.load(mask_path(tmp_path, "P1"))):
        voxels = np.argwhere(np.asanyarray(image.dataobj) > 0.5)
        centres.append(nib.affines.apply_affine(image.affine, voxels).mean(axis=0))
    np.testing.assert_allclose(centres[0], centres[1], atol=0.3)  # mm
