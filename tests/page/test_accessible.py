"""Every screen, in both widths and both colour schemes, before axe-core."""

import pytest
from browsing import UNKNOWN, choose, faults
from playwright.sync_api import Browser, Page
from serving import Server

WIDTHS = (360, 1600)


@pytest.fixture(params=WIDTHS)
def narrow_and_wide(request: pytest.FixtureRequest, browser: Browser, server: Server):
    """The page at one of both widths."""
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": request.param, "height": 900},
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


def seen(page: Page, screen: str) -> dict[str, list[str]]:
    """What is wrong with a screen in each of both colour schemes."""
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found[f"{screen}, {scheme}"] = faults(page)
    return found


def test_no_screen_has_a_serious_fault(narrow_and_wide: Page) -> None:
    page = narrow_and_wide
    found = seen(page, "start")
    choose(page, UNKNOWN)
    page.locator(".cards").scroll_into_view_if_needed()
    page.wait_for_selector(".cards img")
    page.get_by_text("Only compare with").click()
    page.get_by_text("Pick an indexed image").click()
    page.get_by_role("button", name="Show what speaks for fake").click()
    page.wait_for_selector(".sheet img", timeout=60_000)
    found |= seen(page, "answer, everything unfolded")
    page.locator(".cards button").first.click()
    page.wait_for_selector("dialog img")
    page.wait_for_selector("dialog .facts")
    page.get_by_role("button", name="Show what matched").click()
    page.wait_for_selector("dialog .sheet img", timeout=60_000)
    found |= seen(page, "hit")
    page.keyboard.press("Escape")
    page.get_by_text("Search by a region").click()
    for name in ("Left", "Top", "Width", "Height"):
        page.get_by_label(name, exact=True).fill("24")
    page.get_by_role("button", name="Search by this region").click()
    page.wait_for_selector(".cards .box")
    found |= seen(page, "region")
    page.get_by_role("link", name="Families").click()
    page.locator("#family-list a").first.click()
    page.get_by_text("Rename or merge").click()
    page.wait_for_selector(".family .faces img")
    found |= seen(page, "family")
    page.get_by_role("link", name="Search", exact=True).click()
    choose(page, b"not an image")
    page.wait_for_selector("[role=alert]")
    found |= seen(page, "error")
    assert not {screen: what for screen, what in found.items() if what}
