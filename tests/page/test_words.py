"""Figures in words, as the page says them."""

from typing import Any

from playwright.sync_api import Page

SAID: list[tuple[str, list[Any], str]] = [
    ("count", [1831], "1,831"),
    ("counted", [1, "image"], "1 image"),
    ("counted", [1200, "image"], "1,200 images"),
    ("counted", [2, "family", "families"], "2 families"),
    ("sentence", ["no alarm, it resembles real images (p = 0.40) only"],
     "No alarm, it resembles real images (p\xa0=\xa00.40) only."),
    ("sentence", ["Done."], "Done."),
    (
        "alike",
        [{"rate": 1e-4, "text": "1 in 10,000 unrelated pairs (at most 1 in 2,500)"}],
        "1 in 10,000 unrelated pairs (at most 1 in 2,500) are this alike",
    ),
    (
        "alike",
        [{"rate": 0, "text": "none of 28,516 unrelated pairs (at most 1 in 790)"}],
        "None of 28,516 unrelated pairs (at most 1 in 790) is this alike",
    ),
    ("odds", [2.5315], "340\xa0:\xa01"),
    ("odds", [-1.0792], "1\xa0:\xa012"),
    ("odds", [0], "1\xa0:\xa01"),
    ("typicality", [0.9], "90% of its known members are no more typical of it"),
    ("typicality", [0.004], "fewer than 1% of its known members are no more typical of it"),
    ("shortName", ["/cases/17/fake/warp/0001.png"], "warp/0001.png"),
    ("shortName", ["C:\\cases\\17\\photo.jpg"], "17/photo.jpg"),
    ("size", [12], "1 kB"),
    ("size", [48_211], "48 kB"),
    ("size", [3_210_000], "3.2 MB"),
]  # fmt: skip


def test_figures_are_said_so(page: Page) -> None:
    call = """async (calls) => {
      const words = await import("/assets/words.js");
      return calls.map(([name, given]) => words[name](...given));
    }"""
    said = page.evaluate(call, [[name, given] for name, given, _ in SAID])
    assert said == [expected for _, _, expected in SAID]
