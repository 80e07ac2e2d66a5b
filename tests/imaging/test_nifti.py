"""Files as they are stored: what nibabel would silently repair or load twice."""

import gzip
import pickle
import tracemalloc

import nibabel as nib
import numpy as np
import pytest

from her2study.imaging.findings import Reason, Unfit
from her2study.imaging.fitness_probe import look_at
from her2study.imaging.nifti import check_units, read_header, slabs
from her2study.imaging.volume import read_scan
from tests.imaging.patients import AXIAL, save

VOXELS = np.random.default_rng(0).integers(0, 900, (7, 6, 5)).astype(np.int16)


def big_endian(path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    nib.save(nib.Nifti1Image(VOXELS, AXIAL, header), path)


def second_format(path):
    nib.save(nib.Nifti2Image(VOXELS, AXIAL), path)


def scaled(path):
    image = nib.Nifti1Image(VOXELS / 7.0 - 3, AXIAL)
    image.set_data_dtype(np.int16)
    nib.save(image, path)


def not_compressed(path):
    save(path, VOXELS, AXIAL)
    path.write_bytes(gzip.decompress(path.read_bytes()))


def doubles(path):
    save(path, VOXELS.astype(np.float64) / 3, AXIAL)


def one_more_axis(path):
    save(path, VOXELS[..., None], AXIAL)


@pytest.mark.parametrize("write", [big_endian, second_format, scaled, not_compressed, doubles, one_more_axis])
def test_any_flavour_of_nifti_gives_the_values_that_nibabel_gives(tmp_path, monkeypatch, write):
    path = tmp_path / "scan.nii.gz"
    write(path)
    plain = tmp_path / "scan.nii"  # nibabel goes by the name
    plain.write_bytes(gzip.decompress(path.read_bytes()) if write is not not_compressed else path.read_bytes())
    expected = nib.load(plain).get_fdata(dtype=np.float32).reshape(VOXELS.shape)
    monkeypatch.setattr("her2study.imaging.nifti.SLAB_BYTES", 100)  # several slabs, none a whole number of rows
    scan = read_scan(path)  # AXIAL: columns run to the left and to the back already
    np.testing.assert_array_equal(scan.voxels, expected.T)
    stored = read_header(path)
    assert stored.dtype.isnative == (write is not big_endian)
    starts = [start for start, _ in slabs(stored)]
    assert len(starts) > 3
    assert starts[0] == 0


def test_a_large_file_passes_through_a_few_megabytes(tmp_path):
    path, shape = tmp_path / "scan.nii.gz", (512, 512, 256)  # 134 MB
    header = nib.Nifti1Image(VOXELS, AXIAL).header
    header.set_data_shape(shape)
    header["magic"], header["vox_offset"] = b"n+1", 352
    plane = np.arange(512 * 512, dtype=np.int16).tobytes()
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.binaryblock + bytes(4))
        for _ in range(shape[2]):
            file.write(plane)
    stored = read_header(path)
    tracemalloc.start()
    look = look_at(stored, np.array([[0, 0, 0], [255, 511, 511]]))
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert (look.smallest, look.largest) == (-32768, 32767)
    assert look.values.tolist() == [0, -1]
    assert peak_mb < 40


def test_sizes_of_zero_are_not_taken_for_millimetres(tmp_path):
    """Without sform and qform nibabel makes up voxels of 1 mm."""
    path = tmp_path / "scan.nii.gz"
    image = nib.Nifti1Image(VOXELS, None)
    nib.save(image, path)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[80:92] = bytes(12)
    raw[252:256] = bytes(4)  # both codes: position unknown
    path.write_bytes(gzip.compress(bytes(raw)))
    with pytest.raises(Unfit, match=r"its affine has no volume \(voxels of 0 x 0 x 0 mm\)"):
        read_header(path)


def test_a_header_that_puts_the_voxels_nowhere_is_damage(tmp_path):
    path = tmp_path / "scan.nii.gz"
    save(path, VOXELS, AXIAL)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    for offset, says in ((3e30, "voxels begin at byte"), (100, "voxels begin at byte 100"), (0, None)):
        raw[108:112] = np.float32(offset).tobytes()
        path.write_bytes(gzip.compress(bytes(raw)))
        if says:
            with pytest.raises(Unfit, match=says):
                read_header(path)
        else:  # as much as not set
            np.testing.assert_array_equal(read_scan(path).voxels, VOXELS.T)


@pytest.mark.parametrize(
    ("factor", "looks", "mend"),
    [
        (1e-3, "metres", "by 1000"),
        (0.1, "centimetres", "by 10"),
        (1e3, "micrometres", "by 0.001"),
        (1e-7, None, "again"),
    ],
)
def test_units_are_guessed_only_to_say_what_to_do(tmp_path, factor, looks, mend):
    save(tmp_path / "scan.nii.gz", VOXELS, np.diag([factor, factor, factor, 1]) @ AXIAL)
    with pytest.raises(Unfit, match=f"look like {looks}" if looks else "must be millimetres") as caught:
        check_units(read_header(tmp_path / "scan.nii.gz"))
    assert mend in caught.value.finding.mend


def test_millimetres_are_accepted_named_or_not(tmp_path):
    for units in ("mm", "unknown"):
        image = nib.Nifti1Image(VOXELS, AXIAL)
        image.header.set_xyzt_units(units)
        nib.save(image, tmp_path / "scan.nii.gz")
        check_units(read_header(tmp_path / "scan.nii.gz"))


def test_a_finding_survives_the_way_between_processes():
    unfit = Unfit(Reason.DAMAGED, "a.nii.gz", "ends early", "must be whole", "copy it again")
    again = pickle.loads(pickle.dumps(unfit))
    assert str(again) == str(unfit) == "a.nii.gz: ends early; must be whole: copy it again"
    assert again.finding == unfit.finding
