"""Tests of whole proposals: nothing is dropped or recoded without a line, and the form is a study."""

import pandas as pd
import pytest
import yaml

from her2study.cohort.mending import Mending, mend
from her2study.cohort.proposals import propose, study_files
from her2study.cohort.proposals.legend import Entry
from her2study.study import Study
from her2study.types import StudyError
from tests.cohort.proposals.tables import cohort, sheet


def written(proposal):
    files = study_files("ours", proposal, "her2study new ours", "data")
    settings = yaml.safe_load(files["study.yml"])
    profiles = settings.pop("profiles")
    return files, Study(**settings, folder="."), profiles


MESSY = {
    "Rim {0 = no, 1 = yes}": ["1" if i % 2 else "0" for i in range(59)] + ["yse"],
    "Ki-67": ["20%", "15", "NP", "30%", "999", ">50"] * 10,
    "Remark": [f"seen on day {i}, unclear" for i in range(60)],
    "pCR": ["yes", "no", "no"] * 20,
    "病灶形态": ["圆形", "不规则", "卵圆形"] * 20,
}


def test_every_column_stands_in_form_and_codebook_and_names_are_never_shown():
    proposal = propose(sheet(cohort() | MESSY))
    files, study, _ = written(proposal)
    for column in proposal.columns:
        assert column.column in files["study.yml"], column.column
        assert column.column in files["codebook.md"], column.column
    assert "Family7" not in "".join(files.values())
    assert study.variables["shape"].column == "病灶形态"
    assert {v.column or n for n, v in study.variables.items()}.isdisjoint({"pCR", "Remark", "Name", "HER2"})


def test_every_cell_is_as_written_or_has_a_line_in_the_mending_file():
    table = sheet(cohort() | MESSY)
    files, _, _ = written(propose(table))
    rules = yaml.safe_load(files["mending.yml"])
    assert "'>50': null" in files["mending.yml"]  # shown, as a comment, and not applied
    assert ">50" not in str(rules)
    named = {
        c: set(rules.get("columns", {}).get(c, {})) | set(rules.get("missing", {}).get(c, [])) for c in table.cells
    }
    kept = table.cells.drop(columns="Ki-67")
    mended = mend(kept, Mending(columns=rules["columns"]), "Patient")
    changed = (mended != kept) & kept.notna()
    for name in kept:
        assert set(kept.loc[changed[name], name]) <= named[name], name


def test_the_form_explains_every_variable_and_marks_every_question():
    proposal = propose(sheet(cohort() | MESSY))
    files, study, profiles = written(proposal)
    lines = files["study.yml"].splitlines()
    for name in study.variables:
        (at,) = [i for i, line in enumerate(lines) if line.startswith(f"  {name}: {{")]
        assert lines[at - 1].lstrip().startswith("#"), name
    assert sum(line.lstrip().startswith("# ?") for line in lines) >= len(proposal.doubts) > 0
    assert {"smoke", "permuted"} <= set(profiles)


def test_a_table_without_centre_is_of_one_centre():
    table = cohort()
    del table["Hospital"]
    _, study, _ = written(propose(sheet(table)))
    assert study.source.only_centre == study.centres.development[0]
    assert (study.centres.external, study.centres.external_by) == ((), "none")
    assert study.statistics.leave_one_centre_out is False


def test_reasons_to_leave_are_rules_in_their_order():
    table = cohort() | {
        "NAC before MRI": ["yes" if i < 4 else "no" for i in range(60)],
        "Hospital": [None, *cohort()["Hospital"][1:]],
    }
    _, study, _ = written(propose(sheet(table)))
    assert [(rule.reason, tuple(rule.model_dump()["values"]), rule.missing) for rule in study.exclusions] == [
        ("Treatment before MRI", ("yes",), False),
        ("Centre not recorded", (), True),
        ("HER2 not recorded", (), True),
    ]


def test_a_joined_table_gives_its_columns_and_its_mistakes_are_explained():
    sizes = {"Patient": [f"P{i:03d}" for i in range(50)], "volume_ml": [str(1 + i / 10) for i in range(50)]}
    proposal = propose(sheet(cohort()), [sheet(sizes, "sizes.csv")])
    _, study, _ = written(proposal)
    assert study.source.joins == ("sizes.csv",)
    assert study.variables["tumour_volume_ml"].log
    for wrong, said in (
        ({"ID": ["P001"], "volume": ["1"]}, "has no column 'Patient'"),
        ({"Patient": ["P001"], "Age": ["1"]}, "the column 'Age' is also in patients.csv"),
        ({"Patient": ["P001", "P001"], "volume": ["1", "2"]}, "patient 'P001' stands in several rows"),
    ):
        with pytest.raises(StudyError, match=said):
            propose(sheet(cohort()), [sheet(wrong, "sizes.csv")])


def test_a_legend_is_quoted_in_the_codebook_and_its_codes_are_used():
    table = cohort() | {"HER2": ["2" if i % 5 < 2 else "1" for i in range(60)]}
    legend = {"HER2": Entry("final HER2 status", {"1": "negative", "2": "positive"})}
    proposal = propose(sheet(table), legend=legend)
    assert (proposal.positives, proposal.negatives) == (24, 36)
    assert "final HER2 status" in written(proposal)[0]["codebook.md"]


def test_times_that_are_not_as_many_as_the_phases_are_not_used():
    table = cohort() | {"num_phases": ["3"] * 60, "acquisition_times": ["[0, 90, 180]"] * 59 + ["[0, 90]"]}
    files, _, _ = written(propose(sheet(table)))
    assert yaml.safe_load(files["mending.yml"])["corrections"] == {"P059": {"acquisition_times": None}}


def test_centres_spelt_in_two_ways_are_one():
    table = cohort() | {"Hospital": ["north"] + ["North"] * 30 + ["North campus"] + ["South"] * 28}
    proposal = propose(sheet(table))
    assert proposal.centre.mends.maps == {"north": "North", "North campus": "North"}
    assert "North campus is read as North" in proposal.centre.doubts[0]


def test_settings_that_yaml_would_misread_are_quoted():
    hostile = {"no": ["1", "2", "3"] * 20, "a: [b] # c": ["yes", "no", "null"] * 20, "{x}": ["*y", "&z", "- q"] * 20}
    table = cohort() | hostile | {"Hospital": ["on", "off"] * 30}
    _, study, _ = written(propose(sheet(table)))
    assert set(study.centres.development) | set(study.centres.external) == {"on", "off"}
    assert {v.column for v in study.variables.values()} >= {"a: [b] # c", "{x}"}


def test_the_same_table_gives_the_same_files():
    table = cohort() | MESSY
    first = study_files("ours", propose(sheet(table)), "new", "d")
    shuffled = pd.DataFrame(table)
    assert study_files("ours", propose(sheet(dict(shuffled.items()))), "new", "d") == first


def test_tables_of_features_and_of_scores_are_told_from_further_columns():
    ids = [f"P{i:03d}" for i in range(60)]
    features = {"patient_id": ids} | {f"glcm_{k}": [str(i * k % 7 / 8) for i in range(60)] for k in range(25)}
    scores = {"patient_id": ids, "probability": [str(i / 60) for i in range(60)], "fold": ["-1"] * 60}
    proposal = propose(sheet(cohort()), [sheet(features, "radiomics.csv"), sheet(scores, "scores.csv")])
    _, study, _ = written(proposal)
    assert (study.source.features, study.source.scores, study.source.joins) == (("radiomics.csv",), "scores.csv", ())


def test_features_within_the_table_are_asked_about_once():
    wide = cohort() | {f"glcm_{k}": [str(i * k % 7 / 8) for i in range(60)] for k in range(1, 41)}
    proposal = propose(sheet(wide))
    assert sum("measured features" in words for _, words in proposal.doubts) == 1
    assert not any(c.column.startswith("glcm") for c in proposal.by_use("variable"))
