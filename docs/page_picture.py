"""Draws docs/page.jpg: the page with an answer, before a service that serves the demo's index.

python docs/page_picture.py [build/demo http://127.0.0.1:8000]
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from indexer.filters import parse_filter
from indexer.sources import open_source

FAMILY = "decoder-grid"


def main() -> None:
    """Ask about the first query of one family and keep what is seen."""
    root, url = sys.argv[1:] or ("build/demo", "http://127.0.0.1:8000")
    queries = open_source(Path(root) / "collection" / "manifest.csv").select(
        parse_filter(f"meta.role = 'query' and family = '{FAMILY}'")
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 800}, color_scheme="light")
        page.goto(url)
        page.set_input_files("#file", next(iter(queries)).path)
        page.wait_for_selector(".cards img")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(__file__).with_name("page.jpg"), type="jpeg", quality=70)
        browser.close()


if __name__ == "__main__":
    main()
