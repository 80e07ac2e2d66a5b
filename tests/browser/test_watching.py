"""The watcher is watched: each fault of a page is noted, and a good page has none."""

from __future__ import annotations

import shutil

import pytest

from tests.browser.watching import NEED, chromium_path, is_local, watch

FAULTS = {
    "<script>console.error('it broke')</script>": "console error: it broke",
    "<script>throw new Error('boom')</script>": "uncaught error: boom",
    "<img src='https://example.com/a.png' alt='one'>": "request to https://example.com/a.png",
    "<script>fetch('http://example.org/').catch(() => {})</script>": "request to http://example.org/",
    "<script>new WebSocket('ws://example.org/')</script>": "ws://example.org/",
    "<img src='absent.png' alt='one'>": "failed to load: file://",
    "<p>All is well</p>": None,
}


@pytest.mark.parametrize("body", FAULTS)
def test_a_fault_is_noted(browser, tmp_path, body):
    (tmp_path / "page.html").write_text(f"<!doctype html><html lang='en'><title>Page</title>{body}")
    context = browser.new_context()
    noted, page = watch(context), context.new_page()
    page.goto((tmp_path / "page.html").as_uri(), wait_until="networkidle")
    context.close()
    if FAULTS[body] is None:
        assert noted == []
    else:
        assert any(said.startswith(FAULTS[body]) for said in noted), noted


def test_axe_finds_a_field_without_a_name(browser_page, axe):
    browser_page.set_content("<!doctype html><html lang='en'><title>Page</title><main><h1>Form</h1><input></main>")
    assert [line.split()[0] for line in axe(browser_page)] == ["label"]
    browser_page.set_content("<html lang='en'><title>Page</title><main><h1>Form</h1><input aria-label='Age'></main>")
    assert axe(browser_page) == []


def test_this_machine_is_local_and_names_that_look_like_it_are_not():
    assert is_local("file:///tmp/a.html")
    assert is_local("http://localhost:8888/lab")
    assert not is_local("https://localhost.example.org/")
    assert not is_local("wss://127.0.0.1.example.org/")


def test_without_chromium_tests_are_skipped_or_fail_where_they_are_needed(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv(NEED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        chromium_path()
    monkeypatch.setenv(NEED, "1")
    with pytest.raises(pytest.fail.Exception, match="may not be skipped"):
        chromium_path()
