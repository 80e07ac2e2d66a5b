"""Claims of the paper, as ``papers/<study>/claims.yml`` writes them down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from her2study.study import Section
from her2study.types import StudyError


class _Claim(Section):
    id: str
    claim: str = Field(description="the paper's claim in our words")
    cannot_test: str | None = Field(None, description="why this study cannot test it, as a sentence")


class Count(_Claim):
    """A number of patients or centres."""

    kind: Literal["count"]
    counts: Literal["patients", "centres"]
    published: int


class Auc(_Claim):
    """A published AUC of one model in one split."""

    kind: Literal["auc"]
    model: str
    split: Literal["development", "internal", "external"]
    published: float = Field(gt=0, lt=1)


class Difference(_Claim):
    """One model discriminates better than another."""

    kind: Literal["difference"]
    better: str
    worse: str
    split: Literal["development", "internal", "external"]


class Ranking(_Claim):
    """The most influential predictors of a model, in any order."""

    kind: Literal["ranking"]
    model: str
    predictors: tuple[str, ...] = Field(min_length=1)


Claim = Annotated[Count | Auc | Difference | Ranking, Field(discriminator="kind")]


def load_claims(path: Path) -> list[Claim]:
    """Read and validate a ``claims.yml``.

    Raises
    ------
    StudyError
        The file is missing, is not YAML, names an unknown key or kind, or an id twice.
    """
    if not path.is_file():
        raise StudyError(f"{path} does not exist; write the paper's claims there, as papers/hong2025/claims.yml does")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        claims = TypeAdapter(list[Claim]).validate_python((raw or {}).get("claims"))
    except (yaml.YAMLError, AttributeError) as error:
        raise StudyError(f"{path}: must be YAML with one key 'claims' that holds a list: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StudyError(f"{path}: claims.{where}: {first['msg']} (found {first['input']!r})") from None
    ids = [claim.id for claim in claims]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise StudyError(f"{path}: the id {twice[0]!r} is used twice; give each claim its own")
    return claims
