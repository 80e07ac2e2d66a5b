"""Tests of the public study: its settings always, its table where the shared folder is."""

from pathlib import Path

import pytest

from her2study.cohort import flow, schema
from her2study.cohort.mending import load_mending
from her2study.cohort.simulate import assumptions_table
from her2study.cohort.sources import read_table
from her2study.study import load_study

REAL = Path(__file__).parents[3] / "shared" / "data" / "mamamia"

TELL_HER2 = {
    "tumor_subtype",
    "nac_agent",
    "anti_her2_neu_therapy",
    "endocrine_therapy",
    "pcr",
    "mastectomy_post_nac",
    "mammaprint",
    "oncotype_score",
    "days_to_follow_up",
    "days_to_recurrence",
    "days_to_metastasis",
    "days_to_death",
}


@pytest.mark.parametrize("profile", ["full", "smoke", "permuted"])
def test_no_variable_is_a_column_that_gives_the_outcome_away(profile):
    study = load_study("mamamia", profile)
    columns = {variable.column or name for name, variable in study.variables.items()}
    assert not columns & (TELL_HER2 | {study.outcome.column})


def test_what_is_mended_becomes_a_level_of_the_study():
    study = load_study("mamamia")
    mending = load_mending(study.folder / study.source.mending)
    levels = {variable.column or name: variable.levels for name, variable in study.variables.items()}
    levels[study.outcome.column] = (*study.outcome.positive, *study.outcome.negative)
    for column, values in mending.columns.items():
        assert set(values.values()) <= set(levels[column]), column


def test_the_choices_made_are_printed_with_their_reasons():
    table = assumptions_table(load_study("mamamia").folder / "assumptions.yml")
    assert list(table) == ["group", "name", "value", "unit", "reason", "source"]
    assert table["reason"].str.len().min() > 20


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the public MAMA-MIA table is not here ({REAL})")
def test_the_public_table_gives_the_published_counts():
    study = load_study("mamamia")
    table = read_table(REAL, study.source, study.folder)
    schema.check_table(table, study.source, study.outcome, study.centres, study.variables, study.exclusions)
    included, excluded = flow.apply_exclusions(table, study.exclusions, study.outcome, study.source)
    cohort = schema.typed_cohort(included, study.source, study.outcome, study.centres, study.variables)
    # counted in the raw file with pandas alone
    assert (len(table), len(excluded), len(cohort)) == (1506, 22, 1484)
    assert cohort.groupby("centre")["label"].agg(["size", "sum"]).to_dict("index") == {
        "DUKE": {"size": 291, "sum": 83},
        "ISPY1": {"size": 166, "sum": 54},
        "ISPY2": {"size": 980, "sum": 241},
        "NACT": {"size": 47, "sum": 15},
    }
    assert cohort["menopausal_status"].value_counts().to_dict() == {
        "premenopausal": 643,
        "postmenopausal": 420,
        "perimenopausal": 35,
    }
    first = cohort.set_index("patient_id").loc["DUKE_001"]  # the table's first row and the first row of the measures
    assert first["largest_diameter_mm"] == 29.3
    assert first["in_plane_spacing_mm"] == 0.80357140302658
    assert (first["label"], first["post_contrast_phases"], first["manufacturer"]) == (1, 4, "Siemens")
