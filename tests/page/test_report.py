"""The evidence report, from the page to its verification."""

from browsing import UNKNOWN, cards, choose
from playwright.sync_api import Page, expect

from indexer.evidence import verify
from indexer.images import sha256
from indexer.index import Index


def test_the_report_that_is_downloaded_verifies_and_replays(page: Page, index: Index) -> None:
    choose(page, UNKNOWN, "a photo.png")
    page.get_by_text("Only compare with").click()
    page.get_by_label("Label").select_option("fake")
    page.get_by_label("Hits").fill("5")
    page.get_by_role("button", name="Search again").click()
    expect(cards(page)).to_have_count(5)
    page.get_by_label("Your note, which is signed too").fill("Case 17: sent by a reader")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the report").click()
    file = download.value
    assert file.suggested_filename == f"report-{sha256(UNKNOWN)[:12]}.zip"
    expect(page.get_by_role("status")).to_contain_text(file.suggested_filename)
    found = verify(file.path().read_bytes(), index=index, author="test")
    assert (found.problems, found.differences, found.replayed) == ([], [], True)
    assert found.report["query"]["name"] == "a photo.png"
    assert found.report["made"]["note"] == "Case 17: sent by a reader"
    hits = found.report["search"]["answer"]["hits"]
    assert [f"{hit['family']} {hit['label']}" for hit in hits] == [
        title.split(" ", 1)[1] for title in page.locator(".cards h3").all_inner_texts()
    ]


def test_an_indexed_image_has_no_report(page: Page, index: Index) -> None:
    known = next(iter(index.store.images(index.store.ids()[:1]))).sha256
    page.goto(f"/#/image/{known}")
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.get_by_role("heading", name="Evidence report")).to_have_count(0)
