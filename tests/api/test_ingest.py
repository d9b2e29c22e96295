"""Images come and go over HTTP, and the next search knows; many searches in one request."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hostile import encode, picture
from serving import serving

from indexer.images import sha256, thumbnail
from indexer.images.decoding import decode
from indexer.index import Index, build_index, query_bytes, search
from indexer.sources import open_source


@pytest.fixture(scope="module")
def own(
    index_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, Path]]:
    """A server over an index of its own, which may be written to."""
    root = tmp_path_factory.mktemp("ingest")
    shutil.copytree(index_path, root / "my.index")
    with (
        serving(root / "my.index", root / "server.log") as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client, root / "my.index"


def add(client: httpx.Client, data: bytes, name: str = "a.png", **fields: str) -> httpx.Response:
    return client.post("/v1/images", files={"image": (name, data)}, data=fields)


def nearest(client: httpx.Client, data: bytes) -> dict[str, Any]:
    return client.post("/v1/search", files={"image": data}).json()["hits"][0]


def test_the_next_search_finds_a_new_image_as_a_build_would_have_added_it(
    own: tuple[httpx.Client, Path], index_path: Path, tmp_path: Path
) -> None:
    client, path = own
    photo = encode(picture(7001), "PNG")
    fields = {"label": "fake", "family": "swap", "source": "desk", "metadata": '{"case": 17}'}
    response = add(client, photo, "../../x/photo.png", **fields)
    assert response.status_code == 201
    assert response.json()["added"] is True
    hit = nearest(client, photo)
    assert (hit["sha256"], hit["uri"]) == (sha256(photo), "upload:photo.png")
    assert hit["similarity"] == pytest.approx(1, abs=1e-3)
    found = client.post(
        "/v1/search", files={"image": photo}, data={"where": "meta.case = 17", "k": "1"}
    ).json()
    assert [hit["sha256"] for hit in found["hits"]] == [sha256(photo)]

    shutil.copytree(index_path, tmp_path / "my.index")
    (tmp_path / "photo.png").write_bytes(photo)
    with Index.open(tmp_path / "my.index") as built, Index.open(path) as ingested:
        build_index(built, [open_source(tmp_path / "photo.png")])
        one, other = (each.store.image(sha256(photo)) for each in (built, ingested))
        assert (one.facts, one.score, one.logits) == (other.facts, other.score, other.logits)
        assert (built.store.taps([one.id]) == ingested.store.taps([other.id])).all()
        kept_by_build, kept = built.store.patches([one.id]), ingested.store.patches([other.id])
        assert kept[other.id].codes.size > 0
        assert (kept_by_build[one.id].codes == kept[other.id].codes).all()
        assert (kept_by_build[one.id].boxes == kept[other.id].boxes).all()
        assert built.store.thumbnail(sha256(photo)) == ingested.store.thumbnail(sha256(photo))
        assert ingested.store.thumbnail(sha256(photo)) == thumbnail(decode(photo).rgb)
        assert ingested.store.generations()[-1].author == "anonymous"


def test_the_same_content_again_only_gains_what_is_said(own: tuple[httpx.Client, Path]) -> None:
    client, _ = own
    photo = encode(picture(7002), "PNG")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: add(client, photo, uri="first"), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    again = add(client, photo, uri="second", label="real", source="desk", family="swap")
    assert (again.status_code, again.json()["added"]) == (200, False)
    known = client.get(f"/v1/images/{sha256(photo)}").json()
    assert known["uris"] == ["first", "second"]
    assert (known["annotation"]["label"], known["annotation"]["family"]) == ("real", None)
    same = add(client, photo, uri="second", label="real", source="desk")
    assert same.json() == {**again.json(), "generation": again.json()["generation"]}


def test_a_removed_image_is_gone_from_the_next_search_but_not_from_before(
    own: tuple[httpx.Client, Path],
) -> None:
    client, _ = own
    photo = encode(picture(7003), "PNG")
    added = add(client, photo).json()
    removed = client.delete(f"/v1/images/{sha256(photo)}").json()
    assert removed == {"sha256": sha256(photo), "generation": added["generation"] + 1}
    assert nearest(client, photo)["sha256"] != sha256(photo)
    assert client.get(f"/v1/images/{sha256(photo)}").status_code == 404
    assert client.delete(f"/v1/images/{sha256(photo)}").status_code == 404
    before = {"generation": str(added["generation"]), "k": "1"}
    then = client.post("/v1/search", files={"image": photo}, data=before).json()
    assert then["hits"][0]["sha256"] == sha256(photo)
    assert add(client, photo).status_code == 201
    assert nearest(client, photo)["sha256"] == sha256(photo)


# -- batches


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


def test_a_batch_of_images_is_answered_as_each_alone(client: httpx.Client, index: Index) -> None:
    photos = [encode(picture(7100 + seed), "PNG") for seed in range(7)]
    photos.insert(3, b"no image")
    files = [("image", (f"{row}.png", photo)) for row, photo in enumerate(photos)]
    told = lines(client.post("/v1/search:batch", files=files, data={"k": "2"}))
    assert [(line["position"], line["name"]) for line in told] == [
        (row, f"{row}.png") for row in range(8)
    ]
    refused = told.pop(3)
    assert refused["problem"]["reason"] == "not-an-image"
    assert "answer" not in refused
    expected = [
        search(index, query_bytes(index, photo), 2).to_dict()
        for photo in photos
        if photo != b"no image"
    ]
    assert [line["answer"] for line in told] == json.loads(json.dumps(expected))


def test_a_batch_of_ids_is_answered_as_each_alone(client: httpx.Client, gallery: Path) -> None:
    ids = [sha256(path.read_bytes()) for path in sorted(gallery.rglob("*.png"))]
    told = lines(client.post("/v1/search:batch", json={"ids": [*ids, "0" * 64], "label": "fake"}))
    assert told.pop()["problem"]["type"] == "urn:lineup:problem:not-found"
    alone = [client.post("/v1/search", json={"id": id_, "label": "fake"}).json() for id_ in ids]
    assert [line["answer"] for line in told] == alone
