"""Asking about an image and reading the answer, as a person does it."""

import re
from pathlib import Path

import httpx
import pytest
from browsing import UNKNOWN, cards, choose, drop, paste
from hostile import encode, picture
from playwright.sync_api import Page, expect
from serving import Server
from tinted import MEMBERS, tinted

from indexer.images import sha256
from indexer.index import Answer, Index, query_bytes, query_stored, search

KNOWN = sha256(tinted("fake/swap", 1000))
BARE = sha256(encode(picture(999), "PNG"))


def expect_answer(page: Page, answer: Answer) -> None:
    """The page shows the verdict, the families and the hits of `answer`, in its order."""
    kind, reason = answer.conclusion.verdict, answer.conclusion.reason
    expect(page.locator("#verdict")).to_have_text(kind.capitalize())
    shown = page.locator(".reason").inner_text().replace("\xa0", " ")
    assert shown == f"{reason[0].upper()}{reason[1:]}."
    expect(page.locator(".candidates strong")).to_have_text([c.family for c in answer.families])
    expect(cards(page)).to_have_count(len(answer.hits))
    for number, (card, hit) in enumerate(zip(cards(page).all(), answer.hits, strict=True), 1):
        expect(card.locator("h3")).to_have_text(
            f"{number} {hit.family or Path(hit.uri).parent.name + '/' + Path(hit.uri).name}"
            f" {hit.label or 'unlabelled'}"
        )
        assert hit.false_match_rate is not None
        expect(card).to_contain_text(hit.false_match_rate.text.removeprefix("none").strip())
        expect(card).to_contain_text(f"Similarity {hit.similarity:.3f}.")


@pytest.mark.parametrize("give", [choose, drop, paste])
def test_an_image_gets_its_verdict_and_its_hits(page: Page, index: Index, give) -> None:
    give(page, UNKNOWN)
    answer = search(index, query_bytes(index, UNKNOWN), 12)
    assert answer.conclusion.verdict == "known family"
    expect_answer(page, answer)


def test_an_indexed_image_is_picked_and_left_again(page: Page, index: Index) -> None:
    page.get_by_text("Pick an indexed image").click()
    page.get_by_label("sha256").fill(KNOWN)
    page.get_by_role("button", name="Search with it").click()
    expect(page).to_have_url(re.compile(f"#/image/{KNOWN}$"))
    expect_answer(page, search(index, query_stored(index, KNOWN), 12))
    page.go_back()
    expect(page.get_by_role("button", name="Search again")).to_be_hidden()
    expect(page.locator("#answer")).to_be_empty()
    page.go_forward()
    expect_answer(page, search(index, query_stored(index, KNOWN), 12))


def test_filters_narrow_the_hits(page: Page) -> None:
    choose(page, UNKNOWN)
    expect(cards(page)).to_have_count(12)
    page.get_by_text("Only compare with").click()
    page.get_by_label("Label").select_option("fake")
    page.get_by_label("Family", exact=True).fill("swap")
    page.get_by_label("Hits").fill("1000")
    page.get_by_role("button", name="Search again").click()
    expect(page.locator(".cards h3")).to_have_text(
        [f"{rank} swap fake" for rank in range(1, MEMBERS["fake/swap"] + 1)]
    )

    page.get_by_label("Family", exact=True).fill('it\'s "new"')
    page.get_by_role("button", name="Search again").click()
    expect(page.get_by_text("No image of the gallery passes the filter.")).to_be_visible()
    expect(page.locator("#verdict")).to_have_text("Known family")


def test_a_day_is_a_filter_from_its_first_to_its_last_moment(page: Page) -> None:
    page.goto(f"/#/image/{KNOWN}")
    page.get_by_text("Only compare with").click()
    page.get_by_label("Captured from").fill("2026-02-28")
    page.get_by_label("Captured until").fill("2026-02-28")
    with page.expect_request("**/v1/search") as request:
        page.get_by_role("button", name="Search again").click()
    where = "captured_at >= '2026-02-28' and captured_at < '2026-03-01'"
    assert request.value.post_data_json["where"] == where


def test_a_hit_opens_beside_the_image(page: Page, index: Index) -> None:
    choose(page, UNKNOWN)
    second, third = search(index, query_bytes(index, UNKNOWN), 12).hits[1:3]
    cards(page).nth(1).get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Hit 2 of 12: {second.family}")
    expect(dialog).to_contain_text(second.uri)
    expect(dialog.get_by_role("img", name="Hit 2")).to_be_visible()
    expect(dialog.get_by_role("img", name="The image that was asked about")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text(third.uri)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(cards(page).nth(1).get_by_role("button")).to_be_focused()


def test_the_whole_path_by_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#file")).to_be_focused()
    choose(page, UNKNOWN)
    expect(cards(page)).to_have_count(12)
    opener = cards(page).first.get_by_role("button")
    for _ in range(20):
        page.keyboard.press("Tab")
        if opener.evaluate("(button) => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_picture_that_is_not_there_is_said(page: Page) -> None:
    page.goto(f"/#/image/{BARE}")
    expect(page.locator("#asked")).to_contain_text("No picture")


def test_what_is_wrong_with_a_file_is_said_in_the_services_words(
    page: Page, server: Server
) -> None:
    cut = UNKNOWN[: len(UNKNOWN) // 2]
    problem = httpx.post(f"{server.url}/v1/search", files={"image": cut}).json()
    choose(page, cut, "cut.png")
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading")).to_have_text(problem["title"])
    expect(alert.locator("p")).to_have_text(problem["detail"])


def test_a_wrong_filter_is_explained_and_can_be_mended(page: Page) -> None:
    choose(page, UNKNOWN)
    page.get_by_text("Only compare with").click()
    page.get_by_label("Filter expression").fill("colour = red")
    page.get_by_role("button", name="Search again").click()
    expect(page.get_by_role("alert")).to_contain_text("found colour")
    page.get_by_label("Filter expression").fill("score >= 0 or family = 'swap'")
    page.get_by_role("button", name="Search again").click()
    expect(cards(page)).to_have_count(12)


def test_a_service_out_of_reach_is_said_and_asked_again(page: Page) -> None:
    page.context.set_offline(True)
    choose(page, UNKNOWN)
    expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(cards(page)).to_have_count(12)


def test_a_busy_service_is_asked_again_when_it_says(page: Page) -> None:
    refused = []

    def refuse_twice(route) -> None:
        if len(refused) == 2:
            route.continue_()
            return
        refused.append(route)
        route.fulfill(status=503 if len(refused) == 1 else 429, headers={"Retry-After": "1"})

    page.route("**/v1/search", refuse_twice)
    choose(page, UNKNOWN)
    expect(page.get_by_role("status")).to_contain_text("Trying again in 1 s")
    expect(cards(page)).to_have_count(12)
    assert len(refused) == 2


def test_a_search_can_be_stopped(page: Page) -> None:
    page.route("**/v1/search", lambda _: None)
    choose(page, UNKNOWN)
    expect(page.get_by_role("status")).to_contain_text("The model looks at suspicious.png")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("^Stopped"))


def test_a_name_is_text_whatever_it_says(page: Page) -> None:
    name = "<img src=x onerror=alert(1)>.png"
    choose(page, UNKNOWN, name)
    expect(page.locator("#asked .file")).to_have_text(name)
    expect(cards(page)).to_have_count(12)
