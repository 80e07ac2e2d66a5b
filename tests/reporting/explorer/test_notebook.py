"""The explorer's notebook on finished studies: in a plain kernel, and every line that it offers to copy."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import papermill
import pytest

from her2study.reporting.explorer.part import Part
from tests.finished import public_data
from tests.tiny import ROOT

NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"


def cells() -> list[str]:
    """Code of every cell but the parameters."""
    found = papermill.iorw.load_notebook_node(str(NOTEBOOK)).cells
    return [cell.source for cell in found if cell.cell_type == "code" and "parameters" not in cell.metadata["tags"]]


def explore(name: str, data: str = "") -> tuple[dict[str, Any], list[Part]]:
    """The notebook run in this process: its names and the parts it shows."""
    names: dict[str, Any] = {"study_name": name, "profile": "smoke", "data": data}
    shown = []
    for source in cells():
        body = ast.parse(source).body
        ends_in_value = isinstance(body[-1], ast.Expr)
        exec(compile(ast.Module(body[:-1] if ends_in_value else body, []), "cell", "exec"), names)
        if ends_in_value:
            value = eval(ast.unparse(body[-1]), names)
            shown += [value] if isinstance(value, Part) else []
    return names, shown


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): path.stat()[6:9:2] for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def simulated(finished):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HER2STUDY_RESULTS", str(finished))
        before = contents(finished / "hong2025-smoke")
        names, parts = explore("hong2025")
        yield names, parts
        assert contents(finished / "hong2025-smoke") == before, "the explorer wrote into the results"


@pytest.fixture(scope="module")
def public(finished_public):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HER2STUDY_RESULTS", str(finished_public))
        yield explore("mamamia", public_data())


def test_six_parts_each_marked_and_each_with_a_line(simulated):
    _, parts = simulated
    assert len(parts) == 6
    for part in parts:
        assert "SIMULATED" in part.children[0].value
        assert part.code
        assert part.said == ""


def test_every_line_works_in_the_notebook(simulated):
    names, parts = simulated
    chooser, scan, shap, what_if, threshold, comparison = parts
    assert eval(chooser.code, names)["patient_id"].tolist() == [p for _, p in chooser.listed.options]
    assert len(eval(scan.code, names)) == len(scan.scan.phases)
    probability = eval(shap.code, names)["probability"].iloc[0]
    assert f"predicted {probability:.2f}" in shap.plot.value
    assert f'her2-big">{eval(what_if.code, names)[0]:.3f}<' in what_if.answer.value
    counts = eval(threshold.code, names).iloc[0]
    assert f"{counts.tp} TP, {counts.fp} FP, {counts.fn} FN, {counts.tn} TN" in threshold.plots.value
    difference = eval(comparison.code, names).difference
    assert f"{difference:.3f}".replace("-", "−") in comparison.shown.value


def test_every_model_can_be_explained_for_an_external_patient(simulated):
    names, parts = simulated
    external = names["splits"].query("split == 'external'")["patient_id"].iloc[0]
    parts[0].value = external
    for _, model in parts[2].model.options:
        parts[2].model.value = model
        assert parts[2].said == ""
        assert isinstance(eval(parts[2].code, names), pd.DataFrame)


def test_maps_of_notebook_10_lie_over_the_lesion(simulated):
    names, parts = simulated
    parts[0].value = sorted(names["mapped"])[0]
    viewer = parts[1].viewer
    assert viewer.map_names == ["Grad-CAM", "Occlusion"]
    heat = np.frombuffer(viewer.maps, np.int8).reshape(2, *viewer.shape)
    assert (np.abs(heat).reshape(2, -1).max(axis=1) == 127).all()


def test_a_study_without_images_says_what_it_lacks(public):
    names, parts = public
    assert "no images" in parts[1].children[1].value
    assert not any("SIMULATED" in part.children[0].value for part in parts)
    for part in parts:
        if part.code:
            assert len(eval(part.code, names)) > 0


@pytest.mark.slow
def test_it_runs_in_a_plain_kernel(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("HER2STUDY_RESULTS", str(finished))
    parameters = {"study_name": "hong2025", "profile": "smoke"}
    out = tmp_path / "explore.ipynb"
    done = papermill.execute_notebook(NOTEBOOK, out, parameters, cwd=ROOT, progress_bar=False, kernel_name="python3")
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    shown = [o for o in outputs if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]
    assert len(shown) == 6
    assert not [o for o in outputs if o.get("name") == "stderr"]
