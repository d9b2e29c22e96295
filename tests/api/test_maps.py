"""Maps over HTTP are those of the facade, and are recorded."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest
from hostile import encode, picture

from indexer.explain import (
    Explanation,
    Local,
    explain_fake,
    explain_match,
    side_encoded,
    side_stored,
)
from indexer.images import sha256
from indexer.index import Index
from search_api.routes.maps import MapsAnswer

UNKNOWN = encode(picture(4321, 90, 70), "PNG")
BARE = sha256(encode(picture(999), "PNG"))


@pytest.fixture
def known(gallery: Path) -> list[str]:
    """Two indexed images."""
    return [sha256((gallery / "fake/swap" / f"{seed}.png").read_bytes()) for seed in (0, 1)]


def as_json(found: Explanation, index: Index) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(MapsAnswer.of(found, index.checkpoint))))


def test_what_matched_in_an_uploaded_image(
    client: httpx.Client, index: Index, known: list[str]
) -> None:
    for generation in (1, index.store.generation):
        fields = {"hit": known[0], "generation": str(generation)}
        answer = client.post("/v1/maps", files={"image": UNKNOWN}, data=fields)
        assert answer.status_code == 200, answer.text
        local = Local.of(index, UNKNOWN)
        here = side_encoded(index, local.encoded, generation)
        there = side_stored(index, known[0], generation)
        found = explain_match(index, here, there, local, generation)
        assert answer.json() == as_json(found, index)


def test_what_speaks_for_fake_in_an_uploaded_image(client: httpx.Client, index: Index) -> None:
    answer = client.post("/v1/maps", files={"image": UNKNOWN})
    assert answer.status_code == 200, answer.text
    assert answer.json() == as_json(
        explain_fake(index, Local.of(index, UNKNOWN), index.store.generation), index
    )
    assert "not a tamper localisation" in answer.json()["says"][-1]


def test_what_matched_in_two_indexed_images(
    client: httpx.Client, index: Index, known: list[str]
) -> None:
    answer = client.get(f"/v1/images/{known[0]}/maps", params={"hit": known[1]})
    at = index.store.generation
    here, there = (side_stored(index, digest, at) for digest in known)
    assert answer.json() == as_json(explain_match(index, here, there, None, at), index)
    assert answer.json()["missing"].keys() == {"match"}
    refused = client.get(f"/v1/images/{known[0]}/maps", params={"hit": BARE})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:lineup:problem:usage")
    assert "thumbnail" in refused.json()["detail"]


def test_every_map_is_in_the_audit_chain(
    client: httpx.Client, index: Index, known: list[str]
) -> None:
    client.post("/v1/maps", files={"image": UNKNOWN}, data={"hit": known[0]})
    client.post("/v1/maps", files={"image": UNKNOWN})
    client.get(f"/v1/images/{known[1]}/maps", params={"hit": known[0]})
    rows = list(index.store.audit.rows(last=3))
    assert {(row.kind, row.author, row.generation) for row in rows} == {
        ("explain", "anonymous", index.store.generation)
    }
    query = sha256(UNKNOWN)
    assert [json.loads(row.details) for row in rows] == [
        {"kind": "match", "query": query, "other": known[0]},
        {"kind": "fake", "query": query, "other": None},
        {"kind": "match", "query": known[1], "other": known[0]},
    ]
