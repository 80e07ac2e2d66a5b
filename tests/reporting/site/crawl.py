"""What a folder of pages refers to, and whether it is there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup


def pages(folder: Path) -> dict[str, BeautifulSoup]:
    """Every page of a report by its address."""
    return {
        path.relative_to(folder).as_posix(): BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
        for path in sorted(folder.rglob("*.html"))
    }


def broken(folder: Path) -> list[str]:
    """Addresses that lead nowhere, as ``page: address``; other sites are not asked."""
    read = pages(folder)
    return [
        f"{page}: {address}"
        for page, soup in read.items()
        for address in references(soup)
        if not _resolves(folder, read, page, address)
    ]


def references(soup: BeautifulSoup) -> list[str]:
    """Everything that a page links to or loads."""
    named = [(tag.get("href"), tag.get("src"), tag.get("action")) for tag in soup.find_all(True)]
    return [address for addresses in named for address in addresses if address is not None]


def loaded(soup: BeautifulSoup) -> list[str]:
    """What a page fetches by itself, links apart."""
    loading = soup.find_all(["script", "img", "link", "iframe", "source", "object"])
    imported = re.findall(r"@import[^;]+|url\([^)]+\)", str(soup))
    return [tag.get("src") or tag.get("href") or tag.get("data") or "" for tag in loading] + imported


def _resolves(folder: Path, read: dict[str, BeautifulSoup], page: str, address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme in ("http", "https", "data"):
        return True
    target = page
    if parts.path:
        path = (folder / page).parent.joinpath(unquote(parts.path)).resolve()
        if not path.is_file() or not path.is_relative_to(folder.resolve()):
            return False
        target = path.relative_to(folder.resolve()).as_posix()
    return not parts.fragment or read[target].find(id=unquote(parts.fragment)) is not None
