"""An analyst's whole path: drop, read, open, draw, label, see it change, take the report along;
axe-core looks at every screen on the way."""

from browsing import UNKNOWN, cards, draw, drop, faults
from playwright.sync_api import Page, expect

from indexer.evidence import verify
from indexer.images import sha256
from indexer.index import Index, query_bytes, search


def test_from_a_dropped_image_to_a_verified_report(page: Page, index: Index) -> None:
    drop(page, UNKNOWN)
    expect(page.locator("#verdict")).to_have_text("Known family")
    nearest = search(index, query_bytes(index, UNKNOWN), 12).hits[0]
    assert (nearest.label, nearest.family) == ("fake", "blend")
    seen = {"answer": faults(page)}

    cards(page).first.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(nearest.sha256[:12])
    seen["hit"] = faults(page)
    page.keyboard.press("Escape")

    page.get_by_text("Search by a region").click()
    expect(page.get_by_label("Width", exact=True)).to_have_attribute("max", "96")
    draw(page, (24, 16), (64, 56))
    page.get_by_role("button", name="Search by this region").click()
    expect(page.locator("#verdict")).to_have_text("Where this region is seen")
    seen["region"] = faults(page)
    page.get_by_role("button", name="Whole image again").click()
    page.get_by_role("button", name="Search again").click()
    expect(page.locator("#verdict")).to_have_text("Known family")

    before = index.store.generation
    title = cards(page).first.locator("h3")
    cards(page).first.get_by_role("button").click()
    dialog.get_by_label("of the family").fill("face magic")
    dialog.get_by_role("button", name="Save the label").click()
    expect(title).to_have_text("1 face magic fake")
    status = page.get_by_role("status")
    expect(status).to_contain_text("1 image labelled fake, of the family face magic.")
    expect(page.locator("#verdict")).to_be_focused()
    seen["changed answer"] = faults(page)
    changed = search(index, query_bytes(index, UNKNOWN), 12)
    assert (changed.hits[0].sha256, changed.hits[0].family) == (nearest.sha256, "face magic")
    earlier = search(index, query_bytes(index, UNKNOWN), 12, generation=before)
    assert earlier.hits[0].family == "blend"

    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Download the report").click()
    found = verify(download.value.path().read_bytes(), index=index, author="test")
    assert (found.problems, found.differences, found.replayed) == ([], [], True)
    assert found.report["search"]["answer"]["query_sha256"] == sha256(UNKNOWN)
    assert found.report["search"]["answer"]["hits"][0]["family"] == "face magic"
    assert not any(seen.values()), seen

    cards(page).first.get_by_role("button").click()
    dialog.get_by_label("This image is").select_option("real")
    expect(dialog.get_by_label("of the family")).to_be_disabled()
    dialog.get_by_role("button", name="Save the label").click()
    expect(title).to_contain_text("real")
    status.get_by_role("button", name="Undo").click()
    expect(title).to_have_text("1 face magic fake")
    expect(status).to_contain_text("Undone.")
    row = index.store.image(nearest.sha256)
    assert (row.annotation.label, row.annotation.family) == ("fake", "face magic")


def test_a_label_that_is_refused_is_said(page: Page, index: Index) -> None:
    before = index.store.generation
    drop(page, UNKNOWN)
    cards(page).nth(2).get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("of the family").evaluate("(field) => { field.maxLength = 300 }")
    dialog.get_by_label("of the family").fill("x" * 300)
    dialog.get_by_role("button", name="Save the label").click()
    expect(page.get_by_role("status")).to_contain_text("at most 200 characters")
    assert index.store.generation == before
