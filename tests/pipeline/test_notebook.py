import pytest

from her2study.pipeline.notebook import check_parameters, declared_parameters, parse_parameters, read_code
from her2study.types import StudyError
from tests.tiny import write_notebook

CELL = """\
name: str = "a"  # a word
fold: int = 0  # a number
rate: float = 0.5  # a share
show: bool = True  # a switch
"""


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.ipynb"
    write_notebook(path, "%matplotlib inline\nx = 1", "y = 2", parameters=CELL)
    return path


def test_declared_parameters_are_the_annotated_ones(page):
    assert declared_parameters(page) == {"name": "str", "fold": "int", "rate": "float", "show": "bool"}


def test_code_is_one_module_without_magic(page):
    assert read_code(page).splitlines()[-2:] == ["x = 1", "y = 2"]


def test_right_parameters_pass(page):
    check_parameters(page, {"name": "b", "fold": 3, "rate": 1, "show": False})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fodl": 3}, "page.ipynb: unknown parameter 'fodl'; did you mean 'fold'?"),
        ({"fold": "3"}, "parameter 'fold' is '3' (str) but its parameters cell declares int"),
        ({"fold": True}, "parameter 'fold' is True (bool)"),
        ({"rate": "high"}, "declares float"),
    ],
)
def test_wrong_parameters_are_named(page, given, said):
    with pytest.raises(StudyError) as caught:
        check_parameters(page, given)
    assert said in str(caught.value)


def test_typed_words_become_values(page):
    texts = {"name": "7", "fold": "7", "rate": "7", "show": "false"}
    assert parse_parameters(page, texts) == {"name": "7", "fold": 7, "rate": 7.0, "show": False}
    with pytest.raises(StudyError, match="not of the declared type int"):
        parse_parameters(page, {"fold": "seven"})
    with pytest.raises(StudyError, match="did you mean 'fold'"):
        parse_parameters(page, {"folds": "7"})


@pytest.mark.parametrize("content", [None, "not json", "{}"])
def test_an_unreadable_notebook_is_named(tmp_path, content):
    path = tmp_path / "page.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StudyError, match=r"page\.ipynb"):
        read_code(path)
