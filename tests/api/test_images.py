"""What is told of an indexed image."""

import dataclasses
import json
from pathlib import Path

import httpx
from hostile import encode, picture

from indexer.images import sha256
from indexer.index import Index

BARE = sha256(encode(picture(999), "PNG"))
"""The image that was added in the second build, without a thumbnail."""


def test_facts_are_those_of_the_store(client: httpx.Client, index: Index, gallery: Path) -> None:
    for path in gallery.rglob("*.png"):
        digest = sha256(path.read_bytes())
        stored = index.store.image(digest)
        known = dataclasses.asdict(stored)
        assert client.get(f"/v1/images/{digest}").json() == json.loads(
            json.dumps(
                {
                    "generation": index.store.generation,
                    "checkpoint": index.checkpoint,
                    **{key: known[key] for key in known.keys() - {"id", "logits", "removed_gen"}},
                }
            )
        )


def test_an_earlier_generation_does_not_know_later_images(client: httpx.Client) -> None:
    assert client.get(f"/v1/images/{BARE}").json()["added_gen"] > 1
    assert client.get(f"/v1/images/{BARE}?generation=1").status_code == 404


def test_thumbnail(client: httpx.Client, index: Index, gallery: Path) -> None:
    digest = sha256((gallery / "real/0.png").read_bytes())
    response = client.get(f"/v1/images/{digest}/thumbnail")
    assert response.content == index.store.thumbnail(digest)
    assert response.headers["content-type"] == "image/webp"
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert response.headers["lineup-generation"] == str(index.store.generation)
    assert response.headers["x-content-type-options"] == "nosniff"


def test_an_image_without_a_thumbnail(client: httpx.Client) -> None:
    response = client.get(f"/v1/images/{BARE}/thumbnail")
    assert response.status_code == 404
    assert response.json()["do"] == "build its index without --no-thumbnails"
