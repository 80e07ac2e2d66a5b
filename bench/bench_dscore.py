"""How close the D-score comes to the best possible on simulated patients, and what each ingredient bought.

``make bench-dscore``, over an hour on two cores; ``--quick`` takes some minutes, with fewer patients, epochs and
variants. For each cohort seed the study's development patients are simulated, split and preprocessed as in the
study, and every variant of the network is trained on them by cross-fitting. All are judged on the same fresh
patients, of the development centres and of centres never seen, who decide nothing: neither settings nor weights.
Settings were chosen on other cohorts (seeds 11 to 14, 21, 22) and other fresh patients, whose truth was looked at.
What takes long is kept in build/bench-dscore/.

Three bounds stand beside the models: who sees the image latent itself, which no scan shows; who reads the scan's four
signatures, rim, size and type without error and knows the planted coefficients (the image oracle); and a
logistic regression on those same error-free values that has to learn from the same patients.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from copy import deepcopy
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch
from dscore_page import OWN, page, summarise
from dscore_patients import BUILD, WORKERS, Patients, joined, key, simulated_patients
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from her2study.cohort.simulated.patients import SIGNATURES
from her2study.cohort.splits import make_splits, permute_labels
from her2study.models.inference import predict_logits
from her2study.models.measured import OF_ALL, OF_MASSES, MeasuredBranch, fit_ridge, mass_readings
from her2study.models.measurement import MEASUREMENTS
from her2study.models.network import CHANNELS, DScoreNetwork, network_from_arrays, weights_to_arrays
from her2study.models.training import fit_fold
from her2study.study import Network, Study, load_study

PAGE = Path(__file__).resolve().parent.parent / "docs" / "dscore.md"
CHUNK = 500
FRESH = {"development centres": {"A": 323, "B": 177}, "unseen centres": {"C": 286, "D": 214}}
"""Fresh patients of one chunk, in the study's proportions."""

TRAINED = {
    "trained on the labels, end to end": {"objective": "labels", "noise": 0.0},
    "no shifts, jitter or noise": {"shift_voxels": 0, "intensity_jitter": 0.0, "noise": 0.0},
}
"""Variants of the convolutional branch that are trained anew."""

PERMUTATIONS = 300
"""Of labels, for the control."""

Logits: TypeAlias = dict[str, np.ndarray]
"""Of every set of patients, from every fold's network, ``(fold, n)``."""


def main() -> None:
    """Simulate, train, judge, and write table and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer patients, epochs and variants")
    parser.add_argument("--seeds", type=int, nargs="+", default=[41, 42], help="of the cohorts")
    parser.add_argument("--default-only", action="store_true", help="train no variants")
    parser.add_argument("--chunks", type=int, default=4, help=f"of {CHUNK} fresh patients, for each kind of centre")
    chosen = parser.parse_args()
    study = load_study("hong2025")
    if chosen.quick:
        study = study.model_copy(update={"network": study.network.model_copy(update={"epochs": 8})})
    chunks = 1 if chosen.quick else chosen.chunks
    fresh = {
        name: joined([simulated_patients(study, included, 7000 + 10 * row + k) for k in range(chunks)])
        for row, (name, included) in enumerate(FRESH.items())
    }
    variants = {} if chosen.quick or chosen.default_only else TRAINED
    tables = [one_cohort(study, seed, fresh, variants) for seed in chosen.seeds]
    table = summarise(pd.concat(tables))
    control = permuted(load_study("hong2025", "smoke"), fresh["development centres"])
    table.to_csv(BUILD / "ablation.csv", index=False)
    text = page(study, table, control, {name: len(p.frame) for name, p in fresh.items()}, chosen.seeds)
    (BUILD / "dscore.md").write_text(text, encoding="utf-8")
    if not chosen.quick:
        PAGE.write_text(text, encoding="utf-8")
    print(text)


def one_cohort(study: Study, seed: int, fresh: dict[str, Patients], variants: dict[str, dict]) -> pd.DataFrame:
    """Every model trained on one cohort: ``group, model, set, auc, expected, oracle, ...``, one row a model and set."""
    developed = {centre: study.simulation.included[centre] for centre in study.centres.development}
    own = simulated_patients(study, developed, seed)
    splits = make_splits(own.frame, study.centres, study.split, seed)
    keep = (splits["split"] == "development").to_numpy()
    splits = splits[keep].reset_index(drop=True)
    own = Patients(own.channels[keep], own.frame[keep].reset_index(drop=True), own.truth[keep].reset_index(drop=True))
    sets = {OWN: own, **fresh}
    fits = train(study.network, study, own, splits, seed)
    judge = Judge(study, own, splits, fresh)
    rows = bounds(own, sets)
    networks = [load(path, study.network) for path in fits]
    learned, plain = (learned_logits(networks, sets, flips) for flips in (True, False))
    share = study.network.learned_share
    rows += judge.both("D-score", "default", networks, learned, share, minutes=minutes_of(fits))
    rows += judge.both("D-score", "no flip averaging", networks, plain, share)
    for other in sorted({0.0, 0.25, 0.75} - {share}):
        rows += judge.both("D-score", f"share of the convolutions {other:g}", networks, learned, other)
    rows += judge.learned("as in the default", learned)
    rows += judge.learned("no flip averaging", plain)
    rows += judge.learned("one fold's network, no flip averaging", {name: z[:1] for name, z in plain.items()})
    rows += judge.head("head with hardly any penalty", networks, strength=10.0)
    for name, changes in variants.items():
        settings = study.network.model_copy(update=changes)
        paths = train(settings, study, own, splits, seed)
        found = learned_logits([load(path, settings) for path in paths], sets, flips=False)
        rows += judge.learned(f"{name}, no flip averaging", found, minutes=minutes_of(paths))
    rows += judge.measured("as in the default")
    rows += judge.measured("not weighed by lesion type", read=False)
    rows += judge.measured("hardly any penalty", strength=10.0)
    for name in (*OF_ALL, *OF_MASSES):
        rows += judge.measured(f"without {name.replace('_', '-')}", without=name)
    return pd.DataFrame(rows).assign(seed=seed)


class Judge:
    """Scores of one cohort's models, and how well they tell the labels of every set apart."""

    def __init__(self, study: Study, own: Patients, splits: pd.DataFrame, fresh: dict[str, Patients]) -> None:
        self.settings, self.sets = study.network, {OWN: own, **fresh}
        self.folds, self.labels = splits["fold"].to_numpy(), splits["label"].to_numpy()
        self.mass = mass_readings(own.frame, study.variables, study.network.mass_reading)
        self.measurements = {name: measurements_of(patients) for name, patients in self.sets.items()}

    def learned(self, model: str, logits: Logits, **more: object) -> list[dict]:
        """The convolutional branch alone."""
        return self._rows("convolutions alone", model, logits, **more)

    def head(self, model: str, networks: list, strength: float) -> list[dict]:
        """The convolutional branch alone, without flip averaging, its head fitted anew with another penalty."""
        refitted = [deepcopy(network) for network in networks]
        for fold, network in zip(np.unique(self.folds), refitted, strict=True):
            network.head_strength = strength
            network.fit_head(self.sets[OWN].channels[self.folds != fold], self.labels[self.folds != fold])
        return self.learned(model, learned_logits(refitted, self.sets, flips=False))

    @torch.inference_mode()
    def both(self, group: str, model: str, networks: list, learned: Logits, share: float, **more: object) -> list[dict]:
        """The networks with this share of their convolutions."""
        logits = {name: [] for name in self.sets}
        for row, network in enumerate(networks):
            network.learned_share = share
            for name, measurements in self.measurements.items():
                measured = network.measured.head(network.measured.evidence(measurements))
                both = network.combine(torch.from_numpy(learned[name][row])[:, None], measured)
                logits[name].append(both[:, 0].numpy())
            network.learned_share = self.settings.learned_share
        return self._rows(group, model, {name: np.array(z) for name, z in logits.items()}, **more)

    @torch.inference_mode()
    def measured(self, model: str, read: bool = True, strength: float | None = None, without: str = "") -> list[dict]:
        """The measured branch alone, fitted anew without what is left out."""
        given = {name: values.clone() for name, values in self.measurements.items()}
        if without:
            for values in given.values():
                values[:, list(MEASUREMENTS).index(without)] = 0
        logits = {name: [] for name in self.sets}
        for fold in np.unique(self.folds):
            branch, inside = MeasuredBranch(CHANNELS), self.folds != fold
            mass = self.mass[inside] if read else None
            branch.fit(given[OWN][inside], self.labels[inside], mass, strength or self.settings.measured_strength)
            for name, values in given.items():
                logits[name].append(branch.head(branch.evidence(values))[:, 0].numpy())
        return self._rows("measurements alone", model, {name: np.array(z) for name, z in logits.items()})

    def _rows(self, group: str, model: str, logits: Logits, **more: object) -> list[dict]:
        """Logits ``(fold, n)`` as the study uses them: a fold's own patients by its network, others by the mean."""
        scores = {name: z.mean(axis=0) for name, z in logits.items() if name != OWN}
        if len(logits[OWN]) == len(np.unique(self.folds)):
            scores[OWN] = logits[OWN][self.folds, np.arange(len(self.folds))]
        return judged(group, model, scores, self.sets, **more)


def bounds(own: Patients, sets: dict[str, Patients]) -> list[dict]:
    """The two oracles, and what can be learned from error-free values of as many patients."""
    planted = lambda truth: np.column_stack(  # noqa: E731
        [truth[[f"signature_{name}" for name in SIGNATURES]], truth[["rim", "non_mass"]], np.log(truth["diameter_mm"])]
    )
    ridge = make_pipeline(StandardScaler(), LogisticRegression(C=0.03)).fit(planted(own.truth), own.frame["label"])
    rows = []
    for model, column in (
        ("sees the latent itself", "oracle_latent"),
        ("image oracle: reads the scan", "oracle_image"),
    ):
        rows += judged("bounds", model, {name: p.truth[column].to_numpy() for name, p in sets.items()}, sets)
    fresh = {name: p for name, p in sets.items() if name != OWN}
    learned = {name: ridge.decision_function(planted(p.truth)) for name, p in fresh.items()}
    return rows + judged("bounds", "learns from error-free values", learned, fresh)


def judged(group: str, model: str, scores: dict[str, np.ndarray], sets: dict[str, Patients], **more) -> list[dict]:
    """AUC on the labels, and expected over the draw of HER2 given each patient's planted probability."""
    rows = []
    for name, score in scores.items():
        label, truth = sets[name].frame["label"], sets[name].truth
        chance, oracle = truth["oracle_combined"].to_numpy(), truth["oracle_image"].to_numpy()
        rows.append(
            {
                "group": group,
                "model": model,
                "set": name,
                "auc": roc_auc_score(label, score),
                "gap": roc_auc_score(label, oracle) - roc_auc_score(label, score),
                "expected_auc": expected_auc(chance, score),
                "expected_gap": expected_auc(chance, oracle) - expected_auc(chance, score),
                **more,
            }
        )
    return rows


def expected_auc(chance: np.ndarray, score: np.ndarray) -> float:
    """AUC with every patient a positive of weight ``chance`` and a negative of the rest: no luck of the draw."""
    labels = np.repeat([1, 0], len(score))
    return float(roc_auc_score(labels, np.tile(score, 2), sample_weight=np.concatenate([chance, 1 - chance])))


def train(settings: Network, study: Study, own: Patients, splits: pd.DataFrame, seed: int) -> list[Path]:
    """The fold networks' weights, two folds side by side; found again if they were trained before."""
    made_from = [settings.model_dump(mode="json"), seed, own.channels.tobytes(), splits.to_csv()]
    folder = BUILD / f"networks_{key(*made_from)}"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "channels.npy", own.channels)
    splits.to_parquet(folder / "splits.parquet")
    mass = mass_readings(own.frame, study.variables, settings.mass_reading)
    folds = sorted(splits.loc[splits["split"] == "development", "fold"].unique())
    tasks = [(folder, fold, settings, seed, mass) for fold in folds]
    missing = [task for task in tasks if not (folder / f"fold_{task[1]}.npz").exists()]
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        for fold, seconds in pool.map(_train_fold, missing):
            print(f"cohort {seed}: fold {fold} trained in {seconds:.0f} s", flush=True)
    return [folder / f"fold_{task[1]}.npz" for task in tasks]


def _train_fold(task: tuple) -> tuple[int, float]:
    folder, fold, settings, seed, mass = task
    started = time.perf_counter()
    channels, splits = np.load(folder / "channels.npy"), pd.read_parquet(folder / "splits.parquet")
    network = fit_fold(channels, splits, fold, settings, seed, mass=mass).network
    np.savez(folder / f"fold_{fold}.part.npz", **weights_to_arrays(network))
    seconds = time.perf_counter() - started
    (folder / f"fold_{fold}.seconds").write_text(f"{seconds:.1f}")
    (folder / f"fold_{fold}.part.npz").rename(folder / f"fold_{fold}.npz")
    return fold, seconds


def minutes_of(fits: list[Path]) -> float:
    """How long these folds took, side by side, when they were trained."""
    return sum(float(path.with_suffix(".seconds").read_text()) for path in fits) / WORKERS / 60


def load(path: Path, settings: Network) -> DScoreNetwork:
    """A fold's network from its weights."""
    with np.load(path) as arrays:
        return network_from_arrays(settings, dict(arrays))


def learned_logits(networks: list[DScoreNetwork], sets: dict[str, Patients], flips: bool) -> Logits:
    """What the convolutions of every fold's network say about everybody."""
    tasks = [(network, patients.channels, flips) for patients in sets.values() for network in networks]
    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(lambda task: predict_logits(*task, logit=task[0].learned_logit), tasks))
    count = len(networks)
    return {name: np.array(found[count * row : count * (row + 1)], np.float32) for row, name in enumerate(sets)}


@torch.inference_mode()
def measurements_of(patients: Patients) -> torch.Tensor:
    """What the measured branch measures, ``(n, 9)``: the same for every network."""
    measure = MeasuredBranch(CHANNELS).measure
    parts = (patients.channels[start : start + CHUNK] for start in range(0, len(patients.channels), CHUNK))
    return torch.cat([measure(torch.from_numpy(part.astype(np.float32))) for part in parts])


@torch.inference_mode()
def permuted(study: Study, fresh: Patients) -> pd.DataFrame:
    """The control at smoke size: everything that labels teach is taught by shuffled ones, ``model, draw, auc``.

    No label reaches the convolutions (tests/models/test_pretext.py), so they are trained once; heads and branches
    are fitted to each permutation. A chance direction of the images is no coin: it agrees or disagrees with the true
    one, so a single AUC scatters far more than thousands of patients suggest. What must be 0.5 is the mean.
    """
    developed = {centre: study.simulation.included[centre] for centre in study.centres.development}
    own = simulated_patients(study, developed, 31)
    splits = make_splits(own.frame, study.centres, study.split, 31)
    keep = (splits["split"] == "development").to_numpy()
    splits = splits[keep].reset_index(drop=True)
    own = Patients(own.channels[keep], own.frame[keep].reset_index(drop=True), own.truth[keep].reset_index(drop=True))
    networks = [load(path, study.network) for path in train(study.network, study, own, splits, 31)]
    seen = [[n.over(patients.channels, n.features) for patients in (own, fresh)] for n in networks]
    mass = mass_readings(own.frame, study.variables, study.network.mass_reading)
    known, new, folds = measurements_of(own), measurements_of(fresh), splits["fold"].to_numpy()
    outcome = study.outcome.model_copy(update={"permute": True})
    rows = []
    for draw in range(PERMUTATIONS):
        labels = permute_labels(own.frame, outcome, draw)["label"].to_numpy()
        logits: dict[str, list] = {"D-score": [], "convolutions alone": [], "measurements alone": []}
        for fold, network, (features, of_fresh) in zip(np.unique(folds), networks, seen, strict=True):
            inside, settings = folds != fold, study.network
            fit_ridge(network.head, features[inside], labels[inside], settings.head_strength)
            network.measured.fit(known[inside], labels[inside], mass[inside], settings.measured_strength)
            measured = [network.measured.head(network.measured.evidence(m)) for m in (known[inside], new)]
            learned = [network.head(f) for f in (features[inside], of_fresh)]
            network.learned_mean.copy_(learned[0].mean(0))
            network.learned_scale.copy_(measured[0].std(0) / learned[0].std(0))
            found = (network.combine(learned[1], measured[1]), learned[1], measured[1])
            for name, logit in zip(logits, found, strict=True):
                logits[name].append(logit[:, 0].numpy())
        for name, of_folds in logits.items():
            auc = roc_auc_score(fresh.frame["label"], np.mean(of_folds, axis=0))
            rows.append({"model": name, "draw": draw, "auc": auc})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
