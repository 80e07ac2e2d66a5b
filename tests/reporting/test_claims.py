"""Reading claims.yml: the two studies of the project, and each mistake a person can make."""

import pytest

from her2study.reporting.claims import load_claims
from her2study.study import papers_folder
from her2study.types import StudyError


@pytest.mark.parametrize("study", ["hong2025", "mamamia"])
def test_the_projects_claims_are_valid(study):
    claims = load_claims(papers_folder() / study / "claims.yml")
    assert [claim.kind for claim in claims] == ["count", "count", "auc", "difference", "ranking"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("claims: [{id: a, claim: b, kind: auc, model: m, split: external}]", "published"),
        ("claims: [{id: a, claim: b, kind: size, published: 3}]", "size"),
        ("claims: [{id: a, claim: b, kind: count, counts: beds, published: 3}]", "beds"),
        ("claims: [{id: a, claim: b, kind: count, counts: centres, published: 3, colour: red}]", "colour"),
        ("claims: {id: a", "YAML"),
        ("- a\n- b", "one key 'claims'"),
        ("", "claims"),
        (
            "claims: [{id: a, claim: b, kind: count, counts: centres, published: 3},"
            "{id: a, claim: c, kind: count, counts: patients, published: 3}]",
            "'a' is used twice",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path, text, named):
    path = tmp_path / "claims.yml"
    path.write_text(text)
    with pytest.raises(StudyError, match=named) as error:
        load_claims(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StudyError, match="does not exist"):
        load_claims(tmp_path / "claims.yml")
