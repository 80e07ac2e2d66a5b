"""What a bundle holds, as one object, and as the files ``bundle.json`` and ``reference/*.csv``."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import BaseModel, ValidationError

from her2study.study import (
    Centres,
    Exclusion,
    Imaging,
    Network,
    Outcome,
    Source,
    Statistics,
    Variable,
)
from her2study.types import StudyError

if TYPE_CHECKING:
    from her2study.models.network import DScoreNetwork

DOCUMENT = "bundle.json"

FRAMES = {
    "reference_scores": "reference/scores.csv",
    "case_mix": "reference/case_mix.csv",
    "performance": "reference/performance.csv",
}
"""Fields of :class:`Bundle` that are tables, and their files."""

SCORE_COLUMNS = ("patient", "model", "label", "probability", "fold")

SECTIONS: Mapping[str, type[BaseModel]] = {
    "outcome": Outcome, "source": Source, "centres": Centres, "statistics": Statistics, "imaging": Imaging,
    "network": Network,
}  # fmt: skip

PLAIN = (
    "name", "title", "profile", "simulated", "seed", "citation", "mending", "channels", "calibration", "thresholds",
    "logistic", "folds", "likeness",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Bundle:
    """A frozen study.

    Attributes
    ----------
    name, title, profile : str
        Of the study; ``profile`` is "full" unless it was a trial run.
    simulated : bool
        Whether its patients were simulated, which everything made with it must say.
    outcome, variables, source, centres, exclusions, statistics
        Sections of the study's settings. A table in the study's own format is read by ``source`` and ``mending``.
    mending : dict or None
        Content of the mending file as plain values, without its corrections, which name patients.
    imaging, network : settings or None
        None where the study has no network; ``channels`` are then empty and ``folds`` is 0.
    channels : tuple of str
        What each network gets, in order; the mask comes last.
    logistic : dict
        Frozen logistic models by name (clinical, combined), see :mod:`her2study.models.frozen`.
    calibration : dict or None
        ``intercept, slope``: D-score = expit(intercept + slope * mean logit of the networks).
    thresholds : dict
        ``{model: {rule: probability}}`` of dscore, clinical and combined, chosen in development.
    reference_scores : DataFrame
        ``patient, model, label, probability, fold``: out-of-fold scores of the development patients, who have a
        running number here in no order of theirs.
    case_mix : DataFrame
        Table 1 of the study, long: ``by, group, variable, level, n, missing, count, mean, ...``
    performance : DataFrame
        What each model reached in each split of the study.
    likeness : dict or None
        What training scans look like, see :mod:`her2study.models.likeness`.
    fingerprint : str
        Of all files; empty in a bundle that is not signed yet.
    files : mapping
        Every file, read once and checked.
    """

    name: str
    title: str
    simulated: bool
    outcome: Outcome
    variables: dict[str, Variable]
    source: Source
    centres: Centres
    logistic: dict[str, dict[str, Any]]
    thresholds: dict[str, dict[str, float]]
    reference_scores: pd.DataFrame
    case_mix: pd.DataFrame
    performance: pd.DataFrame
    statistics: Statistics
    seed: int = 0
    profile: str = "full"
    citation: str = ""
    mending: dict[str, Any] | None = None
    exclusions: tuple[Exclusion, ...] = ()
    imaging: Imaging | None = None
    network: Network | None = None
    channels: tuple[str, ...] = ()
    folds: int = 0
    calibration: dict[str, float] | None = None
    likeness: dict[str, Any] | None = None
    fingerprint: str = ""
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def networks(self) -> list[DScoreNetwork]:
        """The fold networks, ready for inference; none in a study without images."""
        return list(self._networks)

    @cached_property
    def _networks(self) -> tuple[DScoreNetwork, ...]:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        from her2study.models.network import network_from_arrays

        if self.network is None:
            return ()
        networks = []
        for fold in range(self.folds):
            try:
                arrays = load(self.files[weights_file(fold)])
                network = network_from_arrays(self.network, arrays, self.channels)
            except (SafetensorError, RuntimeError, KeyError) as error:
                words = str(error).splitlines()[0]
                raise StudyError(f"{self.name}: {weights_file(fold)} does not fit bundle.json ({words})") from None
            networks.append(network.requires_grad_(False))
        return tuple(networks)


def weights_file(fold: int) -> str:
    """Where the weights of a fold's network lie in a bundle."""
    return f"weights/dscore_fold_{fold}.safetensors"


def to_files(bundle: Bundle) -> dict[str, bytes]:
    """``bundle.json`` and the tables."""
    document: dict[str, Any] = {name: getattr(bundle, name) for name in PLAIN}
    for name in SECTIONS:
        section = getattr(bundle, name)
        document[name] = section.model_dump(mode="json") if section else None
    document["variables"] = {name: variable.model_dump(mode="json") for name, variable in bundle.variables.items()}
    document["exclusions"] = [exclusion.model_dump(mode="json") for exclusion in bundle.exclusions]
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    tables = {file: _to_csv(getattr(bundle, name), bundle.simulated) for name, file in FRAMES.items()}
    return {DOCUMENT: text.encode(), **tables}


def from_files(files: Mapping[str, bytes], fingerprint: str, where: str) -> Bundle:
    """The bundle of these files, whose signature was checked.

    Raises
    ------
    StudyError
        A setting is not what this version knows.
    """
    try:
        document = json.loads(files[DOCUMENT])
        sections = {name: kind(**document[name]) if document[name] else None for name, kind in SECTIONS.items()}
        plain = {name: document[name] for name in PLAIN} | {"channels": tuple(document["channels"])}
        return Bundle(
            **plain,
            **sections,
            variables={name: Variable(**told) for name, told in document["variables"].items()},
            exclusions=tuple(Exclusion(**told) for told in document["exclusions"]),
            **{name: _from_csv(files[file]) for name, file in FRAMES.items()},
            fingerprint=fingerprint,
            files=MappingProxyType(dict(files)),
        )
    except (ValidationError, ValueError, TypeError, KeyError, RecursionError) as error:
        first = str(error).splitlines()[0] if not isinstance(error, ValidationError) else _first(error)
        raise StudyError(
            f"{where}: {DOCUMENT}: not what this version of her2study reads ({first}); install the version that "
            "environment.txt names"
        ) from None


def _first(error: ValidationError) -> str:
    item = error.errors()[0]
    return f"{error.title}.{'.'.join(map(str, item['loc']))}: {item['msg']}"


def _to_csv(frame: pd.DataFrame, simulated: bool) -> bytes:
    """A table with every digit, its last column saying whose patients."""
    marked = frame.assign(patients="SIMULATED" if simulated else "real")
    return marked.to_csv(index=False, lineterminator="\n").encode()


def _from_csv(content: bytes) -> pd.DataFrame:
    frame = pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""])
    return frame.drop(columns="patients")
