"""Preprocessing beside a pipeline of MONAI's dictionary transforms, in one run: ``make bench``.

Same simulated scans, same files, same number of workers, and both end with one safetensors file of all
channels and masks; that they found the same is checked. Each run is a process of its own, so that its peak
memory is its own. MONAI does the work twice over: with the smoothing before resampling that gives scans of
other matrix sizes one sharpness, which is the same work as ours, and without it, as most would write it. Quality
control, the estimate of motion and the store with its check sums are ours alone, and are counted in our time.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from her2study.imaging.phases import choose_files
from her2study.study import load_study

FEW, MANY = 50, 500
WORKERS = 2
STUDY = load_study("hong2025")


def main() -> None:
    """Print speed, memory and agreement."""
    with tempfile.TemporaryDirectory() as folder:
        source = make_patients(Path(folder) / "source")
        found = {}
        for n in (FEW, MANY):
            for who in ("monai", "ours", "plain"):
                found[who, n] = measure(who, source, n, Path(folder) / f"{who}_{n}")
        print(agreement(Path(folder) / f"ours_{FEW}", Path(folder) / f"monai_{FEW}"), flush=True)
        ours = found["ours", MANY]
        for who, words in (("monai", "the same work"), ("plain", "without smoothing")):
            theirs = found[who, MANY]
            print(
                f"preprocessing, {MANY} patients, {WORKERS} workers, v. MONAI, {words}: "
                f"{MANY / ours['seconds']:.1f} v. {MANY / theirs['seconds']:.1f} patients a second, "
                f"{theirs['seconds'] / ours['seconds']:.1f} times faster (in processor time "
                f"{theirs['processor'] / ours['processor']:.1f} times, whatever else the machine did)"
            )
        print(f"a second time, from the store: {MANY / found['ours', MANY]['again']:.0f} patients a second")
        for part, words in (("main", "main process"), ("worker", "largest worker")):
            ours, monai = ([found[who, n][part] for n in (FEW, MANY)] for who in ("ours", "monai"))
            print(
                f"peak memory, {words}, {FEW} and {MANY} patients: {ours[0]:.0f} and {ours[1]:.0f} MB "
                f"({ours[1] - ours[0]:+.0f} MB) v. MONAI's {monai[0]:.0f} and {monai[1]:.0f} MB "
                f"({monai[1] - monai[0]:+.0f} MB)"
            )


def make_patients(source: Path) -> Path:
    """``MANY`` patients: simulated ones, repeated with another date inside their pre-contrast file.

    A date changes the bytes and no voxel, so that the store does not take the copies for one patient.
    """
    from her2study.cohort.simulate import simulate_cohort
    from her2study.study import Simulation

    few = source.with_name("few")
    size = Simulation(screened=60, included={"A": 22, "B": 12, "C": 9, "D": 7})
    simulate_cohort(size, STUDY.seed, STUDY.folder / "assumptions.yml", few, source.with_name("truth"), WORKERS)
    table = pd.read_csv(few / "clinical.csv", dtype="str").set_index("patient_id")
    originals = sorted(path.name for path in (few / "images").iterdir())
    rows = []
    (source / "segmentations" / "expert").mkdir(parents=True)
    for i in range(MANY):
        old, new = originals[i % len(originals)], f"P{i:04d}"
        (source / "images" / new).mkdir(parents=True)
        for path in sorted((few / "images" / old).iterdir()):
            copy = source / "images" / new / path.name.replace(old, new)
            if path.name.endswith("_0000.nii.gz"):
                packed = path.read_bytes()
                copy.write_bytes(packed[:4] + i.to_bytes(4, "little") + packed[8:])  # gzip's date
            else:
                os.link(path, copy)
        mask = f"segmentations/expert/{old}.nii.gz"
        os.link(few / mask, source / "segmentations" / "expert" / f"{new}.nii.gz")
        rows.append({"patient_id": new, "centre": table.loc[old, "centre"], "label": 0})
        rows[-1]["acquisition_times"] = table.loc[old, "acquisition_times"]
    pd.DataFrame(rows).to_parquet(source / "cohort.parquet")
    return source


def measure(who: str, source: Path, n: int, out: Path) -> dict[str, float]:
    """Run this file as a process of its own."""
    out.mkdir()
    command = [sys.executable, __file__, who, str(source), str(n), str(out)]
    variables = os.environ | {"OMP_NUM_THREADS": "1", "HER2STUDY_PROGRESS": str(out / "progress")}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def work(who: str, source: Path, n: int, out: Path) -> dict[str, float]:
    """Seconds without imports, and peak memory in MB of this process and of its largest worker."""
    cohort = pd.read_parquet(source / "cohort.parquet").head(n)
    told: dict[str, float] = {}
    if who == "ours":
        import her2study.imaging.preprocess  # noqa: F401 - imports are not timed
    else:
        import monai.transforms  # noqa: F401
    started, processor = time.perf_counter(), sum(os.times()[:4])
    if who == "ours":
        ours(cohort, source, out)
    else:
        monai_pipeline(cohort, source, out, smooth=who == "monai")
    told["seconds"], told["processor"] = time.perf_counter() - started, sum(os.times()[:4]) - processor
    if who == "ours":
        started = time.perf_counter()
        ours(cohort, source, out)
        told["again"] = time.perf_counter() - started
    for name, whose in (("main", resource.RUSAGE_SELF), ("worker", resource.RUSAGE_CHILDREN)):
        told[name] = resource.getrusage(whose).ru_maxrss / 1024
    return told


def ours(cohort: pd.DataFrame, source: Path, out: Path) -> None:
    """What notebook 02 does."""
    from her2study.imaging.preprocess import preprocess_patients
    from her2study.store import Run

    run = Run(STUDY, out)
    run.folder = out
    done = preprocess_patients(cohort, source, STUDY.imaging, out / "store", WORKERS)
    run.save_stack("volumes", done.rows())


def monai_pipeline(cohort: pd.DataFrame, source: Path, out: Path, smooth: bool) -> None:
    """What one would write with MONAI's dictionary transforms and a loader."""
    from monai import transforms as mt
    from monai.data import DataLoader, Dataset
    from safetensors.numpy import save_file

    images, keys = ("pre", "early", "late"), ("pre", "early", "late", "mask")
    chosen = choose_files(cohort, source, STUDY.imaging)
    items = [{"pre": f.pre, "early": f.early[0][0], "late": f.late[0][0], "mask": f.mask} for f in chosen]
    steps = mt.Compose(
        [
            mt.LoadImaged(keys, image_only=True),
            mt.EnsureChannelFirstd(keys),
            mt.Orientationd(keys, axcodes="LPS", labels=None),
            mt.Lambda(own_reference),
            mt.Lambda(match_sharpness if smooth else unchanged),
            mt.Spacingd(keys, pixdim=STUDY.imaging.spacing_mm[::-1], mode="bilinear", dtype=np.float32),
            mt.Lambda(crop_to_lesion),
            mt.ResizeWithPadOrCropd(keys, STUDY.imaging.crop_voxels[::-1]),
            mt.ConcatItemsd(images, "channels"),
            mt.Lambda(subtract_and_clip),
            mt.SelectItemsd(("channels", "mask")),
        ]
    )
    loader = DataLoader(Dataset(items, steps), batch_size=1, num_workers=WORKERS)
    done = [{key: np.asarray(value[0]) for key, value in item.items()} for item in loader]
    stacked = {key: np.stack([item[key] for item in done]) for key in ("channels", "mask")}
    save_file(stacked, out / "volumes.safetensors")


def own_reference(item: dict) -> dict:
    """The lesion's median signal before contrast."""
    return {**item, "reference": float(item["pre"][item["mask"] > 0.5].median())}


def match_sharpness(item: dict) -> dict:
    """Images and mask smoothed to the resolution they will get, each axis by its own voxel size."""
    from monai import transforms as mt

    own = np.linalg.norm(np.asarray(item["pre"].affine)[:3, :3], axis=0)
    fwhm_mm = np.sqrt(np.maximum(np.array(STUDY.imaging.spacing_mm[::-1]) ** 2 - own**2, 0))
    return mt.GaussianSmoothd(("pre", "early", "late", "mask"), (fwhm_mm / own / np.sqrt(8 * np.log(2))).tolist())(item)


def unchanged(item: dict) -> dict:
    """Nothing is smoothed."""
    return item


def crop_to_lesion(item: dict) -> dict:
    """The crop around the middle of the mask's bounding box."""
    from monai import transforms as mt
    from monai.transforms.utils import generate_spatial_bounding_box

    low, high = generate_spatial_bounding_box(item["mask"], lambda x: x > 0.5)
    centre = [(a + b) // 2 for a, b in zip(low, high, strict=True)]
    cropped = mt.SpatialCropd(("pre", "early", "late", "mask"), centre, STUDY.imaging.crop_voxels[::-1])
    return cropped(item)


def subtract_and_clip(item: dict) -> dict:
    """Pre, wash-in, wash-out over the reference, clipped, as half precision, axes ``(c, z, y, x)``."""
    pre, early, late = np.asarray(item["channels"]) / item["reference"]
    channels, mask = np.stack([pre, early - pre, late - early]), np.asarray(item["mask"])[0] > 0.5
    for channel in channels:
        over = [np.percentile(part, STUDY.imaging.clip_percentiles) for part in (channel, channel[mask])]
        np.clip(channel, min(low for low, _ in over), max(high for _, high in over), out=channel)
    turned = np.ascontiguousarray(channels.transpose(0, 3, 2, 1).astype(np.float16))
    return {"channels": turned, "mask": np.ascontiguousarray(mask.T.astype(np.uint8))}


def agreement(ours_at: Path, monai_at: Path) -> str:
    """That both made about the same: lesion means, the spread in the lesion (its sharpness), and the lesion's size."""
    from safetensors.numpy import load_file

    one, other = (load_file(folder / "volumes.safetensors") for folder in (ours_at, monai_at))
    means, spreads = [], []
    for found in (one, other):
        pairs = list(zip(found["channels"].astype(np.float32), found["mask"].astype(bool), strict=True))
        means.append(np.array([channels[:, lesion].mean(axis=1) for channels, lesion in pairs]))
        spreads.append(np.array([channels[:, lesion].std(axis=1) for channels, lesion in pairs]))
    sizes = [found["mask"].sum(axis=(1, 2, 3)) for found in (one, other)]
    apart = np.abs(means[0] - means[1]).max()
    sharper = float(np.median(spreads[1] / spreads[0]))
    r = min(np.corrcoef(means[0][:, c], means[1][:, c])[0, 1] for c in range(3))
    if r < 0.99 or apart > 0.1 or np.median(np.abs(sizes[0] / sizes[1] - 1)) > 0.1 or abs(sharper - 1) > 0.1:
        raise AssertionError(f"the pipelines differ: r {r:.3f}, {apart:.3f} apart at most, sizes {sizes}")
    return (
        f"preprocessing agrees with MONAI's: lesion means of {len(means[0])} patients correlate at {r:.4f} or more "
        f"in each channel and lie at most {apart:.3f} apart; spread in the lesion {sharper:.2f} times ours"
    )


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        print(json.dumps(work(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))))
