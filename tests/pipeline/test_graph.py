import pytest

from her2study.pipeline import find_node, open_chain
from her2study.pipeline.graph import STAGES, Parts, build_nodes
from her2study.study import load_study
from her2study.types import StudyError
from tests.tiny import ROOT


def test_every_notebook_of_the_folder_is_in_the_graph_and_the_other_way_round():
    stored = {path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    assert stored == {name for name, stage in STAGES.items() if stage.notebook}


def test_steps_follow_all_they_need():
    nodes = build_nodes(load_study("hong2025"), Parts(simulate=True, images=True), "")
    done: set[str] = set()
    for name, node in nodes.items():
        assert set(node.upstream) <= done
        done.add(name)
    assert [n.label for n in nodes.values() if n.stage == "04_dscore_fold"] == [
        f"04_dscore_fold[{k}]" for k in range(5)
    ]
    assert set(nodes["05_dscore"].upstream) == {f"04_dscore_fold_{k}" for k in range(5)}


def test_without_images_the_imaging_steps_are_absent(project):
    chain = open_chain("tiny", "full", str(project.data))
    assert list(chain.nodes) == [
        *("01_cohort", "06_baselines", "07_clinical", "09_evaluation", "10_explanation", "11_claims"),
        *("figures", "tables", "report"),
    ]
    assert chain.nodes["09_evaluation"].upstream == ("06_baselines", "07_clinical")
    assert chain.nodes["11_claims"].upstream == ("09_evaluation", "10_explanation")
    assert chain.ancestors("figures") == set(chain.nodes) - {"11_claims", "figures", "tables", "report"}
    assert chain.nodes["report"].upstream == ("11_claims", "figures", "tables")


@pytest.mark.parametrize(
    ("parts", "modelling"),
    [
        (Parts(), ["06_baselines", "07_clinical", "10_explanation"]),
        (Parts(images=True, candidates=False), ["05_dscore", "06_baselines", "10_explanation"]),
        (Parts(features=True, candidates=False), ["06_baselines", "10_explanation"]),
        (Parts(scores=True), ["05_own_scores", "06_baselines", "07_clinical", "08_combined", "10_explanation"]),
        (Parts(scores=True, candidates=False), ["05_own_scores"]),
        (
            Parts(scores=True, images=True),
            ["05_own_scores", "06_baselines", "07_clinical", "08_combined", "10_explanation"],
        ),
    ],
)
def test_what_a_study_is_made_of_decides_its_steps(parts, modelling):
    nodes = build_nodes(load_study("hong2025"), parts, "")
    asked = ("05_dscore", "05_own_scores", "06_baselines", "07_clinical", "08_combined", "10_explanation")
    assert [name for name in nodes if name in asked] == modelling
    assert {"01_cohort", "09_evaluation", "11_claims", "report"} <= set(nodes)
    assert ("03_radiomics" in nodes) == parts.images
    assert all(set(node.upstream) <= set(nodes) for node in nodes.values())


def test_a_study_with_nothing_to_model_is_refused_before_it_starts(project):
    project.settings(lambda settings: settings.update(variables={}))
    with pytest.raises(StudyError, match="nothing to make a model of"):
        open_chain("tiny", "full", str(project.data))


def test_a_step_is_found_by_name_or_by_parameters(project):
    project.images()
    chain = open_chain("tiny", "full", str(project.data))
    assert find_node(chain, "04_dscore_fold_1", {}).parameters["fold"] == 1
    assert find_node(chain, "04_dscore_fold", {"fold": 1}).name == "04_dscore_fold_1"
    assert find_node(chain, "01_cohort.ipynb", {}).name == "01_cohort"


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("04_dscore_fold", {}, "is 2 steps of the study; name one of: 04_dscore_fold_0, 04_dscore_fold_1"),
        ("04_dscore_fold", {"fold": 9}, "with fold=9 is no step of the study"),
        ("01_cohrt", {}, "did you mean '01_cohort'?"),
    ],
)
def test_a_step_that_is_not_one_is_named(project, name, parameters, said):
    project.images()
    with pytest.raises(StudyError) as caught:
        find_node(open_chain("tiny", "full", str(project.data)), name, parameters)
    assert said in str(caught.value)


def test_an_imaging_step_of_a_study_without_images_is_explained(project):
    with pytest.raises(StudyError, match="its source has no images"):
        find_node(open_chain("tiny", "full", str(project.data)), "05_dscore", {})


def test_the_source_is_checked_before_anything_runs(project):
    with pytest.raises(StudyError, match="needs a folder of patients; say which"):
        open_chain("tiny")
    with pytest.raises(StudyError, match="no such folder"):
        open_chain("tiny", "full", str(project.root / "nowhere"))
    (project.data / "clinical.csv").rename(project.data / "clinicals.csv")
    with pytest.raises(StudyError, match=r"clinical\.csv: the clinical table .*did you mean 'clinicals\.csv'"):
        open_chain("tiny", "full", str(project.data))
