"""The graph: which step of the chain needs which, for every study, written down once.

A step is one execution of a notebook (``04_dscore_fold`` is executed once per fold) or one of the
four plain steps around the notebooks: ``simulate`` makes the patients when the study has none,
``figures`` draws the stored figure data to files, ``tables`` prints the stored tables, and ``report``
makes pages of all results.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from her2study.store import Run
from her2study.study import Study, load_study, nearest, papers_folder
from her2study.types import StudyError


class Parts(NamedTuple):
    """What a study is made of, by which its steps are chosen."""

    simulate: bool = False
    images: bool = False
    scores: bool = False
    features: bool = False
    candidates: bool = True

    @property
    def dscore(self) -> bool:
        """Whether there is a D-score: the study's own scores, or a network on images."""
        return self.images or self.scores


class Stage(NamedTuple):
    """One row of the graph: what it needs, and what the study must have for it, with the reason if it has not."""

    needs: tuple[str, ...]
    wanted: Callable[[Parts], bool] = lambda has: True
    without: str = ""
    notebook: bool = True


NO_IMAGES = "its source has no images"

STAGES: Mapping[str, Stage] = {
    "simulate": Stage((), lambda has: has.simulate, "its patients are not simulated", notebook=False),
    "01_cohort": Stage(("simulate",)),
    "02_imaging": Stage(("01_cohort",), lambda has: has.images, NO_IMAGES),
    "03_radiomics": Stage(("02_imaging",), lambda has: has.images, NO_IMAGES),
    "04_dscore_fold": Stage(
        ("02_imaging",), lambda has: has.images and not has.scores, f"{NO_IMAGES}, or it has scores of its own"
    ),
    "05_dscore": Stage(
        ("04_dscore_fold",), lambda has: has.images and not has.scores, f"{NO_IMAGES}, or it has scores of its own"
    ),
    "05_own_scores": Stage(("01_cohort",), lambda has: has.scores, "source.scores names no table"),
    "06_baselines": Stage(
        ("01_cohort", "03_radiomics", "05_dscore", "05_own_scores"),
        lambda has: has.images or has.features or has.candidates,
        "it has neither variables nor features for them",
    ),
    "07_clinical": Stage(("01_cohort",), lambda has: has.candidates, "none of its variables is a candidate"),
    "08_combined": Stage(
        ("05_dscore", "05_own_scores", "07_clinical"),
        lambda has: has.dscore and has.candidates,
        f"{NO_IMAGES}, or no variable is a candidate",
    ),
    "09_evaluation": Stage(("05_dscore", "05_own_scores", "06_baselines", "07_clinical", "08_combined")),
    "10_explanation": Stage(
        ("05_dscore", "05_own_scores", "06_baselines", "07_clinical", "08_combined"),
        lambda has: has.images or has.features or has.candidates,
        "its scores come without the model that made them",
    ),
    "11_claims": Stage(("09_evaluation", "10_explanation")),
    "figures": Stage(("09_evaluation", "10_explanation"), notebook=False),  # 11 draws nothing
    "tables": Stage(("11_claims",), notebook=False),
    "report": Stage(("11_claims", "figures", "tables"), notebook=False),
}
"""In reading order; a stage that is absent from a study is also absent from what the others need."""


@dataclass(frozen=True)
class Node:
    """One step to run: its name, the notebook (or none), its parameters and the steps before it."""

    name: str
    stage: str
    notebook: bool
    parameters: Mapping[str, Any]
    upstream: tuple[str, ...]

    @property
    def label(self) -> str:
        """The name in print: ``04_dscore_fold[2]``."""
        return f"{self.stage}[{self.parameters['fold']}]" if "fold" in self.parameters else self.name


@dataclass(frozen=True)
class Chain:
    """The steps of one study under one profile, and where they read and write."""

    study: Study
    run: Run
    notebooks: Path
    data: str
    nodes: Mapping[str, Node]

    def notebook(self, node: Node) -> Path:
        """The notebook that a step executes."""
        return self.notebooks / f"{node.stage}.ipynb"

    def stamp(self, name: str) -> Path:
        """The empty file by which Snakemake knows that a step is done; the record is what proves it."""
        return self.run.folder / ".chain" / name

    def ancestors(self, name: str) -> set[str]:
        """Names of all steps before a step."""
        direct = set(self.nodes[name].upstream)
        return direct.union(*(self.ancestors(parent) for parent in direct))

    def environment(self) -> dict[str, str]:
        """Variables that let another process, started in any folder, open the same chain."""
        return {
            "HER2STUDY_PAPERS": str(self.study.folder.parent.resolve()),
            "HER2STUDY_RESULTS": str(self.run.folder.parent),
            "HER2STUDY_NOTEBOOKS": str(self.notebooks),
        }


def open_chain(name: str, profile: str = "full", data: str = "") -> Chain:
    """The chain of a study, after every check that needs no patient to be read.

    Parameters
    ----------
    name, profile : str
        A folder of ``papers/`` and a profile of its ``study.yml``.
    data : str
        Source folder of the patients, relative to the current folder; empty for the simulated ones.

    Raises
    ------
    StudyError
        Unknown study, profile or setting; the source folder or its clinical table is absent.
    """
    study = load_study(name, profile)
    home = papers_folder().resolve().parent
    beside = home / "notebooks"
    own = beside if beside.is_dir() else Path(__file__).resolve().parents[2] / "notebooks"  # papers may lie anywhere
    notebooks = Path(os.environ.get("HER2STUDY_NOTEBOOKS") or own).resolve()
    results = Path(os.environ.get("HER2STUDY_RESULTS") or home / "results").resolve()
    data = str(Path(data).expanduser().resolve()) if data else ""
    run = Run(study, results, data)
    simulate = study.simulated and not data
    if not simulate:
        _check_source(study, run, data)
    parts = parts_of(study, images=simulate or run.has_images, simulate=simulate)
    if not (parts.dscore or parts.features or parts.candidates):
        raise StudyError(
            f"study {name!r} has nothing to make a model of: no variable is a candidate (variables, "
            f"clinical.candidate_roles), {run.source} holds no images/ and segmentations/, and neither source.features "
            "nor source.scores names a table; give one of them"
        )
    return Chain(study, run, notebooks, data, build_nodes(study, parts, data))


def parts_of(study: Study, images: bool, simulate: bool) -> Parts:
    """What a study with or without images is made of."""
    own = study.source
    return Parts(simulate, images, bool(own.scores), bool(own.features), bool(study.candidates))


def build_nodes(study: Study, parts: Parts, data: str) -> dict[str, Node]:
    """The steps of a study by name, in an order in which each follows all it needs."""
    members: dict[str, tuple[str, ...]] = {}  # the steps that a stage became
    nodes: dict[str, Node] = {}
    for stage, (needs, wanted, _, notebook) in STAGES.items():
        if not wanted(parts):
            continue
        common = {"study_name": study.name, "profile": study.profile, "data": data} if notebook else {}
        variants: list[dict] = [common]
        if stage == "04_dscore_fold":
            variants = [{**common, "fold": fold} for fold in range(study.split.folds)]
        upstream = tuple(name for need in needs for name in members.get(need, ()))
        for variant in variants:
            name = f"{stage}_{variant['fold']}" if "fold" in variant else stage
            nodes[name] = Node(name, stage, notebook, variant, upstream)
            members[stage] = (*members.get(stage, ()), name)
    return nodes


def find_node(chain: Chain, name: str, parameters: Mapping[str, Any]) -> Node:
    """The one step of that name, or of that notebook with those parameters.

    Raises
    ------
    StudyError
        No step, or more than one, is meant.
    """
    if name in chain.nodes and not parameters:
        return chain.nodes[name]
    stem = name.removesuffix(".ipynb")
    of_stage = [node for node in chain.nodes.values() if stem in (node.stage, node.name)]
    if not of_stage:
        reason = f" in this study ({STAGES[stem].without})" if stem in STAGES else ""
        raise StudyError(
            f"unknown step {name!r}{reason}{nearest(name, chain.nodes)} Known steps: {', '.join(chain.nodes)}."
        )
    meant = [node for node in of_stage if all(node.parameters.get(k) == v for k, v in parameters.items())]
    if len(meant) == 1:
        return meant[0]
    choices = ", ".join(node.name for node in of_stage)
    given = ", ".join(f"{key}={value!r}" for key, value in parameters.items()) or "no parameter"
    number = f"{len(meant)} steps" if meant else "no step"
    raise StudyError(f"{name} with {given} is {number} of the study; name one of: {choices}")


def _check_source(study: Study, run: Run, data: str) -> None:
    """The folder of patients and its clinical table must exist before anything starts."""
    if not data:
        raise StudyError(
            f"study {study.name!r} needs a folder of patients; say which: make reproduce STUDY={study.name} DATA=FOLDER"
        )
    if not run.source.is_dir():
        raise StudyError(f"DATA={data}: no such folder; give the folder that holds {study.source.table}")
    own = (*study.source.features, *([study.source.scores] if study.source.scores else []))
    for table in (study.source.table, *study.source.joins, *own):
        if not (run.source / table).is_file():
            present = sorted(path.name for path in run.source.iterdir() if path.is_file())
            what = "table" if table in own else "clinical table"
            raise StudyError(
                f"{run.source / table}: the {what} named in {study.folder / 'study.yml'} does not exist"
                f"{nearest(table, present)} Files there: {', '.join(present) or 'none'}."
            )
