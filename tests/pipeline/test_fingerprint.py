import ast

import pytest

from her2study.pipeline.fingerprint import (
    APPEARANCE,
    closure,
    imported_names,
    package_versions,
    study_files,
    touched_settings,
)
from her2study.study import load_study


@pytest.fixture
def study(project):
    return load_study("tiny")


def test_settings_are_the_sections_that_the_code_names(study):
    code = "f(study.network, study.split.folds)\nother.study.baselines\nstudy_name, study.folder"
    settings = touched_settings(ast.parse(code), study)
    assert settings.keys() == {"network", "split"}
    assert settings["network"]["epochs"] == 1


def test_derived_settings_count_by_their_value(study):
    settings = touched_settings(ast.parse("study.candidates, study.simulated, study.seed"), study)
    assert list(settings["candidates"]) == ["age_years"]
    assert (settings["simulated"], settings["seed"]) == (False, 1)


def test_files_beside_study_yml_count_when_they_are_named(project, study):
    for name in ("claims.yml", "mending.yml", "README.md"):
        (study.folder / name).write_text(name)
    tree = ast.parse("read(study.folder / 'claims.yml')")
    assert study_files(tree, study, {}).keys() == {"claims.yml"}
    assert study_files(ast.parse("study.source"), study, {"source": {"mending": "mending.yml"}}).keys() == {
        "mending.yml"
    }
    before = study_files(tree, study, {})
    (study.folder / "claims.yml").write_text("changed")
    assert study_files(tree, study, {}) != before


def test_imports_are_found_wherever_they_stand():
    tree = ast.parse("import a.b\nfrom c import d\nfrom . import near\ndef f():\n    from e.f import g as h\n")
    assert imported_names(tree) == {"a.b", "a.b.*", "c", "c.d", "e.f", "e.f.g"}


def test_the_closure_follows_imports_but_not_into_what_only_looks():
    roots = {"her2study", "her2study.open_study", "her2study.reporting.draw", "her2study.models.dscore"}
    assert "her2study.reporting.style" in closure(roots)
    narrow = closure(roots, excluded=APPEARANCE)
    assert {"her2study.store", "her2study.study", "her2study.types", "her2study.models.network"} <= narrow
    assert not [name for name in narrow if name.startswith("her2study.reporting")]


def test_a_front_door_is_passed_through_by_name():
    through = closure(imported_names(ast.parse("from her2study.pipeline import find_node")))
    assert "her2study.pipeline.graph" in through
    assert not {"her2study.pipeline", "her2study.pipeline.chain"} & through
    assert "her2study.pipeline.chain" in closure(imported_names(ast.parse("import her2study.pipeline")))


def test_packages_are_the_distributions_that_the_modules_import():
    versions = package_versions({"her2study.study"}, {"sklearn.svm"})
    assert versions.keys() == {"python", "pydantic", "PyYAML", "scikit-learn"}
