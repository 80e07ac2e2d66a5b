"""Simulations from populations whose truth is known: how often tests reject and intervals hold the truth.

The page that shows the results, and how to make it, is operating_characteristics.py beside this file.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm, rankdata, t

from her2study.evaluation.bootstrap import bootstrap, weighted_auc, weighted_logistic
from her2study.evaluation.calibration import calibration_intercept, calibration_slope
from her2study.evaluation.decision import decision_curve
from her2study.evaluation.intervals import Interval, wilson
from her2study.evaluation.nested import likelihood_ratio_test
from her2study.evaluation.roc import auc_interval, delong_global, delong_test, delong_unpaired
from her2study.progress import progress

SEED, ALPHA = 2026, 0.05
COVERAGE_RANGE = (0.93, 0.97)
"""Coverage of a nominal 95% interval that counts as kept."""
STRINGENT = 0.005
"""Departure of a type I error from 5% that Bradley (1978) would still call robust by the stringent criterion."""
PAIRED, REPEATS, RESAMPLES = 20_000, 2_000, 400
"""Studies a row (half as many for slow rows that are no criterion), and resamples a study."""
TYPE_ONE, MISUSE, COVERAGE = "type I error", "misuse", "coverage"
KEPT = "as promised"

NESTED = ("delong_test", "likelihood_ratio_test")
REPEATED = (
    "delong_test, ten cross-validations stacked",
    "delong_test, one cross-validation, a row a patient",
    "delong_test, models fixed beforehand",
)


def experiments() -> Iterator[tuple[Callable[..., Iterator[dict]], dict]]:
    """Every simulation with its setting: patients, how many of them are positive, and the truth.

    ``criterion`` marks what the library promises to keep; the others show how far it holds beyond.
    """
    sizes = [(n, round(n * share)) for n in (60, 150, 450) for share in (0.1, 0.2, 0.3, 0.5)]
    for auc in (0.75, 0.6, 0.9):
        for n, positives in sizes if auc == 0.75 else sizes[::2]:
            yield paired, {"n": n, "positives": positives, "auc": auc, "criterion": auc == 0.75}
    for n, positives in ((60, 18), (150, 45), (450, 135)):
        yield unpaired, {"n": n, "positives": positives, "auc": 0.75, "criterion": False}
    for n, positives in ((150, 45), (450, 135)):
        for models in (3, 10):
            yield together, {"n": n, "positives": positives, "auc": 0.75, "models": models}
    for n in (150, 450):
        yield nested, {"n": n}
    yield repeated, {"n": 150}
    for n, positives, auc in ((150, 45, 0.75), (450, 135, 0.75), (150, 45, 0.9), (450, 135, 0.9), (60, 6, 0.75)):
        regular = auc == 0.75 and n > 60
        for simulate in (area, difference, sensitivity):
            yield simulate, {"n": n, "positives": positives, "auc": auc, "criterion": regular}
    for n, slope in ((150, 1.0), (450, 1.0), (150, 0.7), (450, 0.7), (60, 1.0)):
        yield calibration, {"n": n, "slope": slope, "criterion": n > 60}
    for n in (150, 450, 60):
        yield net_benefit, {"n": n, "slope": 1.0, "criterion": n > 60}


def compute() -> pd.DataFrame:
    """Run all experiments; each draws from a seed made of its own name and setting, so none depends on the others."""
    rows = []
    for run, setting in progress(experiments(), "simulating"):
        rng = np.random.default_rng([SEED, zlib.crc32(f"{run.__name__} {setting}".encode())])
        rows += [{"experiment": run.__name__, "criterion": False} | setting | line for line in run(rng, **setting)]
    return pd.DataFrame(rows)


def paired(rng: np.random.Generator, n: int, positives: int, auc: float, criterion: bool) -> Iterator[dict]:
    """Two correlated scores with one true AUC in the same patients."""
    thousands = PAIRED // (1000 if criterion else 2000)
    p = [paired_p(binormal(rng, 1000, n, positives, auc), positives) for _ in range(thousands)]
    normal, student = np.concatenate(p, axis=1) < ALPHA
    yield rejected(TYPE_ONE, "paired AUC difference", "delong_test", normal) | {"rate_student": student.mean()}


def unpaired(rng: np.random.Generator, n: int, positives: int, auc: float, criterion: bool) -> Iterator[dict]:
    """One true AUC in two independent groups of patients."""
    labels, p = first(positives, n), []
    for scores in binormal(rng, REPEATS, n, positives, auc, correlation=0):
        p.append(delong_unpaired(labels, scores[:, 0], labels, scores[:, 1]).p)
    yield rejected(TYPE_ONE, "unpaired AUC difference", "delong_unpaired", np.array(p) < ALPHA)


def together(rng: np.random.Generator, n: int, positives: int, auc: float, models: int) -> Iterator[dict]:
    """Several equally correlated scores with one true AUC in the same patients, tested at once."""
    labels, p = first(positives, n), []
    for _ in range(REPEATS):
        noise = (rng.normal(size=(n, 1)) + rng.normal(size=(n, models))) / np.sqrt(2)
        p.append(delong_global(labels, noise + np.sqrt(2) * norm.ppf(auc) * labels[:, None]).p)
    name = f"equality of {models} AUCs"
    yield rejected(TYPE_ONE, name, "delong_global", np.array(p) < ALPHA)


def nested(rng: np.random.Generator, n: int) -> Iterator[dict]:
    """A useless predictor added to a logistic model, both models judged on the patients they were fitted to."""
    p = []
    for _ in range(REPEATS):
        predictors = rng.normal(size=(n, 2))
        labels = (rng.random(n) < expit(-1 + predictors[:, 0])).astype(int)
        designs = [np.column_stack([np.ones(n), predictors[:, :k]]) for k in (1, 2)]
        smaller, larger = (x @ weighted_logistic(x, labels, np.ones((1, n)))[0] for x in designs)
        p.append([delong_test(labels, larger, smaller).p, likelihood_ratio_test(labels, *designs).p])
    for name, hits in zip(NESTED, np.transpose(p) < ALPHA, strict=True):
        yield rejected(MISUSE, "nested models, on the patients they were fitted to", name, hits)


def repeated(rng: np.random.Generator, n: int) -> Iterator[dict]:
    """Two models with as good predictors as each other, in ten times repeated five-fold cross-validation."""
    p = []
    for _ in range(REPEATS):
        predictors = rng.normal(size=(n, 10))  # the first five are model A's
        labels = (rng.random(n) < expit(-1 + 0.35 * predictors.sum(axis=1))).astype(int)
        fold = np.stack([rng.permutation(n) % 5 for _ in range(10)])  # (10 repeats, n)
        out_of_fold = []
        for columns in (predictors[:, :5], predictors[:, 5:]):
            design = np.column_stack([np.ones(n), columns])
            training = (fold[:, None, :] != np.arange(5)[:, None]).reshape(-1, n).astype(float)
            beta = weighted_logistic(design, labels, training).reshape(10, 5, -1)
            out_of_fold.append(np.einsum("np,rnp->rn", design, beta[np.arange(10)[:, None], fold]))
        a, b = out_of_fold
        stacked, once = delong_test(np.tile(labels, 10), a.ravel(), b.ravel()), delong_test(labels, a[0], b[0])
        fixed = delong_test(labels, predictors[:, :5].sum(axis=1), predictors[:, 5:].sum(axis=1))
        p.append([stacked.p, once.p, fixed.p])
    for name, hits in zip(REPEATED, np.transpose(p) < ALPHA, strict=True):
        yield rejected(MISUSE, "equally good models", name, hits)


def area(rng: np.random.Generator, n: int, positives: int, auc: float, criterion: bool) -> Iterator[dict]:
    """Intervals of one AUC."""
    labels, scores = first(positives, n), binormal(rng, REPEATS, n, positives, auc)[:, :, 0]
    for scale in ("plain", "logit"):
        yield covered("AUC", f"auc_interval, {scale}", auc, [auc_interval(labels, s, scale=scale) for s in scores])
    for method in ("percentile", "bca"):
        drawn = [
            bootstrap(weighted_auc, labels, s, resamples=RESAMPLES, seed=i, method=method)[0]
            for i, s in enumerate(scores if criterion else scores[: REPEATS // 2])
        ]
        yield covered("AUC", f"bootstrap, {method}", auc, drawn) | {"resamples": RESAMPLES}


def difference(rng: np.random.Generator, n: int, positives: int, auc: float, criterion: bool) -> Iterator[dict]:
    """Interval of the difference of two paired AUCs that truly differ by 0.05."""
    labels, both = first(positives, n), binormal(rng, REPEATS, n, positives, (auc + 0.05, auc))
    tests = [delong_test(labels, *scores.T) for scores in both]
    yield covered("AUC difference (0.05)", "delong_test", 0.05, [Interval(*test[:3]) for test in tests])


def sensitivity(rng: np.random.Generator, n: int, positives: int, auc: float, criterion: bool) -> Iterator[dict]:
    """Sensitivity at a frozen threshold, half way between the classes."""
    truth = float(norm.cdf(norm.ppf(auc) / np.sqrt(2)))
    found = rng.binomial(positives, truth, size=REPEATS)
    yield covered("sensitivity", "wilson", truth, [wilson(k, positives) for k in found])


def calibration(rng: np.random.Generator, n: int, slope: float, criterion: bool) -> Iterator[dict]:
    """Intercept and slope of predictions whose log odds are off by 0.3 and, where the slope is 0.7, too extreme."""
    draws = [outcomes(rng, n, slope) for _ in range(REPEATS)]
    # in the large: the shift that makes expected and true frequencies agree; 0.3 where the slope is 1
    shift = brentq(lambda a: mean_over(lambda x: expit(0.3 + slope * x) - expit(a + x)), -3, 3, xtol=1e-12)
    yield covered("calibration slope", "calibration_slope", slope, [calibration_slope(*draw) for draw in draws])
    intercepts = [calibration_intercept(*draw) for draw in draws]
    yield covered("calibration intercept", "calibration_intercept", shift, intercepts)


def net_benefit(rng: np.random.Generator, n: int, slope: float, criterion: bool) -> Iterator[dict]:
    """Net benefit at a threshold probability of 0.3, with the band of the decision curve."""
    treated_from, odds, bands = float(np.log(3 / 7)), 3 / 7, []
    truth = mean_over(lambda x: expit(0.3 + slope * x) - odds * expit(-0.3 - slope * x), treated_from)
    for seed in range(REPEATS if criterion else REPEATS // 2):
        labels, probability = outcomes(rng, n, slope)
        patients = pd.DataFrame({"patient_id": np.arange(n), "label": labels, "probability": probability})
        curve = decision_curve(patients.assign(split="external", model="m"), [0.3], resamples=RESAMPLES, seed=seed)
        bands.append(Interval(*curve.set_index("model").loc["m", ["net_benefit", "low", "high"]]))
    yield covered("net benefit at 0.3", "decision_curve", truth, bands) | {"resamples": RESAMPLES}


def binormal(
    rng: np.random.Generator, repeats: int, n: int, positives: int, auc: float | tuple, correlation: float = 0.5
) -> NDArray:
    """Scores ``(repeats, n, 2)``, positives first: normal with SD 1 in a class, means √2 Φ⁻¹(AUC) apart."""
    scores = rng.normal(size=(repeats, n, 2))
    scores[:, :, 1] = correlation * scores[:, :, 0] + np.sqrt(1 - correlation**2) * scores[:, :, 1]
    scores[:, :positives] += np.sqrt(2) * norm.ppf(auc)
    return scores


def outcomes(rng: np.random.Generator, n: int, slope: float) -> tuple[NDArray, NDArray]:
    """Labels, and predictions whose log odds are normal (mean -1.2, SD 1); the true ones are 0.3 + slope times them."""
    x = rng.normal(-1.2, 1, size=n)
    return (rng.random(n) < expit(0.3 + slope * x)).astype(int), expit(x)


def mean_over(f: Callable[[float], float], start: float = -12.0) -> float:
    """Integral of ``f`` over the predicted log odds of the population of :func:`outcomes`, from ``start`` on."""
    return quad(lambda x: f(x) * norm.pdf(x, -1.2, 1), start, 10, epsabs=1e-12)[0]


def first(positives: int, n: int) -> NDArray[np.int64]:
    """Labels with the positives first."""
    return (np.arange(n) < positives).astype(np.int64)


def paired_p(scores: NDArray, positives: int) -> tuple[NDArray, NDArray]:
    """P values of ``delong_test`` for all repeats at once (the test holds this twin against it), and of its z as a t.

    The t is that of ``delong_test(..., reference="t")``.
    """
    m, n = positives, scores.shape[1] - positives
    ranks = rankdata(scores, axis=1)
    up = (ranks[:, :m] - rankdata(scores[:, :m], axis=1)) / n
    down = (ranks[:, m:] - rankdata(scores[:, m:], axis=1)) / m
    up, down = up[..., 0] - up[..., 1], down[..., 0] - down[..., 1]
    of_up, of_down = up.var(axis=1, ddof=1) / m, down.var(axis=1, ddof=1) / n
    apart, variance = np.abs(up.mean(axis=1)), of_up + of_down
    with np.errstate(invalid="ignore", divide="ignore"):
        # without variance, equal AUCs have p = 1 and others no p, as in the library
        z = np.where(variance > 0, apart / np.sqrt(variance), np.where(apart > 0, np.nan, 0.0))
        freedom = np.where(variance > 0, variance**2 / (of_up**2 / (m - 1) + of_down**2 / (n - 1)), 1.0)
    return 2 * norm.sf(z), 2 * t.sf(z, freedom)


def rejected(part: str, statistic: str, method: str, hits: NDArray) -> dict:
    """A line of the table: how often the test rejected at 5%, its Wilson interval, and where 5% lies beside it."""
    share, verdict = wilson(hits.sum(), len(hits)), KEPT
    if not share.low <= ALPHA <= share.high:
        slightly = "slightly " if abs(share.estimate - ALPHA) <= STRINGENT else ""
        verdict = slightly + ("too often" if share.estimate > ALPHA else "too rarely")
    named = {"part": part, "statistic": statistic, "method": method, "repeats": len(hits), "verdict": verdict}
    return named | {"rate": share.estimate, "rate_low": share.low, "rate_high": share.high}


def covered(statistic: str, method: str, truth: float, intervals: list[Interval]) -> dict:
    """A line of the table: how often the interval held the truth. A missing interval (counted) does not hold it."""
    ends = np.array([interval[1:] for interval in intervals])
    line = rejected(COVERAGE, statistic, method, (ends[:, 0] <= truth) & (truth <= ends[:, 1]))
    low, high = COVERAGE_RANGE
    verdict = "too rarely" if line["rate"] < low else "too often" if line["rate"] > high else KEPT
    missing = np.isnan(ends).any(axis=1)
    width = float(np.diff(ends[~missing], axis=1).mean())
    return line | {"verdict": verdict, "truth": truth, "width": width, "undefined": int(missing.sum())}
