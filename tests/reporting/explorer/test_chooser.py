import pytest

from tests.reporting.explorer.explored import explored


@pytest.fixture(scope="module")
def study():
    return explored()


def listed(chooser):
    return [patient for _, patient in chooser.listed.options]


def test_it_starts_with_the_worst_error_of_the_papers_model(study):
    chooser = study.chooser()
    worst = study.patients.loc[study.patients["error_combined"].idxmax(), "patient_id"]
    assert chooser.value == listed(chooser)[0] == worst
    assert worst in chooser.facts.value


def test_a_chosen_patient_stays_when_the_list_is_sorted_anew(study):
    chooser = study.chooser()
    chooser.listed.value = "P050"
    seen = []
    chooser.observe(lambda change: seen.append(change["new"]), "value")
    chooser.by.value = "age_years"
    chooser.largest_first.value = False
    assert (chooser.value, seen) == ("P050", [])
    assert "between" in chooser.narrow.children[0].description


def test_a_patient_who_was_filtered_out_gives_way_to_the_first(study):
    chooser = study.chooser()
    chooser.listed.value = study.patients.loc[study.patients["split"] == "development", "patient_id"].iloc[0]
    chooser.split.value = "external"
    assert chooser.value == listed(chooser)[0]
    assert set(study.patients.set_index("patient_id").loc[listed(chooser), "split"]) == {"external"}


def test_the_whole_range_leaves_nobody_out(study):
    chooser = study.chooser()
    for name in ("error_dscore", "age_years", "node_mm"):
        chooser.by.value = name
        assert len(listed(chooser)) == 120, name


def test_a_narrow_range_may_leave_nobody(study):
    chooser = study.chooser()
    before = chooser.value
    chooser.by.value = "node_mm"
    chooser.narrow.children[0].value = (chooser.narrow.children[0].max,) * 2
    assert listed(chooser) == []
    assert "0 of 120" in chooser.count.value
    assert chooser.value == before


def test_a_name_can_be_set_by_hand_and_an_unknown_one_is_said(study):
    chooser = study.chooser()
    chooser.value = "P077"
    assert chooser.listed.value == "P077"
    assert "P077" in chooser.facts.value
    chooser.value = "nobody"
    assert "There is no patient" in chooser.facts.value


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_patients_are_marked(study, simulated):
    assert ("SIMULATED" in study.chooser(simulated).children[0].value) is simulated
