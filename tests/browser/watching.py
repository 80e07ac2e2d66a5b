"""What a page may not do: complain, fail to load something, or reach for the network."""

from __future__ import annotations

import os
import shutil
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext

NEED = "HER2STUDY_NEED_BROWSER"
"""Set where a skipped browser test would go unnoticed (`.ci/run`): it fails instead."""

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

LOCAL_HOSTS = ("localhost", "127.0.0.1")
LOCAL_SCHEMES = ("file", "data", "blob", "about", "chrome-error")


def chromium_path() -> str:
    """The installed Chromium; skips the test without one, or fails it where :data:`NEED` is set."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        reason = f"no Chromium is installed (looked for {', '.join(CHROMIUMS)}): apt-get install chromium"
        if os.environ.get(NEED):
            pytest.fail(f"{reason}; {NEED} is set, so browser tests may not be skipped", pytrace=False)
        pytest.skip(reason)
    return found


def watch(context: BrowserContext) -> list[str]:
    """A list that fills with console errors, uncaught errors, failed loads and requests to other machines."""
    complaints: list[str] = []
    context.on("console", lambda said: said.type == "error" and complaints.append(f"console error: {said.text}"))
    context.on("weberror", lambda error: complaints.append(f"uncaught error: {error.error}"))
    context.on("request", lambda asked: is_local(asked.url) or complaints.append(f"request to {asked.url}"))
    context.on("requestfailed", lambda asked: complaints.append(f"failed to load: {asked.url} ({asked.failure})"))
    context.on("page", lambda page: page.on("websocket", lambda s: is_local(s.url) or complaints.append(s.url)))
    return complaints


def is_local(url: str) -> bool:
    """Whether a request stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname in LOCAL_HOSTS
