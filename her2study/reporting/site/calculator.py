"""The frozen model as a fragment of a page that computes in the browser: no server, no network.

The fragment carries the model as JSON; ``assets/calculator.js``, which the page loads, does what
:func:`her2study.models.frozen.predict_frozen` does. Without JavaScript the equation, the table of points and the
nomogram still read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from scipy.special import expit
from scipy.stats import norm

from her2study.evaluation.wording import model_words
from her2study.models.encoding import PROBABILITY_FLOOR
from her2study.models.frozen import contributions
from her2study.models.nomogram import PointScale, point_scale
from her2study.reporting.site.nomogram_plan import axes_of, plan, points_by_predictor
from her2study.types import StudyError
from her2study.words import listing, number, percent_of, spell

KINDS = ("value", "log", "logit", "score", "level")
"""Kinds of terms that ``calculator.js`` computes: those of :class:`~her2study.models.encoding.Term`."""

RULES = {
    "youden": "Largest sum of sensitivity and specificity (Youden)",
    "sensitivity": "Stated sensitivity{target}",
    "specificity": "Stated specificity{target}",
}
"""How a frozen threshold was chosen, in words; always on out-of-fold probabilities of development patients."""


def calculator_html(
    frozen: Mapping[str, Any] | None,
    nomogram: pd.DataFrame | None,
    variables: Mapping[str, Any],
    simulated: bool,
    confidence: float = 0.95,
    outcome: str = "HER2-positive",
    targets: Mapping[str, float] | None = None,
) -> str:
    """The calculator as an HTML fragment; the page that shows it loads ``assets/calculator.js``.

    Parameters
    ----------
    frozen : mapping or None
        A frozen model (:mod:`her2study.models.frozen`), the combined or the clinical one; None if the run has none.
    nomogram : DataFrame or None
        Stored axes of this model's nomogram (:func:`her2study.models.nomogram.nomogram`); None: computed here.
    variables : mapping
        ``study.variables`` as settings or as plain mappings: label and unit.
    confidence : float
        Of the interval.
    outcome : str
        What a positive verdict means, in print.
    targets : mapping, optional
        Stated ``sensitivity`` and ``specificity`` of the thresholds.

    Raises
    ------
    StudyError
        A term of a kind that ``calculator.js`` does not know.
    """
    look = Environment(
        loader=PackageLoader("her2study.reporting.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    look.filters |= {"percent": percent, "plain": plain, "bare": bare}
    page = {"frozen": frozen, "simulated": simulated, "outcome": outcome, "confidence": percent_of(confidence)}
    if frozen is not None:
        axes = axes_of(frozen, nomogram)
        data = calculator_data(frozen, variables, axes, confidence, outcome, targets or {})
        page |= {
            "data": data,
            "json": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
            "model_words": model_words(frozen["model"]),
            "plans": [plan(axes, narrow) for narrow in (False, True)] if axes is not None and frozen["terms"] else [],
            "axes": points_by_predictor(axes),
            "totals": [] if axes is None else axes[axes["variable"] == "total"].to_dict("records"),
        }
    return look.get_template("calculator.html").render(page)


def calculator_data(
    frozen: Mapping[str, Any],
    variables: Mapping[str, Any],
    axes: pd.DataFrame | None,
    confidence: float = 0.95,
    outcome: str = "HER2-positive",
    targets: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """All that the browser needs: the model, its fields, the scale of its points, its thresholds in words."""
    for term in frozen["terms"]:
        if term["kind"] not in KINDS:
            raise StudyError(
                f"frozen/{frozen['model']}.json, term {term['name']!r}: the calculator cannot compute the kind "
                f"{term['kind']!r} (it knows {', '.join(KINDS)}); add it to reporting/site/assets/calculator.js"
            )
    scale = point_scale(frozen) if axes is not None else PointScale(1.0, {}, float(frozen["intercept"]))
    typical = _typical(frozen)
    return {
        "model": frozen["model"],
        "outcome": outcome,
        "intercept": frozen["intercept"],
        "terms": frozen["terms"],
        "covariance": frozen["covariance"],
        "z": float(norm.ppf(0.5 + confidence / 2)),
        "confidence": percent_of(confidence),
        "floor": PROBABILITY_FLOOR,
        "fields": [_field(name, frozen, variables, axes) for name in frozen["variables"]],
        "points": {"logOddsPerPoint": scale.log_odds_per_point, "lowest": scale.lowest} if axes is not None else None,
        "typical": {"contributions": typical, "probability": float(expit(frozen["intercept"] + sum(typical.values())))},
        "widest": _widest(scale, axes, typical),
        "thresholds": threshold_rows(frozen, targets or {}),
        "imputedAs": frozen["missing_values"],
    }


def threshold_rows(frozen: Mapping[str, Any], targets: Mapping[str, float]) -> list[dict[str, Any]]:
    """Each frozen threshold: ``rule``, ``words`` and ``value``, from low to high."""
    rows = []
    for rule, value in sorted(frozen.get("thresholds", {}).items(), key=lambda item: (item[1], item[0])):
        target = f" of at least {number(targets[rule], 0, percent=True)}%" if rule in targets else ""
        rows.append({"rule": rule, "words": RULES.get(rule, spell(rule)).format(target=target), "value": value})
    return rows


def percent(p: float) -> str:
    """``0.2345`` as ``23.5%``; near 0 and 1 two digits of what is left, as ``calculator.js`` prints it."""
    rest = min(p, 1 - p)
    if rest >= 0.0095:
        return f"{number(p, 1, percent=True)}%"
    if rest < 5e-7:
        return "< 0.0001%" if p < 0.5 else "> 99.9999%"
    return f"{number(p, min(4, int(-np.floor(np.log10(rest * 100))) + 1), percent=True)}%"


def plain(value: float, digits: int = 3) -> str:
    """A number of the clinic: three digits, no exponent, no needless zeros."""
    text = np.format_float_positional(value, precision=digits, fractional=False, trim="-")
    return text.replace("-", "−")


def bare(value: float) -> str:
    """A number as an attribute: every digit, no exponent."""
    return np.format_float_positional(value, trim="-")


def _typical(frozen: Mapping[str, Any]) -> dict[str, float]:
    """Log odds that each variable adds in a patient about whom nothing is known: imputed throughout."""
    values = {name: [variable["imputation"]] for name, variable in frozen["variables"].items()}
    added = contributions(frozen, pd.DataFrame(values))[0] if values else []
    sums = dict.fromkeys(frozen["variables"], 0.0)
    for term, log_odds in zip(frozen["terms"], added, strict=True):
        sums[term["variable"]] += float(log_odds)
    return sums


def _widest(scale: PointScale, axes: pd.DataFrame | None, typical: Mapping[str, float]) -> float:
    """The longest bar of the contributions: how far any predictor can lead from the typical patient."""
    if axes is None or not typical:
        return 1.0
    own = axes[axes["variable"] != "total"]
    added = own["points"] * scale.log_odds_per_point + own["variable"].map(scale.lowest) - own["variable"].map(typical)
    return float(added.abs().max()) or 1.0


def _field(name: str, frozen: Mapping[str, Any], variables: Mapping[str, Any], axes: pd.DataFrame | None) -> dict:
    """What the reader can set of one variable."""
    own, terms = frozen["variables"][name], [term for term in frozen["terms"] if term["variable"] == name]
    setting = variables.get(name, {})
    setting = setting.model_dump() if hasattr(setting, "model_dump") else setting
    field = {
        "name": name,
        "label": setting.get("label", own["label"]),
        "unit": setting.get("unit") or "",
        "typical": own["imputation"],
        "levels": own["levels"],
    }
    if own["levels"]:
        made = {term["level"] for term in terms if term["kind"] == "level"}
        unseen = [level for level in own["levels"][1:] if made and level not in made]
        return field | {"unseen": unseen, "start": own["imputation"]}
    kind = terms[0]["kind"]
    low, high = _reach(name, kind, own, axes)
    step = _step(kind, [*(own["range"] or []), own["imputation"]], high - low)
    decimals = max(0, int(-np.floor(np.log10(step))))
    return field | {
        "kind": kind,
        "range": own["range"],
        "printedRange": listing([plain(end) for end in own["range"]]).replace(" and ", " to ") if own["range"] else "",
        "low": low,
        "high": high,
        "step": step,
        "start": float(f"{own['imputation']:.{decimals}f}") or own["imputation"],  # 0 has no logarithm
    }


def _step(kind: str, seen: list[float], reach: float) -> float:
    """Of the slider: 1 for what was counted in whole units, else about a hundredth of its reach."""
    if kind == "logit":
        return 0.001
    whole = all(float(value).is_integer() for value in seen)
    return 1.0 if whole and reach >= 10 else float(f"{10 ** np.floor(np.log10(reach / 100)):.1g}")


def _reach(name: str, kind: str, own: Mapping[str, Any], axes: pd.DataFrame | None) -> tuple[float, float]:
    """Ends of the slider: those of the nomogram's axis, round numbers around the training range."""
    if kind == "logit":
        return 0.0, 1.0
    if axes is None:
        low, high = own["range"] or (own["imputation"] / 2, own["imputation"] * 2)
    else:
        values = axes.loc[axes["variable"] == name, "value"]
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)
