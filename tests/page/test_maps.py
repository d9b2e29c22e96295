"""Maps on the page: asked for, shown with the service's words, each kind in its place."""

import base64

import httpx
from browsing import UNKNOWN, cards, choose
from playwright.sync_api import Locator, Page, expect
from serving import Server
from tinted import tinted

from indexer.images import sha256
from indexer.index import Index

SLOW = 60_000
"""Milliseconds: the first attention loads torch, and the machine may have other work."""
KNOWN = sha256(tinted("fake/swap", 1000))


def expect_map(place: Locator, answer: dict) -> None:
    """The picture of `answer`, whole, and its sentences."""
    picture = place.locator(".sheet img")
    expect(picture).to_have_attribute("alt", answer["alt"], timeout=SLOW)
    drawn = base64.b64decode(answer["picture"])
    width, height = (int.from_bytes(drawn[at : at + 4]) for at in (16, 20))
    assert picture.evaluate("(image) => image.decode()") is None
    size = picture.evaluate("(image) => [image.naturalWidth, image.naturalHeight]")
    assert size == [width, height]
    expect(place.locator("li")).to_have_text(answer["says"])


def test_what_speaks_for_fake_is_shown_by_keyboard(page: Page, server: Server) -> None:
    choose(page, UNKNOWN)
    page.get_by_role("button", name="Show what speaks for fake").press("Enter")
    panel = page.get_by_role("region", name="What speaks for fake", exact=True)
    expect(panel.locator(".sheet")).to_be_focused(timeout=SLOW)
    answer = httpx.post(f"{server.url}/v1/maps", files={"image": UNKNOWN}, timeout=60).json()
    expect_map(panel, answer)
    expect(panel).to_contain_text("This is not a tamper localisation")
    with page.expect_download() as download:
        panel.get_by_role("link", name="Save the picture").click()
    assert download.value.suggested_filename == f"what-speaks-for-fake-{sha256(UNKNOWN)[:12]}.png"
    assert download.value.path().read_bytes() == base64.b64decode(answer["picture"])


def test_what_matched_in_a_hit(page: Page, server: Server) -> None:
    choose(page, UNKNOWN)
    with page.expect_response("**/v1/search") as found:
        page.get_by_role("button", name="Search again").click()
    hit = found.value.json()["hits"][1]["sha256"]
    cards(page).nth(1).get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Show what matched").click()
    answer = httpx.post(
        f"{server.url}/v1/maps", files={"image": UNKNOWN}, data={"hit": hit}, timeout=60
    ).json()
    expect_map(dialog.locator(".maps"), answer)


def test_what_matched_in_two_indexed_images(page: Page, server: Server) -> None:
    page.goto(f"/#/image/{KNOWN}")
    panel = page.get_by_role("region", name="What speaks for fake", exact=True)
    expect(panel).to_contain_text("the index does not keep its file: choose the file above.")
    expect(panel.get_by_role("button")).to_have_count(0)
    with page.expect_response("**/maps?**") as asked:
        cards(page).first.get_by_role("button").click()
        page.get_by_role("button", name="Show what matched").click()
    answer = asked.value.json()
    assert answer["missing"].keys() == {"match"}
    expect_map(page.get_by_role("dialog").locator(".maps"), answer)


def test_a_map_that_fails_says_why_and_can_be_asked_again(page: Page) -> None:
    choose(page, UNKNOWN)
    problem = {"title": "The model does not answer", "detail": "it hung", "status": 500}
    page.route("**/v1/maps", lambda route: route.fulfill(status=500, json=problem))
    page.get_by_role("button", name="Show what speaks for fake").click()
    expect(page.get_by_role("alert")).to_contain_text("it hung")
    page.unroute("**/v1/maps")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".sheet img")).to_be_visible(timeout=SLOW)


def test_a_hit_is_kept_out_of_its_family_or_in_it(page: Page, index: Index) -> None:
    page.goto(f"/#/image/{KNOWN}")
    family = {found.name: found.family for found in index.store.families.named()}["swap"]
    title, status = cards(page).first.locator("h3"), page.get_by_role("status")
    dialog = page.get_by_role("dialog")
    for button, said, kind in (
        ("It does not belong there", "1 image kept out of swap.", "reject"),
        ("Keep it in this family", "1 image kept in swap.", "pin"),
    ):
        expect(title).to_have_text("1 swap fake")
        cards(page).first.get_by_role("button").click()
        dialog.get_by_role("button", name=button).click()
        expect(dialog).to_be_hidden()
        expect(status).to_contain_text(said)
        action = index.store.families.decisions(index.store.generation)[-1].action
        assert (action["kind"], action["family"]) == (kind, family)
        status.get_by_role("button", name="Undo").click()
        expect(status).to_contain_text("Undone.")
