"""The family browser: what it lists, and what an analyst decides there."""

import pytest
from playwright.sync_api import Page, expect

from indexer.families.describe import Family
from indexer.index import Index
from indexer.index.cards import cards, members_of, places


@pytest.fixture
def opened(page: Page, index: Index) -> Family:
    """The largest family, opened from the list."""
    family = cards(index)[0]
    page.get_by_role("link", name="Families").click()
    page.locator("#family-list a").first.click()
    expect(page.locator("#family-title")).to_have_text(family.name)
    return family


def expect_list(page: Page, index: Index) -> None:
    shown = [
        f"{family.name}{family.size} image{'s' if family.size > 1 else ''}"
        for family in cards(index)
    ]
    expect(page.locator("#family-list li")).to_have_text(shown)


def undo(page: Page) -> None:
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone.")


def test_the_list_and_the_family_are_those_of_the_index(
    page: Page, index: Index, opened: Family
) -> None:
    expect_list(page, index)
    article = page.get_by_role("article")
    expect(article.locator(".faces").first.locator("li")).to_have_count(len(opened.exemplars))
    ticks = article.get_by_role("checkbox").evaluate_all("(boxes) => boxes.map((b) => b.value)")
    assert ticks == [member.sha256 for member in members_of(index, opened.id)]
    page.get_by_label("Only names with").fill("no such name")
    expect(page.locator("#family-list li")).to_have_count(0)
    expect(page.locator("#family-count")).to_have_text("0 families")
    article.locator(".faces a").first.click()
    expect(page.locator("#verdict")).to_be_visible()


def test_a_family_is_renamed_and_that_is_undone(page: Page, index: Index, opened: Family) -> None:
    page.get_by_text("Rename or merge").click()
    page.get_by_label("Name", exact=True).fill("FaceMagic 2")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("#family-title")).to_have_text("FaceMagic 2")
    expect_list(page, index)
    undo(page)
    expect(page.locator("#family-title")).to_have_text(opened.name)
    assert {family.id: family.name for family in cards(index)}[opened.id] == opened.name


def test_images_are_kept_out_of_a_family_and_that_is_undone(
    page: Page, index: Index, opened: Family
) -> None:
    before = members_of(index, opened.id)
    page.get_by_role("button", name="The ticked do not belong here").click()
    expect(page.get_by_role("status")).to_contain_text("Tick images first.")
    for member in before[:2]:
        page.locator(f'input[value="{member.sha256}"]').check()
    page.get_by_role("button", name="The ticked do not belong here").click()
    expect(page.get_by_role("status")).to_contain_text(f"2 images kept out of {opened.name}.")
    expect(page.get_by_role("article").get_by_role("checkbox")).to_have_count(len(before) - 2)
    assert {m.sha256 for m in members_of(index, opened.id)} == {m.sha256 for m in before[2:]}
    undo(page)
    assert members_of(index, opened.id) == before


def test_an_image_is_split_off_a_family_and_that_is_undone(
    page: Page, index: Index, opened: Family
) -> None:
    before = [(family.id, family.size) for family in cards(index)]
    member = members_of(index, opened.id)[0]
    page.locator(f'input[value="{member.sha256}"]').check()
    page.get_by_role("button", name="Split off the ticked").click()
    expect(page.get_by_role("status")).to_contain_text(f"1 image split off {opened.name}.")
    expect(page.locator("#family-list li")).to_have_count(len(before) + 1)
    undo(page)
    assert [(family.id, family.size) for family in cards(index)] == before


def test_a_family_is_merged_into_another_and_that_is_undone(
    page: Page, index: Index, opened: Family
) -> None:
    before = cards(index)
    into = before[1]
    page.get_by_text("Rename or merge").click()
    page.get_by_label("Merge into").select_option(label=into.name)
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("status")).to_contain_text(f"is merged into {into.name}.")
    expect(page.locator("#family-list li")).to_have_count(len(before) - 1)
    expect(page.locator("#family-title")).to_have_count(0)
    assert {f.id: f.size for f in cards(index)}[into.id] == into.size + opened.size
    undo(page)
    expect_list(page, index)
    assert [(f.id, f.name, f.size) for f in cards(index)] == [
        (f.id, f.name, f.size) for f in before
    ]


def test_the_map_is_walked_by_keyboard(page: Page, index: Index) -> None:
    page.goto("/#/families")
    canvas = page.get_by_role("application")
    canvas.focus()
    for key in ("ArrowRight", "ArrowLeft", "+", "ArrowDown", "0"):
        page.keyboard.press(key)
    caption = page.locator(".map [aria-live]").inner_text()
    known = {
        f"{p.family or 'no family'}, {p.label or 'unlabelled'}, {p.sha256[:8]}"
        for p in places(index)
    }
    assert caption in known
    page.keyboard.press("Enter")
    expect(page.locator("#family-title, #verdict").first).to_be_visible()
