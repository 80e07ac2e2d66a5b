import pytest
import yaml

from her2study.study import load_study, nearest
from her2study.types import StudyError
from tests.tiny import ROOT


def test_a_profile_overrides_a_few_keys_and_keeps_the_rest(project):
    full, smoke = load_study("tiny"), load_study("tiny", "smoke")
    assert (full.network.epochs, smoke.network.epochs) == (1, 2)
    assert smoke.network.batch_size == full.network.batch_size
    assert smoke.profile == "smoke"


def test_settings_cannot_be_changed_after_loading(project):
    with pytest.raises(ValueError, match="frozen"):
        load_study("tiny").network.epochs = 3


def change(**sections):
    def apply(settings):
        for name, values in sections.items():
            settings[name] = {**settings[name], **values} if isinstance(values, dict) else values

    return apply


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (change(network={"epoch": 3}), "unknown key 'network.epoch'; did you mean 'epochs'?"),
        (change(netwrk=3), "unknown key 'netwrk'; did you mean 'network'?"),
        (change(network={"epochs": "many"}), "network.epochs: Input should be a valid integer"),
        (change(network={"epochs": 0}), "network.epochs: Input should be greater than or equal to 1 (found 0)"),
        (change(split={"folds": 1}), "split.folds"),
        (change(centres={"external": ["A"]}), "centre 'A' is both development and external"),
        (
            change(statistics={"subgroups": ["age"]}),
            "statistics.subgroups names 'age', which is not one of the variables",
        ),
        (change(source={"kind": "simulated"}), "section 'simulation' is missing"),
        (lambda settings: settings.pop("seed"), "the key 'seed' is missing; add it"),
        (change(variables={"er": {"type": "binary", "label": "ER", "role": "pathology"}}), "needs its levels"),
        (
            change(variables={"er": {"type": "continuous", "label": "ER", "role": "pathology", "levels": ["a", "b"]}}),
            "has no levels",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(project, edit, said):
    project.settings(edit)
    with pytest.raises(StudyError) as caught:
        load_study("tiny")
    assert said in str(caught.value)
    assert str(project.root / "papers" / "tiny" / "study.yml") in str(caught.value)


def test_several_mistakes_are_told_at_once(project):
    project.settings(change(network={"epochs": 0}, split={"folds": 1}))
    with pytest.raises(StudyError) as caught:
        load_study("tiny")
    assert str(caught.value).count("\n  - ") == 2


def test_unknown_study_and_profile_suggest_the_nearest(project):
    with pytest.raises(StudyError, match=r"unknown study 'tinny'.*did you mean 'tiny'"):
        load_study("tinny")
    with pytest.raises(StudyError, match="unknown profile 'smoek'; did you mean 'smoke'"):
        load_study("tiny", "smoek")


@pytest.mark.parametrize(
    ("text", "said"), [("a: [", "not valid YAML"), ("- a\n- b\n", "must be a mapping of sections")]
)
def test_a_file_that_is_no_settings_file_is_named(project, text, said):
    (project.root / "papers" / "tiny" / "study.yml").write_text(text)
    with pytest.raises(StudyError, match=said):
        load_study("tiny")


@pytest.mark.parametrize("path", sorted((ROOT / "papers").glob("*/study.yml")), ids=lambda path: path.parent.name)
def test_the_studies_of_the_repository_are_valid_under_every_profile(path):
    for profile in ["full", *yaml.safe_load(path.read_text(encoding="utf-8")).get("profiles", {})]:
        study = load_study(path.parent.name, profile)
        assert study.name == path.parent.name
        assert study.candidates


def test_nearest_says_nothing_when_nothing_is_near():
    assert nearest("epoch", ["epochs"]) == "; did you mean 'epochs'?"
    assert nearest("zebra", ["epochs"]) == "."
