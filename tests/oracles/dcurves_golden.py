"""Golden net benefit and interventions avoided, from the Python package dcurves, into dcurves.csv.

dcurves needs an older pandas than ours, so this runs in its own environment: `make oracles`
(build/peers/bin/python tests/oracles/dcurves_golden.py, in the project's root), after decisions.R has written the data.
dcurves treats a patient whose probability is at or above the threshold; in the set "tied" many probabilities are equal
to thresholds, in the others none is.
"""

from __future__ import annotations

from pathlib import Path

import dcurves
import pandas as pd

FOLDER = Path("tests/oracles")
SETS = ("continuous", "tied", "small", "rare")
THRESHOLDS = [0.01, *(round(0.05 * i, 2) for i in range(1, 20)), 0.99]


def main() -> None:
    """Write one row for each set, model (a, b, all, none) and threshold."""
    data, tables = pd.read_csv(FOLDER / "decisions_data.csv"), []
    for name in SETS:
        patients = data[data["set"] == name]
        table = dcurves.dca(data=patients, outcome="label", modelnames=["a", "b"], thresholds=THRESHOLDS, nper=100)
        tables.append(table.assign(set=name)[["set", "model", "threshold", "net_benefit", "net_intervention_avoided"]])
    pd.concat(tables).to_csv(FOLDER / "dcurves.csv", index=False, float_format="%.17g", lineterminator="\n")


if __name__ == "__main__":
    main()
