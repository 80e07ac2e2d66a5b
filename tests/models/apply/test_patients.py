"""Tables of new patients: named by template or study, every unusable cell told, nothing guessed."""

import pandas as pd
import pytest

from her2study.models.apply import read_new_patients
from her2study.types import StudyError
from tests.models.apply.hospital import PATIENTS, bundle_of, hospital

OWN = PATIENTS.rename(columns={"rim": "rim enhancement", "node_mm": "node"}).replace({"yes": "1", "no": "0"})


def read(tmp_path, table, folds=0, **options):
    return read_new_patients(bundle_of(folds), hospital(tmp_path / "new", table, scans=()), **options)


def test_template_and_the_studys_own_table_give_the_same_patients(tmp_path):
    by_template, by_study = read(tmp_path / "a", PATIENTS), read(tmp_path / "b", OWN)
    pd.testing.assert_frame_equal(by_template.table, by_study.table)
    assert by_template.table["patient_id"].tolist() == ["P1", "P2", "P3"]
    assert by_template.table["rim"].tolist() == ["no", "yes", "yes"]
    assert by_template.table["node_mm"].tolist() == [5.5, 9.0, 12.0]
    assert by_template.findings.empty


def test_a_workbook_with_a_title_and_chinese_names_is_read(tmp_path):
    table = PATIENTS.assign(patient_id=["张伟", "王芳", "Åse"])
    place = tmp_path / "new"
    place.mkdir()
    table.to_csv(place / "patients.csv", index=False, encoding="gb18030", sep=";")
    assert set(read_new_patients(bundle_of(0), place).table["patient_id"]) == {"张伟", "王芳", "Åse"}


def test_all_absent_predictors_stand_in_one_message(tmp_path):
    with pytest.raises(StudyError, match=r"columns 'rim'.*'node_mm'; did you mean 'node_cm'.* are missing") as error:
        read(tmp_path, PATIENTS.drop(columns="rim").rename(columns={"node_mm": "node_cm"}))
    assert "template.csv" in str(error.value)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("rim", "maybe", "training knew no, yes"), ("node_mm", "2 cm", "number above 0"), ("node_mm", "0", "above 0")],
)
def test_a_cell_that_cannot_be_used_is_missing_and_told_with_its_row(tmp_path, column, value, words):
    table = PATIENTS.copy()
    table.loc[1, column] = value
    new = read(tmp_path, table)
    assert pd.isna(new.table.set_index("patient_id").loc["P1", column])
    (told,) = new.findings.to_dict("records")
    assert (told["patient"], told["row"], told["column"], told["value"]) == ("P1", 3, column, value)
    assert words in told["rule"]


def test_an_unclear_outcome_is_missing_and_never_negative(tmp_path):
    table = PATIENTS.assign(her2=["positive", "negative", "equivocal"], age=["50", "61", ""])
    new = read(tmp_path, table, outcome=True)
    assert new.table["label"].tolist() == [0, pd.NA, 1]
    assert new.findings["patient"].tolist() == ["P2"]


def test_without_outcomes_a_validation_is_refused(tmp_path):
    with pytest.raises(StudyError, match=r"no column 'her2'.*her2study predict"):
        read(tmp_path, PATIENTS, outcome=True)


def test_other_variables_of_the_study_come_along_for_the_case_mix(tmp_path):
    table = OWN.assign(her2="positive", age=["50", "61", "x"])
    new = read(tmp_path, table, outcome=True)
    assert new.table["age_years"].tolist()[0] == 61.0
    assert "age_years" not in read(tmp_path / "b", table).table


def test_centres_are_chosen_by_name_and_unknown_ones_refused(tmp_path):
    assert read(tmp_path / "a", PATIENTS, centres=("Süd",)).table["patient_id"].tolist() == ["P2"]
    with pytest.raises(StudyError, match="no patient is of centre 'Ost'; centres there: Nord, Süd"):
        read(tmp_path / "b", PATIENTS, centres=("Ost",))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.concat([PATIENTS, PATIENTS.head(1)]), "patient 'P3' stands in rows 2, 5"),
        (PATIENTS.assign(patient_id=["P1", None, "P2"]), "row 3"),
    ],
)
def test_a_patient_twice_or_without_a_name_is_refused(tmp_path, table, words):
    with pytest.raises(StudyError, match=words):
        read(tmp_path, table)


def test_several_tables_must_be_told_apart(tmp_path):
    place = hospital(tmp_path / "new", scans=())
    (place / "patients.csv").rename(place / "a.csv")
    PATIENTS.head(1).to_csv(place / "b.csv", index=False)
    with pytest.raises(StudyError, match=r"2 tables .*--table"):
        read_new_patients(bundle_of(0), place)
    assert len(read_new_patients(bundle_of(0), place, "b.csv").table) == 1
    assert len(read_new_patients(bundle_of(0), place / "a.csv").table) == 3
    with pytest.raises(StudyError, match="Tables there: a\\.csv"):
        read_new_patients(bundle_of(0), place, "c.csv")


def test_a_folder_of_unrelated_files_holds_no_patients(tmp_path):
    (tmp_path / "letter.docx").write_bytes(b"dear colleague")
    with pytest.raises(StudyError, match="no tables"):
        read_new_patients(bundle_of(2), tmp_path)
    with pytest.raises(StudyError, match="does not exist"):
        read_new_patients(bundle_of(2), tmp_path / "nowhere")


def test_whom_the_study_left_out_is_told(tmp_path):
    new = read(tmp_path, PATIENTS.assign(treated=["yes", "no", ""]))
    assert new.table["excluded"].tolist() == ["", "", "Treated before MRI"]
