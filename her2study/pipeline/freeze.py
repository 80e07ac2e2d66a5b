"""``her2study freeze``: the frozen models of a finished study as one bundle that another hospital can use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2study.pipeline.console import say
from her2study.pipeline.finished import check_finished
from her2study.pipeline.folder import LITTER, replaced_folder
from her2study.pipeline.graph import Chain
from her2study.pipeline.processes import sole_writer
from her2study.types import StudyError

if TYPE_CHECKING:  # torch and scipy take seconds, and a command must start at once
    from her2study.models.bundle import Bundle
    from her2study.models.bundle.ensemble import DScoreEnsemble

NAME = "bundle"


@dataclass(frozen=True)
class Frozen:
    """What was written, and how far it is from the study's own results (largest difference by what was compared)."""

    folder: Path
    archive: Path
    fingerprint: str
    differences: dict[str, float]


def freeze(chain: Chain, out: Path | None = None) -> Frozen:
    """Write the bundle of a finished study, folder and zip, and check that it gives the study's own probabilities.

    Parameters
    ----------
    out : Path, optional
        Folder that will hold both and nothing else; ``results/<study>/bundle`` by default.

    Raises
    ------
    StudyError
        The results are not finished, there is no frozen model, ``out`` holds something else, or the bundle does not
        give the study's probabilities. Nothing is written then.
    """
    check_finished(chain)
    out = out or chain.run.folder / NAME
    check_out(out, chain.run.folder.name)
    with sole_writer(chain.run.folder):
        frozen = write_frozen(chain, out)
    size = frozen.archive.stat().st_size / 2**20
    say(f"{frozen.archive} ({size:.1f} MB) and the same as a folder beside it")
    for what, difference in frozen.differences.items():
        say(f"  {what}: differs from the study by at most {difference:.1e}")
    say(f"fingerprint {frozen.fingerprint}: publish it, so that whoever gets the bundle can compare")
    return frozen


def write_frozen(chain: Chain, out: Path) -> Frozen:
    """Gather, seal, write beside ``out``, read back, compare, and only then put it in the place of ``out``."""
    from her2study.models.bundle import read_bundle, seal, write_bundle
    from her2study.pipeline.freeze_check import check_bundle
    from her2study.pipeline.freeze_gather import gather_bundle

    bundle, weights = gather_bundle(chain.study, chain.run)
    if not bundle.logistic and not weights:
        raise StudyError(f"{chain.run.folder}: holds no frozen model, so there is nothing to freeze")
    say(f"{bundle.name}: {', '.join(bundle.thresholds)}" + (f", {len(weights)} networks" if weights else ""))
    files = seal(bundle, weights, beside=_beside(chain, bundle, weights))
    with replaced_folder(out) as part:
        folder, archive = write_bundle(files, bundle.name, part)
        written = read_bundle(archive)
        if read_bundle(folder).fingerprint != written.fingerprint:
            raise StudyError(f"{out}: folder and zip differ as they were read back; check the disk")
        differences = check_bundle(written, chain.run)
    return Frozen(out / folder.name, out / archive.name, written.fingerprint, differences)


def check_out(out: Path, name: str) -> None:
    """Refuse a folder with anything in it but an earlier bundle of this study.

    Raises
    ------
    StudyError
        ``out`` is a file, or holds something else, or a bundle that was changed.
    """
    from her2study.models.bundle import signature
    from her2study.models.bundle.archive import ARCHIVE_ENDING, ENDING, from_folder, from_zip

    mend = "give --out a new folder, or move it away"
    if out.exists() and not out.is_dir():
        raise StudyError(f"{out} is a file; {mend}")
    for place in sorted(out.iterdir()) if out.exists() else ():
        if place.name in LITTER:
            continue
        if place.name not in (f"{name}{ENDING}", f"{name}{ARCHIVE_ENDING}"):
            raise StudyError(f"{out} holds {place.name}, which is not the bundle of {name} and would be lost; {mend}")
        try:
            signature.check(from_folder(place) if place.is_dir() else from_zip(place), str(place))
        except StudyError as error:
            raise StudyError(f"{place} is in the way and no bundle as it was written ({error}); {mend}") from None


def _beside(chain: Chain, bundle: Bundle, weights: list) -> dict[str, bytes]:
    """The files for people and for other programs."""
    from her2study.models.bundle.documents import LICENCE, environment, licence_text
    from her2study.models.bundle.template import codebook, template_csv

    licence = licence_text(chain.study.folder)
    files = {
        "template.csv": template_csv(bundle),
        "codebook.md": codebook(bundle),
        "model_card.md": _model_card(chain, bundle, weights).encode(),
        "environment.txt": environment().encode(),
        LICENCE: licence.encode(),
    }
    if weights:
        files |= _exports(bundle, weights, licence)
    return files


def _exports(bundle: Bundle, weights: list, licence: str) -> dict[str, bytes]:
    """The whole D-score as ONNX and as a MONAI bundle."""
    from her2study.models.bundle import onnx_export
    from her2study.models.bundle.monai_export import to_monai

    say("  writing the network as ONNX: half a minute")
    ensemble = make_ensemble(bundle, weights)
    shape = (len(bundle.channels), *bundle.imaging.crop_voxels) if bundle.imaging else (0, 0, 0, 0)
    told = {
        "study": bundle.name,
        "title": bundle.title,
        "patients": "SIMULATED" if bundle.simulated else "real",
        "channels": ", ".join(bundle.channels),
        "output": f"probability of {bundle.outcome.label}",
        "use": "research only",
    }
    return {onnx_export.FILE: onnx_export.to_onnx(ensemble, shape, told), **to_monai(bundle, ensemble, licence)}


def make_ensemble(bundle: Bundle, weights: list) -> DScoreEnsemble:
    """The fold networks of these weights as one."""
    from her2study.models.bundle.ensemble import DScoreEnsemble
    from her2study.models.network import network_from_arrays

    assert bundle.network is not None
    assert bundle.calibration is not None
    networks = [network_from_arrays(bundle.network, arrays, bundle.channels) for arrays in weights]
    return DScoreEnsemble(networks, bundle.network.average_flips, **bundle.calibration)


def _model_card(chain: Chain, bundle: Bundle, weights: list) -> str:
    """The study's model card, with what is in the bundle."""
    from her2study.reporting.bundle_part import add_bundle_part
    from her2study.reporting.model_card import model_card
    from her2study.reporting.sheets import sheet_markdown

    study, run = chain.study, chain.run
    tables = {name: run.load_table(name) for name in run.table_names()}
    settings: dict[str, Any] = study.model_dump(mode="json")
    sheet = model_card(settings, tables, run.load_values(), bundle.logistic)
    add_bundle_part(sheet, bundle.name, list(bundle.thresholds), bool(weights), bundle.profile)
    return sheet_markdown(sheet)
