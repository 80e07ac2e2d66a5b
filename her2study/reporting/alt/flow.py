"""The diagrams in words."""

from __future__ import annotations

import pandas as pd

from her2study.words import listing, spell


def cohort_flow(frame: pd.DataFrame) -> str:
    """How many were screened, excluded why, included, and where they went."""
    rows = frame.sort_values("order")
    parts = dict(list(rows.groupby("kind")))
    sentences = []
    if "included" in parts:
        chain = [f"{row.label.lower()} {row.n:,}" for row in parts["included"].itertuples()]
        sentences.append(f"Flow of patients: {listing(chain)}.")
    if "excluded" in parts:
        out = parts["excluded"]
        reasons = [f"{row.label} {row.n:,}" for row in out.itertuples()]
        sentences.append(f"Excluded {out['n'].sum():,}: {'; '.join(reasons)}.")
    for kind, words in (("split", "Split"), ("centre", "By centre")):
        if kind in parts:
            sentences.append(f"{words}: {listing([f'{spell(r.label)} {r.n:,}' for r in parts[kind].itertuples()])}.")
    return " ".join(sentences)


def workflow(frame: pd.DataFrame) -> str:
    """The stages of the study and the steps of each."""
    rows = frame.sort_values("order")
    stages = []
    for stage, part in rows.groupby("stage", sort=False):
        steps = [f"{row.label} ({row.detail})" if str(row.detail) else str(row.label) for row in part.itertuples()]
        stages.append(f"{stage}: {'; '.join(steps)}.")
    return f"Diagram of {len(stages)} stages from left to right. {' '.join(stages)}"


def network(frame: pd.DataFrame) -> str:
    """Input, layers in order and size of the network."""
    rows = frame.sort_values("order")
    first, rest = rows.iloc[0], rows.iloc[1:]
    layers = ", ".join(f"{row.layer} ({row.output})" for row in rest.itertuples())
    text = (
        f"Diagram of the network from top to bottom: {first['layer']} {first['output']} ({first['detail']}), {layers}; "
        f"{rows['parameters'].sum():,} parameters in all."
    )
    if "branch" in rows and (rows["branch"] > 1).any():
        own = rows[rows["branch"] > 1]
        text += f" A second branch starts from the input again at {own.iloc[0]['layer']}."
    return text.replace(" x ", " × ")
