"""What a journal asks, read from YAML: what is there, what is refused, and in which words."""

from pathlib import Path

import pytest

from her2study.reporting import journals
from her2study.reporting.journals import (
    ALWAYS_THERE,
    current,
    drawing_for,
    font_notice,
    installed_font,
    journal_names,
    load_journal,
)
from her2study.types import StudyError

FOLDER = Path(journals.__file__).parent / "journals"


@pytest.mark.parametrize("name", ["acta-radiologica", "default", "nature", "radiology"])
def test_a_journal_says_where_each_of_its_numbers_is_known_from(name):
    journal = load_journal(name)
    assert journal.raster_dpi["tiff"] == 600
    assert {"pdf", "svg"} == set(journal.vector)
    text = (FOLDER / f"{name}.yml").read_text(encoding="utf-8")
    assert name == "default" or "assumed" in text
    assert name in journal_names()


def test_nature_is_as_its_guide_says():
    nature = load_journal("nature")
    assert nature.columns_mm == (89, 183)
    assert nature.height_mm == 170
    assert nature.sizes_pt.smallest >= 5
    assert max(nature.sizes_pt.text, nature.sizes_pt.label, nature.sizes_pt.title) <= 7


@pytest.mark.parametrize(
    ("name", "nearest"), [("Radiolgy", "radiology"), ("acta radiologica", "acta-radiologica"), ("natur", "nature")]
)
def test_an_unknown_journal_is_told_with_the_nearest(name, nearest):
    with pytest.raises(StudyError, match=f"unknown journal '{name}'; did you mean '{nearest}'.*Known journals: acta"):
        load_journal(name)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("height_mm: 240", "hight_mm: 240", "the key 'height_mm' is missing"),
        ("height_mm: 240", "height_mm: tall", "height_mm: .*number.*found 'tall'"),
        ("height_mm: 240", "height_mm: 24", "height_mm: .*greater than or equal to 80.*found 24"),
        ("name: Default", "name: Default\ncolumn_mm: 3", "unknown key 'column_mm'; did you mean 'columns_mm'"),
        ("  text: 7 ", "  txt: 7\n  text: 7 ", "unknown key 'sizes_pt.txt'; did you mean 'text'"),
        ("smallest: 5.5", "smallest: 9", "sizes_pt: smallest .9. must not be larger than small"),
        ("[84, 174]", "[174, 84]", "columns_mm must rise"),
        ("[84, 174]", "[84]", "at least 150"),
        ("form: A", "form: I", "letters.form: .*'A'.*found 'I'"),
        ("tiff: 600", "tiff: 60", "raster_dpi.tiff: .*found 60"),
        ("tiff: 600", "gif: 600", "raster_dpi.gif"),
        ("name: Default", "name: [", "not valid YAML"),
        ("vector: [pdf, svg]\nraster_dpi: {png: 300, tiff: 600}", "", "nothing would be written"),
    ],
)
def test_a_broken_file_is_told_with_key_rule_and_value(tmp_path, old, new, told):
    text = (FOLDER / "default.yml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.yml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(StudyError, match=rf"mine\.yml: (.|\n)*{told}"):
        load_journal(str(path))


def test_a_file_of_ones_own_is_a_journal(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text((FOLDER / "nature.yml").read_text(encoding="utf-8").replace("form: a", "form: (a)"))
    assert load_journal(str(path)).letters.format("C") == "(c)"
    with pytest.raises(StudyError, match="does not exist; copy one of"):
        load_journal(str(tmp_path / "yours.yml"))
    path.write_text("- a list")
    with pytest.raises(StudyError, match="must be a mapping"):
        load_journal(str(path))


def test_a_missing_font_is_replaced_and_told():
    assert installed_font(("No Such Font", ALWAYS_THERE)) == ALWAYS_THERE
    assert installed_font(("No Such Font",)) == ALWAYS_THERE
    journal = load_journal("nature").model_copy(update={"fonts": ("No Such Font", ALWAYS_THERE)})
    assert (
        font_notice(journal)
        == f"Nature asks for No Such Font, which is not installed here; its figures are set in {ALWAYS_THERE}"
    )
    assert font_notice(load_journal()) == ""


def test_the_narrowest_column_that_is_wide_enough():
    nature, free = load_journal("nature"), load_journal()
    assert [nature.column_mm(needed) for needed in (60, 89.4, 90, 200)] == [89, 89, 183, 183]
    assert [free.column_mm(needed) for needed in (60, 200)] == [60, 174]


def test_a_journal_is_drawn_for_within_its_block_only():
    with drawing_for(load_journal("nature")):
        assert current().name == "Nature"
    assert current().name == "Default"
