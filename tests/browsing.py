"""What a person does with the page."""

import base64

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
