"""Records: what each finished step was made from and made, and whether that still holds.

``results/<study>/records/<step>.json`` is written, in one rename, when a step has succeeded. A step is
up to date exactly when its record still describes the world: same code, settings, parameters and
packages, and every file it read or wrote still has the content it had. Dates decide nothing; an
unchanged size and modification time only save the reading of a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from her2study.pipeline.fingerprint import changed_packages, fingerprint
from her2study.pipeline.graph import Chain, Node
from her2study.store import file_hash, write_atomically

Record = dict[str, Any]

NEVER_RAN = "has not run yet"


def record_path(chain: Chain, name: str) -> Path:
    """Where the record of a step lies."""
    return chain.run.folder / "records" / f"{name}.json"


def load_record(chain: Chain, name: str) -> Record | None:
    """The record of a step's last success, or none."""
    try:
        return json.loads(record_path(chain, name).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def save_record(chain: Chain, node: Node, record: Mapping[str, Any]) -> None:
    """Store the record of a success and remove what an earlier run of the step wrote and this one did not."""
    before = load_record(chain, node.name) or {}
    text = json.dumps(record, indent=1) + "\n"
    write_atomically(record_path(chain, node.name), lambda path: path.write_text(text, encoding="utf-8"))
    _remove(chain, set(before.get("written", {})) - set(record["written"]))


def reason_to_run(chain: Chain, node: Node) -> str | None:
    """Why a step must run, in words, or none if its record holds."""
    record = load_record(chain, node.name)
    if record is None:
        return NEVER_RAN
    now = fingerprint(chain, node)
    for what, words in (
        ("parameters", "parameter"),
        ("settings", "setting"),
        ("study_files", "file of the study"),
        ("code", "code of"),
    ):
        changed = first_difference(record[what], now[what])
        if changed:
            return f"{words} {changed} changed"
    if record["notebook"] != now["notebook"]:
        return "its code changed"
    if record["upstream"] != now["upstream"]:
        return "the steps before it changed"
    packages = changed_packages(record["packages"])
    if packages:
        return f"{packages[0]} is no longer installed"
    if node.notebook and not (chain.run.folder / "notebooks" / f"{node.name}.ipynb").is_file():
        return "its executed notebook is gone"
    return changed_file(chain.run.folder, record)


def changed_file(folder: Path, record: Record) -> str | None:
    """The first file that is not what the record says, in words."""
    for kind in ("read", "source", "written"):
        for name, known in record[kind].items():
            if not _same(folder / name, known):
                return f"{name} changed" if (folder / name).exists() else f"{name} is gone"
    for name, existed in record["asked"].items():
        if (folder / name).is_file() != existed:
            return f"{name} appeared" if not existed else f"{name} is gone"
    for name, content in record["listed"].items():
        if list_folder(folder / name) != content:
            return f"the list of {name} changed"
    return None


def describe_files(folder: Path, journal: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """The journal of a step as the file part of its record, names relative to the results folder.

    Files of the patients are many and large: they are known by size and time, all others by content.
    """
    read: dict[str, Any] = {}
    written: dict[str, Any] = {}
    source: dict[str, Any] = {}
    asked: dict[str, bool] = {}
    listed: dict[str, list[str]] = {}
    for what, text in journal:
        path = Path(text)
        name = str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
        if what == "read" and name not in written:
            read.setdefault(name, path)
        elif what == "write":
            written[name] = path
        elif what == "source":
            source[name] = path
        elif what == "asked" and name not in written:
            asked[name] = path.is_file()
        elif what == "listed":
            listed[name] = list_folder(path)
    return {
        "read": {name: _known(path, content=True) for name, path in sorted(read.items())},
        "written": {name: _known(path, content=True) for name, path in sorted(written.items())},
        "source": {name: _known(path, content=False) for name, path in sorted(source.items())},
        "asked": dict(sorted(asked.items())),
        "listed": listed,
    }


def describe_folder(folder: Path, parts: Iterable[Path]) -> dict[str, Any]:
    """All files below some folders, by size and time: the simulated patients are thousands of files."""
    paths = sorted(path for part in parts for path in part.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): _known(path, content=False) for path in paths}


def list_folder(path: Path) -> list[str]:
    """Names of the artefacts in a folder."""
    return sorted(item.name for item in path.glob("*") if item.suffix in (".parquet", ".json", ".csv"))


def retire_absent(chain: Chain) -> None:
    """Remove what steps wrote that the study no longer has (fewer folds, no images)."""
    for path in sorted((chain.run.folder / "records").glob("*.json")):
        if path.stem not in chain.nodes:
            _remove(chain, (load_record(chain, path.stem) or {}).get("written", {}))
            (chain.run.folder / "notebooks" / f"{path.stem}.ipynb").unlink(missing_ok=True)
            path.unlink()


def first_difference(old: Any, new: Any, at: str = "") -> str | None:
    """Dotted name of the first value, or mapping whose order, differs between two nested mappings."""
    if json.dumps(old) == json.dumps(new):
        return None
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return at
    for key in [*old, *(key for key in new if key not in old)]:
        place = f"{at}.{key}".removeprefix(".")
        found = first_difference(old[key], new[key], place) if key in old and key in new else place
        if found:
            return found
    return at or "order"


def _remove(chain: Chain, names: Iterable[str]) -> None:
    """Delete artefacts that no step claims."""
    claimed = {name for other in chain.nodes for name in (load_record(chain, other) or {}).get("written", {})}
    for name in set(names) - claimed:
        (chain.run.folder / name).unlink(missing_ok=True)


def _known(path: Path, content: bool) -> dict[str, Any]:
    status = path.stat()
    known: dict[str, Any] = {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
    return {**known, "sha256": file_hash(path)} if content else known


def _same(path: Path, known: Mapping[str, Any]) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    if (status.st_size, status.st_mtime_ns) == (known["size"], known["mtime_ns"]):
        return True
    return status.st_size == known["size"] and "sha256" in known and file_hash(path) == known["sha256"]
