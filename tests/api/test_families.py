"""Families over HTTP: what is listed, decided and undone shows in the next answer."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import serving

from indexer.images import sha256
from indexer.index import Index
from indexer.index.cards import cards, members_of, places
from indexer.index.families import build_families


@pytest.fixture(scope="module")
def copied(index_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index, with one build of families."""
    path = tmp_path_factory.mktemp("families") / "my.index"
    shutil.copytree(index_path, path)
    with Index.open(path) as index:
        build_families(index)
    return path


@pytest.fixture(scope="module")
def index(copied: Path) -> Iterator[Index]:
    with Index.open(copied) as index:
        yield index


@pytest.fixture(scope="module")
def client(copied: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    log = tmp_path_factory.mktemp("log") / "server.log"
    with serving(copied, log) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def plain(value: Any) -> Any:
    return json.loads(json.dumps(dataclasses.asdict(value)))


def family_of(client: httpx.Client, digest: str) -> str | None:
    return client.get(f"/v1/images/{digest}").json()["annotation"]["family"]


def digests(gallery: Path, family: str) -> list[str]:
    return [sha256(path.read_bytes()) for path in sorted((gallery / "fake" / family).iterdir())]


def test_the_list_is_that_of_the_index(client: httpx.Client, index: Index) -> None:
    found = client.get("/v1/families").json()
    assert found["families"] == [plain(family) for family in cards(index)]
    assert (found["total"], found["next"]) == (len(found["families"]), None)
    assert {family["name"] for family in found["families"]} == {"blend", "swap"}


def test_filters_sorting_and_pages(client: httpx.Client) -> None:
    names = [f["name"] for f in client.get("/v1/families?sort=name").json()["families"]]
    assert names == sorted(names)
    only = client.get("/v1/families", params={"name": "swap"}).json()["families"]
    assert [family["name"] for family in only] == ["swap"]
    assert client.get("/v1/families?min_size=8").json()["families"] == []
    seen, cursor = [], None
    while True:
        params = {"limit": 1, "sort": "name"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/families", params=params).json()
        seen += [family["name"] for family in page["families"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == names


def test_a_family_its_members_and_the_map(client: httpx.Client, index: Index) -> None:
    for family in cards(index):
        told = client.get(f"/v1/families/{family.id}").json()
        assert told["family"] == plain(family)
        assert [change["kind"] for change in told["lineage"]] == ["birth"]
        members = client.get(f"/v1/families/{family.id}/members").json()
        assert members["members"] == [plain(member) for member in members_of(index, family.id)]
    told = client.get("/v1/map").json()
    assert told["images"] == [plain(place) for place in places(index)]


def test_decisions_take_effect_at_once_and_are_undone(client: httpx.Client, gallery: Path) -> None:
    ids = {f["name"]: f["id"] for f in client.get("/v1/families").json()["families"]}
    blend, swap = digests(gallery, "blend"), digests(gallery, "swap")

    def decide(path: str, method: str = "POST", **body: object) -> int:
        response = client.request(method, path, json=body)
        assert response.status_code == 200, response.text
        return response.json()["decision"]

    merge = decide(f"/v1/families/{ids['blend']}/merge", families=[ids["swap"]])
    assert family_of(client, swap[0]) == "blend"
    assert client.get(f"/v1/families/{ids['swap']}").status_code == 404
    decide(f"/v1/families/{ids['blend']}", "PATCH", name="Case 7")
    assert family_of(client, swap[0]) == family_of(client, blend[0]) == "Case 7"
    decide(f"/v1/families/{ids['blend']}/reject", images=blend[:1])
    assert family_of(client, blend[0]) is None
    decide(f"/v1/families/{ids['blend']}/pin", images=blend[:1])
    assert family_of(client, blend[0]) == "Case 7"
    decide(f"/v1/families/{ids['blend']}/split", images=blend[1:3])
    assert family_of(client, blend[1]) not in ("Case 7", None)
    label = decide_label(client, blend[1])
    assert family_of(client, blend[1]) == "Case 8"
    for number in (label, merge):
        decide(f"/v1/decisions/{number}/undo")
    assert family_of(client, blend[1]) != "Case 8"
    assert family_of(client, swap[0]) == "swap"
    again = client.post(f"/v1/decisions/{merge}/undo").json()
    assert again["type"] == "urn:lineup:problem:usage"
    kinds = [d["action"]["kind"] for d in client.get("/v1/decisions").json()["decisions"]]
    assert kinds == ["merge", "rename", "reject", "pin", "split", "label", "undo", "undo"]


def decide_label(client: httpx.Client, digest: str) -> int:
    body = {"images": [digest], "label": "fake", "family": "Case 8"}
    generation: int = client.post("/v1/labels", json=body).json()["generation"]
    return generation


def test_an_earlier_generation_is_read_as_it_was(client: httpx.Client, index: Index) -> None:
    build = index.store.families.build()
    assert build is not None
    found = client.get("/v1/families", params={"generation": build.generation}).json()
    assert {family["name"] for family in found["families"]} == {"blend", "swap"}
