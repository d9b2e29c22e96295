"""Drawing a region, and what is found by it."""

import pytest
from browsing import UNKNOWN, cards, choose, draw
from playwright.sync_api import Browser, Page, expect
from serving import Server

from indexer.images.region import Region
from indexer.index import Index, region_bytes, search_region


def give(page: Page, x: int, y: int, width: int, height: int) -> None:
    """Give the box in numbers and search by it."""
    for name, value in zip(("Left", "Top", "Width", "Height"), (x, y, width, height), strict=True):
        page.get_by_label(name, exact=True).fill(str(value))
    page.get_by_role("button", name="Search by this region").click()


def box(page: Page) -> list[int]:
    """What the four numbers are."""
    names = ("Left", "Top", "Width", "Height")
    return [int(page.get_by_label(name, exact=True).input_value()) for name in names]


def test_a_region_in_numbers_is_found_where_the_service_says(page: Page, index: Index) -> None:
    choose(page, UNKNOWN)
    page.get_by_text("Search by a region").click()
    expect(page.get_by_label("Width", exact=True)).to_have_attribute("max", "96")
    give(page, 24, 16, 40, 40)
    expect(page.locator("#verdict")).to_have_text("Where this region is seen")
    query = region_bytes(index, UNKNOWN, Region(24, 16, 40, 40))
    answer = search_region(index, query, 12)
    expect(page.locator(".reason")).to_contain_text(
        f"{answer.patches} patches of a region of 40 × 40 pixels"
    )
    expect(cards(page)).to_have_count(len(answer.hits))
    for card, hit in zip(cards(page).all(), answer.hits, strict=True):
        expect(card).to_contain_text(f"Agreement {hit.agreement:.2f}, similarity")
        expect(card.locator(".box")).to_be_attached()
    first = answer.hits[0].region
    style = cards(page).first.locator(".box").evaluate("(box) => box.style.left")
    size = index.store.image(answer.hits[0].sha256).facts
    assert float(style.removesuffix("%")) == pytest.approx(100 * first.x / size.width, abs=0.01)

    cards(page).first.get_by_role("button").click()
    expect(page.get_by_role("dialog").locator(".box")).to_have_count(2)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Whole image again").click()
    page.get_by_role("button", name="Search again").click()
    expect(page.locator("#verdict")).to_have_text("Known family")


def test_a_region_is_drawn_in_the_pixels_of_the_image(page: Page) -> None:
    choose(page, UNKNOWN)
    page.get_by_text("Search by a region").click()
    expect(page.get_by_label("Width", exact=True)).to_have_attribute("max", "96")
    draw(page, (60, 50), (20, 10))
    assert box(page) == pytest.approx([20, 10, 40, 40], abs=1)
    draw(page, (50, 30), (300, 300))
    assert box(page) == pytest.approx([50, 30, 46, 42], abs=1)  # cut at the picture's edge


def test_a_region_is_drawn_by_touch(browser: Browser, server: Server) -> None:
    with browser.new_context(
        base_url=server.url, viewport={"width": 360, "height": 800}, has_touch=True
    ) as context:
        page = context.new_page()
        page.goto("/")
        choose(page, UNKNOWN)
        expect(cards(page)).to_have_count(12)  # then the page has scrolled to the verdict
        page.get_by_text("Search by a region").click()
        expect(page.get_by_label("Width", exact=True)).to_have_attribute("max", "96")
        canvas = page.locator("#asked .canvas")
        canvas.scroll_into_view_if_needed()
        place = canvas.bounding_box()
        assert place is not None
        touch = context.new_cdp_session(page)
        for kind, across in (("touchStart", 0.25), ("touchMove", 0.5), ("touchMove", 0.75)):
            point = {
                "x": place["x"] + across * place["width"],
                "y": place["y"] + across * place["height"],
            }
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert box(page) == pytest.approx([24, 18, 48, 36], abs=1)


def test_a_region_outside_the_image_is_refused_in_plain_words(page: Page) -> None:
    choose(page, UNKNOWN)
    page.get_by_text("Search by a region").click()
    give(page, 500, 500, 40, 40)
    page.evaluate("document.getElementById('ask').noValidate = true")
    page.get_by_role("button", name="Search by this region").click()
    expect(page.get_by_role("alert")).to_contain_text("the image of 96 x 72 pixels")
