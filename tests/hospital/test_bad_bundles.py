"""What is no bundle, or one of a newer version, is refused in one message by every command that takes one."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hospital import ward
from tests.hospital.running import Place

NEWER = json.dumps({"format": 99, "written_by": "9.1.0", "files": {}, "fingerprint": "0" * 64, "seal": "of tomorrow"})


def _folder(**files: str) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        bundle = root / "theirs.her2study"
        bundle.mkdir()
        for name, text in files.items():
            (bundle / name.replace("_json", ".json")).write_text(text)
        return bundle

    return make


def _archive(*members: tuple[str, str]) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as parts:
            for name, text in members:
                parts.writestr(name, text)
        bundle = root / "theirs.her2study.zip"
        bundle.write_bytes(held.getvalue())
        return bundle

    return make


def _file(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        (root / name).write_bytes(content)
        return root / name

    return make


def _link(root: Path) -> Path:
    bundle = _folder(SIGNATURE_json=NEWER)(root)
    (bundle / "bundle.json").symlink_to("/etc/passwd")
    return bundle


KINDS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "of a newer version": (_folder(SIGNATURE_json=NEWER), "9.1.0"),
    "of a newer version, packed": (_archive(("theirs.her2study/SIGNATURE.json", NEWER)), "9.1.0|get it again"),
    "absent": (lambda root: root / "nowhere.her2study", "nowhere.her2study"),
    "an empty folder": (_folder(), "freeze"),
    "a folder of other things": (_folder(notes="milk, bread"), "freeze"),
    "a text": (_file("theirs.her2study.zip", b"not a bundle"), "theirs.her2study.zip"),
    "half an archive": (_file("theirs.her2study.zip", b"PK\x03\x04" + bytes(200)), "theirs.her2study.zip"),
    "an archive that climbs": (_archive(("theirs/../../evil.py", "import os")), "theirs.her2study.zip"),
    "an absolute name": (_archive(("/etc/evil", "x")), "theirs.her2study.zip"),
    "a link": (_link, "link"),
    "a signature that is none": (_folder(SIGNATURE_json="[]"), "SIGNATURE.json"),
    "a signature without end": (_folder(SIGNATURE_json="[" * 100_000), "SIGNATURE.json"),
}


@pytest.mark.parametrize("command", ["predict", "validate-external"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_bundle_scores_nobody(tmp_path, capsys, command, kind):
    make, words = KINDS[kind]
    data = tmp_path / "data"
    data.mkdir()
    ward.sheet().to_xlsx(data / "patients.xlsx", "患者")
    bundle = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert Place(tmp_path).call(command, bundle, data, "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert any(word in said for word in words.split("|")), said
    assert "Traceback" not in said
    assert sorted(tmp_path.rglob("*")) == before
