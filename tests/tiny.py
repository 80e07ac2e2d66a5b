"""A tiny study with tiny notebooks, so that the chain is tested without the study's own weight."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent

PARAMETERS = """\
study_name: str = "tiny"  # a folder of papers/
profile: str = "full"  # full or another profile of study.yml
data: str = ""  # source folder
"""

OPEN = "from her2study import open_study\nimport pandas as pd\nstudy, run = open_study(study_name, profile, data)\n"

TINY_NOTEBOOKS = {
    "01_cohort": """\
table = run.source / study.source.table
run.note_source([table])
people = pd.read_csv(table, dtype={"patient_id": str})
run.save_frame("cohort", people.assign(folds=study.split.folds))
""",
    "02_imaging": 'run.save_frame("volume_index", run.load_frame("cohort").assign(epoch=study.imaging.early_seconds))',
    "03_radiomics": """\
volumes = run.load_frame("volume_index")
run.save_frame("radiomics", volumes.assign(bins=study.radiomics.bin_number))
""",
    "04_dscore_fold": """\
scores = run.load_frame("volume_index").assign(fold=fold, epochs=study.network.epochs)
run.save_frame(f"fold_{fold}_scores", scores)
""",
    "05_dscore": """\
folds = [run.load_frame(f"fold_{fold}_scores") for fold in range(study.split.folds)]
run.save_frame("predictions_dscore", pd.concat(folds))
""",
    "06_baselines": """\
cohort = run.load_frame("cohort")
width = len(run.load_frame("radiomics").columns) if run.has("radiomics") else 0
run.save_frame("predictions_baselines", cohort.assign(width=width, tries=study.baselines.search_iterations))
""",
    "07_clinical": 'run.save_frame("predictions_clinical", run.load_frame("cohort").assign(p=study.clinical.keep_p))',
    "08_combined": """\
parts = [run.load_frame("predictions_dscore"), run.load_frame("predictions_clinical")]
run.save_frame("predictions_combined", pd.concat(parts))
""",
    "09_evaluation": """\
names = ["dscore", "baselines", "clinical", "combined"]
parts = [run.load_frame(f"predictions_{name}") for name in names if run.has(f"predictions_{name}")]
run.save_frame("predictions", pd.concat(parts))
run.save_table("performance", pd.DataFrame({"n": [len(part) for part in parts]}))
run.save_values("09_evaluation", {"rows": sum(map(len, parts))})
""",
    "10_explanation": """\
names = ["dscore", "baselines", "clinical", "combined"]
parts = [run.load_frame(f"predictions_{name}") for name in names if run.has(f"predictions_{name}")]
run.save_table("shap_ranking", pd.concat(parts))
""",
    "11_claims": 'run.save_json("headlines", [f"rows {run.load_values()[\'rows\']}"])',
}
"""Code of each notebook of the chain, reduced to what it reads, writes and which settings it touches."""

TINY_STUDY: dict[str, Any] = {
    "name": "tiny",
    "title": "A study for tests",
    "paper": {"citation": "none", "doi": "none", "public": "nothing"},
    "seed": 1,
    "source": {"kind": "folder", "table": "clinical.csv"},
    "outcome": {"column": "her2", "positive": ["yes"], "negative": ["no"], "label": "HER2-positive"},
    "centres": {"development": ["A"], "external": ["B"]},
    "variables": {"age_years": {"type": "continuous", "label": "Age", "role": "clinical"}},
    "split": {"folds": 2},
    "imaging": {},
    "radiomics": {"families": ["statistics"]},
    "network": {"epochs": 1},
    "baselines": {"models": ["svm"], "search_iterations": 1},
    "clinical": {},
    "statistics": {},
    "profiles": {"smoke": {"network": {"epochs": 2}}},
}

TINY_TABLE = "patient_id,centre,her2,age_years\n" + "".join(
    f"p{i},{'A' if i <= 8 else 'B'},{'yes' if i % 2 else 'no'},{49 + i}\n" for i in range(1, 11)
)


def write_notebook(path: Path, *cells: str, parameters: str = PARAMETERS) -> None:
    """A notebook of a title, the parameters cell and code cells."""
    sources = [("markdown", "# A page"), ("code", parameters), *(("code", cell) for cell in cells)]
    stored = [
        {"cell_type": kind, "id": f"cell-{i}", "metadata": {"tags": ["parameters"]} if i == 1 else {}, "source": source}
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for i, (kind, source) in enumerate(sources)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": stored, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


class Project(NamedTuple):
    """Folders of a tiny project; the environment points her2study to them."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def results(self) -> Path:
        return self.root / "results" / "tiny"

    def notebook(self, stem: str, *cells: str, parameters: str = PARAMETERS) -> None:
        """Replace a notebook."""
        if stem == "04_dscore_fold":
            parameters += "fold: int = 0  # which fold is held out\n"
        write_notebook(self.root / "notebooks" / f"{stem}.ipynb", OPEN, *cells, parameters=parameters)

    def settings(self, change: Callable[[dict], None] = lambda settings: None) -> None:
        """Write study.yml, changed."""
        settings = json.loads(json.dumps(TINY_STUDY))
        change(settings)
        (self.root / "papers" / "tiny" / "study.yml").write_text(yaml.safe_dump(settings, sort_keys=False))

    def images(self) -> None:
        """Give the patients images, so that the whole graph runs."""
        for name in ("images", "segmentations"):
            (self.data / name).mkdir()

    def variables(self) -> Mapping[str, str]:
        """The environment that leads her2study here."""
        folders = {"PAPERS": "papers", "NOTEBOOKS": "notebooks", "RESULTS": "results"}
        return {f"HER2STUDY_{name}": str(self.root / folder) for name, folder in folders.items()}
