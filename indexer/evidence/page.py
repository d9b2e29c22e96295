"""report.html: the report as a person reads and prints it, in one file without scripts."""

import base64
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from indexer.calibration import odds, one_in

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""English whatever the locale: the page is the same on every machine."""


def render(report: Mapping[str, Any], members: Mapping[str, bytes]) -> str:
    """The page that shows a report and the pictures among its members."""

    def picture(member: str) -> str:
        kind = PurePath(member).suffix.removeprefix(".")
        return f"data:image/{kind};base64," + base64.b64encode(members[member]).decode()

    hits = [
        {**figures, **known}
        for figures, known in zip(report["search"]["answer"]["hits"], report["hits"], strict=True)
    ]
    return _template().render(**report, shown=hits, picture=picture)


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {
        "one_in": one_in,
        "odds": odds,
        "file": lambda uri: "/".join(PurePath(uri).parts[-2:]),
        "moment": _moment,
        "sentence": _sentence,
        "count": lambda value: f"{value:,}",
    }
    text = resources.files("indexer.evidence").joinpath("report.html").read_text("utf-8")
    return environment.from_string(text)


def _moment(at: str) -> str:
    """ "25 November 2026, 04:57:14 UTC" of a time in UTC in ISO 8601."""
    time = datetime.fromisoformat(at)
    return f"{time.day} {MONTHS[time.month - 1]} {time.year}, {time:%H:%M:%S} UTC"


def _sentence(text: str) -> str:
    """As a sentence, without a line break within "p = 0.05"."""
    ended = text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
    return ended.replace("p = ", "p\u00a0=\u00a0")
