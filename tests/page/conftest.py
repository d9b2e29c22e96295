"""The page in a real Chromium, before a real service over an index whose families show."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import encode, picture
from playwright.sync_api import Browser, Page, sync_playwright
from serving import Server, serving
from tinted import write_gallery
from tiny import write_vit

from indexer.encoder import load_encoder
from indexer.index import Index, build_index
from indexer.index.families import build_families
from indexer.sources import open_source

FLAGS = [
    "--no-sandbox",  # Chromium has none for root
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def index_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two families and real images; one more image has neither label nor thumbnail."""
    root = tmp_path_factory.mktemp("page")
    write_gallery(root / "gallery")
    (root / "bare").mkdir()
    (root / "bare" / "bare.png").write_bytes(encode(picture(999), "PNG"))
    write_vit(root / "checkpoint")
    with Index.create(root / "my.index", load_encoder(root / "checkpoint")) as index:
        build_index(index, [open_source(root / "gallery", "imagefolder")])
        build_index(index, [open_source(root / "bare")], thumbnails=False)
        build_families(index)
    return root / "my.index"


@pytest.fixture(scope="session")
def server(index_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service over that index."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    settings = {"LINEUP_SIGNING_KEY": str(log.with_name("signing.pem"))}
    with serving(index_path, log, settings) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium of this machine, without a window; its profile is new and is thrown away.

    Ended with each module: while it runs, so does an event loop in this thread, which the
    suites that start their own cannot bear.
    """
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A tab of 1280 x 900 pixels that has opened the page; no script may fail in it, and nothing
    that its policy forbids may be tried."""
    context = browser.new_context(
        base_url=server.url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if "Security Policy" in said.text else None,
    )
    page.goto("/")
    yield page
    context.close()
    assert not faults


@pytest.fixture
def index(index_path: Path) -> Iterator[Index]:
    """The facade over the same index: the oracle of every answer."""
    with Index.open(index_path) as index:
        yield index
