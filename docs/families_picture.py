"""Draws docs/families.jpg: the map of the demo's families.

python docs/families_picture.py [build/demo/demo.index]
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from indexer.index import Index
from indexer.index.families import build_families
from indexer.notebook import map_page


def main() -> None:
    """Find the families of a copy of the index and keep what a browser shows of their map."""
    source = sys.argv[1] if len(sys.argv) > 1 else "build/demo/demo.index"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        copy = shutil.copytree(source, Path(folder) / "demo.index")
        with Index.open(copy) as index:
            build_families(index)
            html = Path(folder) / "map.html"
            html.write_text(map_page(index), encoding="utf-8")
            first = index.families()["exemplars"].iloc[0][0]
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1100, "height": 680})
        page.goto(html.as_uri())
        page.wait_for_selector(".legend")
        page.mouse.move(*page.evaluate(WHERE, first))
        page.wait_for_selector("#seen img", state="visible")
        page.wait_for_timeout(300)
        page.screenshot(path=Path(__file__).with_name("families.jpg"), type="jpeg", quality=75)
        browser.close()


WHERE = """digest => {
  const plot = document.querySelector(".js-plotly-plot"), { xaxis, yaxis } = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  for (const trace of plot.data) {
    const row = trace.customdata.indexOf(digest);
    if (row >= 0) {
      const [x, y] = [xaxis.l2p(trace.x[row]), yaxis.l2p(trace.y[row])];
      return [box.left + xaxis._offset + x, box.top + yaxis._offset + y];
    }
  }
}"""
"""Where on the screen an image is."""


if __name__ == "__main__":
    main()
