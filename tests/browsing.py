"""What a person does with the page."""

import base64

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page
from tinted import tinted

UNKNOWN = tinted("fake/blend", 5000)
"""An image of a known family that is not in the gallery."""

TRANSFER = """([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  return transfer;
}"""


def choose(page: Page, data: bytes, name: str = "suspicious.png") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": data})


def drop(page: Page, data: bytes) -> None:
    transfer = page.evaluate_handle(TRANSFER, [base64.b64encode(data).decode(), "dropped.png"])
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def paste(page: Page, data: bytes) -> None:
    page.evaluate(
        f"""(given) => document.dispatchEvent(new ClipboardEvent("paste", {{
            clipboardData: ({TRANSFER})(given) }}))""",
        [base64.b64encode(data).decode(), "pasted.png"],
    )


def cards(page: Page) -> Locator:
    return page.locator(".cards > li")


def draw(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a region with the mouse, from one point to another in pixels of `UNKNOWN`."""
    canvas = page.locator("#asked .canvas")
    canvas.scroll_into_view_if_needed()
    place = canvas.bounding_box()
    assert place is not None
    scale = place["width"] / 96
    page.mouse.move(place["x"] + start[0] * scale, place["y"] + start[1] * scale)
    page.mouse.down()
    page.mouse.move(place["x"] + end[0] * scale, place["y"] + end[1] * scale, steps=4)
    page.mouse.up()


def faults(page: Page) -> list[str]:
    """axe's serious and critical findings, and whether the page must be scrolled sideways."""
    found = [
        f"{fault['id']}: {[node['html'] for node in fault['nodes']]}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("wider than the window")
    return found
