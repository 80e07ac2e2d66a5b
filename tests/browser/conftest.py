"""Pages as a reader sees them: Debian's Chromium, driven by Playwright, without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.watching import chromium_path, watch

ARGUMENTS = [
    "--no-sandbox",  # refuses to start as root, as in a container
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",  # nothing reaches the network
    "--force-color-profile=srgb",
]

SERIOUS = ("serious", "critical")
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}  # preloading asks for style sheets by XHR, not of files


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium per file of tests; Playwright's event loop ends with it, and disturbs no test elsewhere."""
    path = chromium_path()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=120_000)
        yield chromium
        chromium.close()


@pytest.fixture
def tolerated() -> tuple[str, ...]:
    """Patterns of complaints that do not fail the test; a file of tests may override it, and says why."""
    return ()


@pytest.fixture
def browser_page(browser: Browser, tolerated: tuple[str, ...]) -> Iterator[Page]:
    """A fresh page of 1280 x 900; what :func:`watch` notes, of it and of pages it opens, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)  # other tests run beside
    complaints = watch(context)
    yield context.new_page()
    context.close()
    bad = [said for said in complaints if not any(re.search(pattern, said) for pattern in tolerated)]
    assert not bad, "\n".join(bad)


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """``axe(page)``: axe-core's serious and critical violations, a line each; empty is good."""

    def violations(page: Page) -> list[str]:
        found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
        return [
            f"{violation['id']} ({violation['impact']}): {violation['help']}: "
            + "; ".join(node["html"][:200] for node in violation["nodes"][:5])
            for violation in found
            if violation["impact"] in SERIOUS
        ]

    return violations
