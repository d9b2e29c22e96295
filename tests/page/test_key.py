"""A service that wants an API key."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import UNKNOWN, cards, choose
from playwright.sync_api import Page, expect

from indexer.index import Index
from search_api.access import FRESH_SECONDS
from search_api.keys import new_key

NOTICED = FRESH_SECONDS + 0.1


@pytest.fixture
def key(index_path: Path) -> Iterator[str]:
    """A key with the scope read, while a key is needed."""
    with Index.open(index_path) as index:
        key, kept = new_key("desk", frozenset({"read"}))
        with index.store.commit("key added", "test") as txn:
            txn.add_key(kept)
        time.sleep(NOTICED)
        yield key
        with index.store.commit("key revoked", "test") as txn:
            txn.revoke_key("desk")
    time.sleep(NOTICED)


def test_a_key_is_asked_for_once_and_kept_for_the_tab(key: str, page: Page) -> None:
    choose(page, UNKNOWN)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("This service asks for an API key")
    dialog.get_by_label("API key").fill("lineup_not_this_one")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("A key that is unknown or revoked.")
    dialog.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(cards(page)).to_have_count(12)
    expect(page.locator(".cards img").first).to_be_visible()

    page.reload()
    choose(page, UNKNOWN)
    expect(cards(page)).to_have_count(12)
    with page.expect_event("load"):
        page.get_by_role("button", name="Forget the key").click()
    choose(page, UNKNOWN)
    expect(dialog).to_be_visible()
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [
        0,
        0,
        "",
    ]


def test_going_on_without_a_key_is_refused_in_plain_words(key: str, page: Page) -> None:
    choose(page, UNKNOWN)
    page.get_by_role("button", name="Go on without").click()
    expect(page.get_by_role("alert")).to_contain_text("A key is needed")
    with page.expect_event("load"):
        page.get_by_role("button", name="Give a key").click()
    choose(page, UNKNOWN)
    expect(page.get_by_role("dialog")).to_be_visible()
