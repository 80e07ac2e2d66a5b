"""Table and page of bench_dscore.py: docs/dscore.md, in which every number is computed."""

from __future__ import annotations

import pandas as pd

from her2study.study import Study

OWN = "development, out of fold"
"""The patients whom the models were developed on."""

TARGET = 0.02
"""How far below the image oracle the D-score may stay."""


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean and SD over the cohorts: one row a model and set."""
    numbers = ["auc", "gap", "expected_auc", "expected_gap"] + (["minutes"] if "minutes" in rows else [])
    grouped = rows.groupby(["group", "model", "set"], sort=False)
    return grouped[numbers].mean().join(grouped[numbers[:4]].std().add_suffix("_sd")).reset_index()


def page(study: Study, table: pd.DataFrame, control: pd.DataFrame, sizes: dict[str, int], seeds: list[int]) -> str:
    """The documentation page; every number in it is computed."""
    network, default = study.network, table[table["model"] == "default"].set_index("set")
    fresh = list(sizes)
    judged_on = " and ".join(f"{n:,} of {name}" for name, n in sizes.items())
    met = {name: default.loc[name, "expected_gap"] <= TARGET for name in fresh}
    verdict = "; ".join(
        f"{name}: {default.loc[name, 'gap']:.3f} on the labels drawn, {default.loc[name, 'expected_gap']:.3f} expected "
        f"over the draw ({'within' if met[name] else 'not within'} {TARGET:g})"
        for name in fresh
    )
    lines = [
        "# How close the D-score comes to the best possible",
        "",
        "Made by `make bench-dscore` (bench/bench_dscore.py); do not edit. Simulated patients: this shows what the",
        "method recovers of what was planted, and is no evidence about patients.",
        "",
        f"Development cohorts of seeds {', '.join(map(str, seeds))}; fresh patients: {judged_on}. Mean over the",
        "cohorts, with the standard deviation in brackets. Settings were chosen on cohorts of other",
        "seeds (11 to 14, 21, 22) and on other fresh patients, whose truth was looked at; these decided nothing.",
        "*Expected* is the AUC over the draw of HER2, each patient counting as",
        "positive with her planted probability: it has no luck in it. *Gap* is the distance to the image oracle.",
        "",
        f"**Distance of the default D-score to the image oracle** — {verdict}.",
        f"All {study.split.folds} folds: {default['minutes'].iloc[0]:.1f} minutes, two side by side.",
        "",
        "The *image oracle* reads the four signatures that the scan shows, rim, diameter and lesion type without error",
        "and knows the planted coefficients. It is not the planted image latent: the scan shows that only through the",
        "signatures, so the row *sees the latent itself* claims more than any scan holds. *Learns from error-free",
        "values* is a ridge logistic regression on what the oracle reads, fitted to the same development patients:",
        "the price of learning from so few.",
        "",
        "Convolutions trained on measurements see the lesion mask, as the measurements do; those trained on the",
        "labels, end to end, do not. So that ablation takes away the mask as well as the pretext task.",
        "",
    ]
    for group, rows in table.groupby("group", sort=False):
        lines += [f"## {group[0].upper()}{group[1:]}", "", *_markdown(rows, fresh), ""]
    canary = []
    for model, drawn in control.groupby("model", sort=False)["auc"]:
        fives = drawn.to_numpy().reshape(-1, 5).mean(axis=1)
        inside = ((fives >= 0.47) & (fives <= 0.53)).mean()
        canary.append(
            f"{model}: mean {drawn.mean():.3f} over {len(drawn)} permutations (its error {drawn.sem():.3f}); SD of "
            f"one {drawn.std():.3f}; of means of five, {inside:.0%} lie within 0.47-0.53"
        )
    lines += [
        "## Permuted labels",
        "",
        "Smoke size, labels permuted within centre, AUC on the true labels of fresh patients of the development",
        "centres. A chance direction agrees or disagrees with the true one, so a single permutation scatters widely",
        "whatever the number of fresh patients; what must be 0.5 is the mean.",
        "",
        *(f"- {line}" for line in canary),
        "",
        "Settings: `" + network.model_dump_json() + "`",
        "",
    ]
    return "\n".join(lines)


def _markdown(rows: pd.DataFrame, fresh: list[str]) -> list[str]:
    """One line a model, the sets side by side."""
    sets = [name for name in (OWN, *fresh) if (rows["set"] == name).any()]
    head = [
        "model",
        f"AUC {OWN}",
        *(f"{kind}, {name}" for name in fresh for kind in ("AUC", "expected", "expected gap")),
    ]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for model, own in rows.groupby("model", sort=False):
        by_set = own.set_index("set")
        cells = [model, _with_sd(by_set, OWN, "auc")]
        cells += [_with_sd(by_set, name, kind) for name in fresh for kind in ("auc", "expected_auc", "expected_gap")]
        lines.append("| " + " | ".join(cells) + " |")
    return lines if sets else []


def _with_sd(rows: pd.DataFrame, name: str, column: str) -> str:
    if name not in rows.index:
        return "–"
    return f"{rows.loc[name, column]:.3f} ({rows.loc[name, column + '_sd']:.3f})"
