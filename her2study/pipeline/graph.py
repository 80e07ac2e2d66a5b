"""The graph: which step of the chain needs which, for every study, written down once.

A step is one execution of a notebook (``04_dscore_fold`` is executed once per fold) or one of the
four plain steps around the notebooks: ``simulate`` makes the patients when the study has none,
``figures`` draws the stored figure data to files, ``tables`` prints the stored tables, and ``report``
makes pages of all results.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from her2study.store import Run
from her2study.study import Study, load_study, nearest, papers_folder
from her2study.types import StudyError


class Stage(NamedTuple):
    """One row of the graph."""

    needs: tuple[str, ...]
    images: bool = False
    notebook: bool = True


STAGES: Mapping[str, Stage] = {
    "simulate": Stage((), notebook=False),
    "01_cohort": Stage(("simulate",)),
    "02_imaging": Stage(("01_cohort",), images=True),
    "03_radiomics": Stage(("02_imaging",), images=True),
    "04_dscore_fold": Stage(("02_imaging",), images=True),
    "05_dscore": Stage(("04_dscore_fold",), images=True),
    "06_baselines": Stage(("01_cohort", "03_radiomics", "05_dscore")),
    "07_clinical": Stage(("01_cohort",)),
    "08_combined": Stage(("05_dscore", "07_clinical"), images=True),
    "09_evaluation": Stage(("05_dscore", "06_baselines", "07_clinical", "08_combined")),
    "10_explanation": Stage(("05_dscore", "06_baselines", "07_clinical", "08_combined")),
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
    notebooks = Path(os.environ.get("HER2STUDY_NOTEBOOKS") or home / "notebooks").resolve()
    results = Path(os.environ.get("HER2STUDY_RESULTS") or home / "results").resolve()
    data = str(Path(data).expanduser().resolve()) if data else ""
    run = Run(study, results, data)
    simulate = study.simulated and not data
    if not simulate:
        _check_source(study, run, data)
    nodes = build_nodes(study, images=simulate or run.has_images, simulate=simulate, data=data)
    return Chain(study, run, notebooks, data, nodes)


def build_nodes(study: Study, images: bool, simulate: bool, data: str) -> dict[str, Node]:
    """The steps of a study by name, in an order in which each follows all it needs."""
    members: dict[str, tuple[str, ...]] = {}  # the steps that a stage became
    nodes: dict[str, Node] = {}
    for stage, (needs, needs_images, notebook) in STAGES.items():
        if (needs_images and not images) or (stage == "simulate" and not simulate):
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
        reason = " in this study (its source has no images)" if stem in STAGES and STAGES[stem].images else ""
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
    for table in (study.source.table, *study.source.joins):
        if not (run.source / table).is_file():
            present = sorted(path.name for path in run.source.iterdir() if path.is_file())
            raise StudyError(
                f"{run.source / table}: the clinical table named in {study.folder / 'study.yml'} does not exist"
                f"{nearest(table, present)} Files there: {', '.join(present) or 'none'}."
            )
