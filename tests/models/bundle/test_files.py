"""A bundle comes back as it was sealed, or not at all: every byte counts, and nothing in it is executed."""

import dataclasses
import hashlib
import io
import json
import os
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save

from her2study.models.bundle import read_bundle, seal, signature, write_bundle
from her2study.models.inference import predict_logits
from her2study.study import Centres, Exclusion, Her2, Outcome, Reading, Rows, Source, Variable
from her2study.types import StudyError
from tests.models.bundle.making import ODD, lesions, networks, sealed, small_bundle


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder and zip of the small bundle with two further files."""
    files = sealed(beside={"LICENCE": b"MIT\n", "monai/docs/README.md": b"how to\n"})
    return write_bundle(files, "small", tmp_path_factory.mktemp("bundles"))


@pytest.mark.parametrize("kind", [0, 1])
def test_what_was_sealed_comes_back(written, kind):
    found, meant = read_bundle(written[kind]), small_bundle()
    for field in dataclasses.fields(meant):
        if field.name in ("files", "fingerprint"):
            continue
        own, theirs = getattr(meant, field.name), getattr(found, field.name)
        if isinstance(own, pd.DataFrame):
            pd.testing.assert_frame_equal(theirs, own, check_dtype=False, check_exact=True)
        else:
            assert theirs == own, field.name
    assert list(found.variables) == ["rim", "age_years"]
    assert found.reference_scores["probability"].iloc[0] == ODD
    assert found.logistic["combined"]["terms"][1]["coefficient"] == ODD
    channels = lesions(3)
    for own, theirs in zip(networks(), found.networks(), strict=True):
        np.testing.assert_array_equal(predict_logits(theirs, channels, True), predict_logits(own, channels, True))


def test_every_kind_of_setting_comes_back(tmp_path):
    """Dates, nested settings, what is filled in from a task, numbers among texts."""
    changes = {
        "outcome": Outcome(label="HER2-low", her2=Her2(ihc="IHC", ratio="HER2/CEP17"), task="low-vs-zero"),
        "centres": Centres(development=("A",), external_by="date", external_from="2022-01-31", names={"A": "Århus"}),
        "source": Source(
            kind="folder", table="患者.xlsx", date_column="date",
            reading=Reading(header_rows=2, encoding="gb18030", decimal=",", missing=("NP",)),
            rows=Rows(keep="largest", by="size"),
        ),
        "exclusions": (Exclusion(reason="none", column="grade", values=(1, "2")),),
        "variables": {"size": Variable(type="continuous", label="Size", role="clinical", plausible=(1, 200.5))},
        "mending": {"numbers": {"size": {"unit": "mm", "units": {"cm": 10.0}}}, "missing": {"size": ["999"]}},
        "likeness": {"limit": ODD, "precision": [[1.0, 0.0]]},
    }  # fmt: skip
    meant = dataclasses.replace(small_bundle(0), **changes)
    found = read_bundle(write_bundle(seal(meant), "rich", tmp_path)[1])
    for name, value in changes.items():
        assert getattr(found, name) == value, name
    assert found.outcome.positive == ("low",)


def test_the_signature_is_sha256_of_every_file(written):
    told = json.loads((written[0] / "SIGNATURE.json").read_text())
    present = [path for path in written[0].rglob("*") if path.is_file() and path.name != "SIGNATURE.json"]
    assert {path.relative_to(written[0]).as_posix() for path in present} == set(told["files"])
    for path in present:
        entry = told["files"][path.relative_to(written[0]).as_posix()]
        assert entry == {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_same_models_same_bytes_and_other_models_another_fingerprint(written, tmp_path):
    files = sealed(beside={"monai/docs/README.md": b"how to\n", "LICENCE": b"MIT\n"})
    assert write_bundle(files, "small", tmp_path)[1].read_bytes() == written[1].read_bytes()
    other = dataclasses.replace(small_bundle(0), seed=1)
    assert sealed(0)["SIGNATURE.json"] != seal(other)["SIGNATURE.json"]


def test_the_zip_is_a_zip_of_the_folder(written, tmp_path):
    with zipfile.ZipFile(written[1]) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    assert read_bundle(tmp_path / "small.her2study").fingerprint == read_bundle(written[1]).fingerprint


def copy_of(written, tmp_path):
    place = tmp_path / "copy.her2study"
    for path in written[0].rglob("*"):
        if path.is_file():
            target = place / path.relative_to(written[0])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return place


def test_one_bit_of_any_file_of_the_folder(written, tmp_path):
    place = copy_of(written, tmp_path)
    rng = np.random.default_rng(0)
    for path in sorted(place.rglob("*")):
        if path.is_dir():
            continue
        whole = path.read_bytes()
        for byte in {0, len(whole) - 1, *rng.integers(0, len(whole), 20)}:
            broken = bytearray(whole)
            broken[byte] ^= 1 << int(rng.integers(8))
            path.write_bytes(bytes(broken))
            with pytest.raises(StudyError, match=path.name):
                read_bundle(place)
        for other in (whole + b"\n", whole[:-1], b""):
            path.write_bytes(other)
            with pytest.raises(StudyError, match=path.name):
                read_bundle(place)
        path.unlink()
        with pytest.raises(StudyError, match=path.name):
            read_bundle(place)
        path.write_bytes(whole)
    assert read_bundle(place).name == "small"


@pytest.mark.parametrize("name", ["extra.txt", ".DS_Store", "weights/dscore_fold_9.safetensors", "empty/"])
def test_anything_added_to_the_folder_is_named(written, tmp_path, name):
    place = copy_of(written, tmp_path)
    if name.endswith("/"):
        (place / name).mkdir()
    else:
        (place / name).write_bytes(b"x")
    with pytest.raises(StudyError, match=name.rstrip("/")):
        read_bundle(place)


def test_any_bit_of_the_zip(written, tmp_path):
    whole, path = written[1].read_bytes(), tmp_path / "small.her2study.zip"
    rng = np.random.default_rng(1)
    directory = whole.index(b"PK\x01\x02")
    places = {*range(120), *range(directory, len(whole), 7), *rng.integers(0, len(whole), 150)}
    for byte in places:
        broken = bytearray(whole)
        broken[byte] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(broken))
        with pytest.raises(StudyError, match=r"small\.her2study\.zip"):
            read_bundle(path)
    for other in (whole + b"\0", whole[:-1], b"\0" + whole, whole[: len(whole) // 2], b""):
        path.write_bytes(other)
        with pytest.raises(StudyError, match=r"small\.her2study\.zip"):
            read_bundle(path)


def test_a_changed_member_of_the_zip_is_named(written, tmp_path):
    whole, path = written[1].read_bytes(), tmp_path / "small.her2study.zip"
    start = whole.index(b"A small study")
    path.write_bytes(whole[:start] + b"B" + whole[start + 1 :])
    with pytest.raises(StudyError, match=r"bundle\.json"):
        read_bundle(path)


def zipped(path, members, kind=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content, mode in members:
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type, member.create_system, member.external_attr = kind, 3, mode << 16
            archive.writestr(member, content)
    return path


@pytest.mark.parametrize(
    ("members", "kind", "words"),
    [
        ([("../evil.py", b"x", 0o100644)], zipfile.ZIP_STORED, "leads out"),
        ([("small.her2study/../../evil.py", b"x", 0o100644)], zipfile.ZIP_STORED, "leads out"),
        ([("/etc/evil", b"x", 0o100644)], zipfile.ZIP_STORED, "leads out"),
        ([("C:\\\\evil/SIGNATURE.json", b"x", 0o100644)], zipfile.ZIP_STORED, "leads out"),
        ([("small.her2study/link", b"/etc/passwd", 0o120777)], zipfile.ZIP_STORED, "link"),
        ([("small.her2study/bomb", b"0" * 10**6, 0o100644)], zipfile.ZIP_DEFLATED, "compressed"),
        ([("a/SIGNATURE.json", b"{}", 0o100644), ("b/x", b"", 0o100644)], zipfile.ZIP_STORED, "2 folders"),
        ([("a/SIGNATURE.json", b"{}", 0o100644)], zipfile.ZIP_STORED, "SIGNATURE.json"),
        ([("a/x", b"", 0o100644)], zipfile.ZIP_STORED, "no SIGNATURE.json"),
    ],
)
def test_an_archive_that_is_no_bundle_is_refused(tmp_path, members, kind, words):
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(StudyError, match=words):
        read_bundle(zipped(inside / "evil.zip", members, kind))
    assert [path.name for path in tmp_path.rglob("*")] == ["inside", "evil.zip"]


def test_an_archive_packed_by_another_program_says_what_to_do(written, tmp_path):
    members = [
        (path.relative_to(written[0].parent).as_posix(), path.read_bytes(), 0o100600)
        for path in sorted(written[0].rglob("*"))
        if path.is_file()
    ]
    with pytest.raises(StudyError, match="unpack it and give the folder"):
        read_bundle(zipped(tmp_path / "again.zip", members))


def test_a_study_may_be_called_what_it_likes(tmp_path):
    for path in write_bundle(sealed(0), "étude 乳腺 1", tmp_path):
        assert read_bundle(path).name == "small"


def test_links_and_pipes_in_a_folder_are_refused(written, tmp_path):
    place = copy_of(written, tmp_path)
    (place / "LICENCE").unlink()
    (place / "LICENCE").symlink_to(written[0] / "LICENCE")
    with pytest.raises(StudyError, match="LICENCE is a link"):
        read_bundle(place)
    (place / "LICENCE").unlink()
    os.mkfifo(place / "LICENCE")
    with pytest.raises(StudyError, match="no plain file"):
        read_bundle(place)


def test_a_newer_format_says_which_version_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(signature, "FORMAT", signature.FORMAT + 1)
    files = signature.sign({"bundle.json": b"{}"}, written_by="9.8.7")
    monkeypatch.undo()
    for path in write_bundle(files, "newer", tmp_path):
        with pytest.raises(StudyError, match=r"format 2.*install her2study 9\.8\.7"):
            read_bundle(path)


def test_whoever_signs_anew_cannot_keep_the_fingerprint(written, tmp_path):
    meant = read_bundle(written[0])
    files = {name: content for name, content in meant.files.items() if name != "SIGNATURE.json"}
    files["bundle.json"] = files["bundle.json"].replace(b'"intercept": -1.25', b'"intercept": -1.26')
    forged = write_bundle(signature.sign(files), "small", tmp_path)[0]
    assert read_bundle(forged).fingerprint != meant.fingerprint
    with pytest.raises(StudyError, match="another bundle"):
        read_bundle(forged, fingerprint=meant.fingerprint)
    assert read_bundle(written[0], fingerprint=meant.fingerprint[:12].upper()).name == "small"


def test_a_setting_that_this_version_does_not_know(tmp_path):
    files = {name: content for name, content in sealed(0).items() if name != "SIGNATURE.json"}
    document = json.loads(files["bundle.json"])
    document["outcome"]["newer"] = 1
    files["bundle.json"] = json.dumps(document).encode()
    place, _ = write_bundle(signature.sign(files), "small", tmp_path)
    with pytest.raises(StudyError, match=r"Outcome\.newer"):
        read_bundle(place)


@pytest.mark.parametrize("content", [b"no safetensors", None])
def test_weights_that_somebody_signed_but_that_do_not_fit(tmp_path, content):
    files = {name: content for name, content in sealed().items() if name != "SIGNATURE.json"}
    first = "weights/dscore_fold_0.safetensors"
    files[first] = content or save({"other": np.zeros(3, np.float32)})
    place, _ = write_bundle(signature.sign(files), "small", tmp_path)
    with pytest.raises(StudyError, match=f"{first} does not fit"):
        read_bundle(place).networks()


@pytest.mark.parametrize(("name", "words"), [("nothing", "does not exist"), ("", "did you mean .*small.her2study")])
def test_what_is_no_bundle(written, name, words):
    with pytest.raises(StudyError, match=words):
        read_bundle(written[0].parent / name)


FORBIDDEN = {"exec", "compile", "import", "pickle.find_class", "marshal.loads", "subprocess.Popen", "os.system",
             "os.exec", "os.fork", "ctypes.dlopen", "socket.connect"}  # fmt: skip


def test_reading_executes_nothing(written):
    """Python's own audit hook sees every compilation, execution, unpickling and process; a reader needs none."""
    seen, watching = [], []
    sys.addaudithook(lambda event, _: seen.append(event) if watching and event in FORBIDDEN else None)
    read_bundle(written[0]).networks()  # imports what is imported late
    watching.append(True)
    try:
        for path in written:
            read_bundle(path).networks()
        assert not seen
        eval("1 + 1")
        assert seen, "the hook is blind"
    finally:
        watching.clear()


def test_more_weights_than_folds_is_a_bug():
    with pytest.raises(ValueError, match="0 networks where the bundle has 2"):
        seal(small_bundle(), [])
    with pytest.raises(ValueError, match="cannot be one of them"):
        signature.sign({"SIGNATURE.json": b""})
    assert io.BytesIO(sealed(0)["bundle.json"]).read(1) == b"{"
