"""The service says exactly what the facade says."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hostile import encode, picture

from indexer.filters import parse_filter
from indexer.images import sha256
from indexer.images.region import Region
from indexer.index import (
    Answer,
    Index,
    RegionAnswer,
    query_bytes,
    query_stored,
    region_bytes,
    region_stored,
    search,
    search_region,
)

UNKNOWN = encode(picture(5000), "JPEG")

OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"k": 3}, {"k": 3}),
    ({"k": 1000}, {"k": 1000}),
    ({"label": "fake"}, {"where": parse_filter("label = fake")}),
    ({"where": "family = swap"}, {"where": parse_filter("family = swap")}),
    (
        {"where": "family = swap or label = real", "label": "real"},
        {"where": parse_filter("label = real")},
    ),
    ({"where": "width > 10000"}, {"where": parse_filter("width > 10000")}),
    ({"generation": 1}, {"generation": 1}),
    ({"rerank": True, "k": 4}, {"rerank": True, "k": 4}),
    (
        {"generation": 1, "k": 2, "label": "real", "risk": 0.2},
        {"generation": 1, "k": 2, "where": parse_filter("label = real"), "risk": 0.2},
    ),
]
"""What is sent -> what the facade is asked."""


def plain(answer: Answer | RegionAnswer) -> dict[str, Any]:
    return json.loads(json.dumps(answer.to_dict()))


def digests(gallery: Path) -> list[str]:
    return [sha256(path.read_bytes()) for path in sorted(gallery.rglob("*.png"))]


@pytest.mark.parametrize(("sent", "asked"), OPTIONS)
def test_upload(
    client: httpx.Client, index: Index, sent: dict[str, Any], asked: dict[str, Any]
) -> None:
    response = client.post("/v1/search", files={"image": ("photo.jpg", UNKNOWN)}, data=sent)
    assert response.status_code == 200
    assert response.json() == plain(
        search(index, query_bytes(index, UNKNOWN, patches="rerank" in asked), **asked)
    )


@pytest.mark.parametrize(("sent", "asked"), OPTIONS)
def test_indexed_image(
    client: httpx.Client, index: Index, gallery: Path, sent: dict[str, Any], asked: dict[str, Any]
) -> None:
    digest = digests(gallery)[0]
    response = client.post("/v1/search", json={"id": digest, **sent})
    assert response.status_code == 200
    assert response.json() == plain(search(index, query_stored(index, digest), **asked))


@pytest.mark.parametrize("text", ["0.2,0.2,0.5,0.5", "0,0,40,30"])
def test_a_region(client: httpx.Client, index: Index, gallery: Path, text: str) -> None:
    region = Region.parse(text)
    response = client.post("/v1/search", files={"image": UNKNOWN}, data={"region": text, "k": 4})
    assert response.status_code == 200, response.text
    query = region_bytes(index, UNKNOWN, region)
    assert_same_regions(response.json(), plain(search_region(index, query, 4)))
    digest = digests(gallery)[0]
    response = client.post("/v1/search", json={"id": digest, "region": text, "label": "fake"})
    query = region_stored(index, digest, region)
    expected = search_region(index, query, where=parse_filter("label = fake"))
    assert_same_regions(response.json(), plain(expected))


def test_a_region_is_not_re_ranked(client: httpx.Client, gallery: Path) -> None:
    sent = {"id": digests(gallery)[0], "region": "0,0,40,30", "rerank": True}
    response = client.post("/v1/search", json=sent)
    assert response.status_code == 422
    assert "expected either rerank or region" in response.text


def assert_same_regions(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Equal but for the rounding of a matrix product in two processes."""
    for hit, wanted in zip(found["hits"], expected["hits"], strict=True):
        for figure in ("agreement", "similarity"):
            assert hit.pop(figure) == pytest.approx(wanted.pop(figure), abs=1e-5)
        assert hit.pop("region") == pytest.approx(wanted.pop("region"), abs=0.2)
    assert found == expected


def test_a_region_outside_the_image_is_refused_with_its_size(client: httpx.Client) -> None:
    sent = {"region": "5000,0,10,10"}
    response = client.post("/v1/search", files={"image": UNKNOWN}, data=sent)
    assert response.status_code == 422
    assert "of the image of 64 x 48 pixels" in response.json()["detail"]
    response = client.post("/v1/search", files={"image": UNKNOWN}, data={"region": "1,2"})
    assert response.status_code == 422
    assert "x,y,w,h" in response.json()["detail"]


def test_an_answer_names_what_it_rests_on(client: httpx.Client, index: Index) -> None:
    answer = client.post("/v1/search", files={"image": UNKNOWN}).json()
    assert answer["query_sha256"] == sha256(UNKNOWN)
    assert answer["generation"] == index.store.generation
    assert answer["checkpoint"]["revision"] == index.checkpoint["revision"]
    assert len(answer["hits"]) == 10


def test_concurrent_requests_are_answered_as_serial_ones(
    client: httpx.Client, index: Index, gallery: Path
) -> None:
    photos = [encode(picture(6000 + seed), "PNG") for seed in range(12)]
    ids = digests(gallery)
    requests: list[dict[str, Any]] = [{"files": {"image": photo}} for photo in photos]
    requests += [{"json": {"id": digest}} for digest in ids]
    expected = [plain(search(index, query_bytes(index, photo))) for photo in photos]
    expected += [plain(search(index, query_stored(index, digest))) for digest in ids]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: client.post("/v1/search", **body), requests * 2))
    assert [answer.json() for answer in answers] == expected * 2
