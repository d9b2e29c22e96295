"""The OpenAPI document is true: its examples work, its problems are the ones that come."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from hostile import encode, picture
from pydantic import TypeAdapter

from indexer.images import sha256
from indexer.index import Answer
from indexer.index.ingest import Ingested
from search_api.examples import SHA256
from search_api.problems import KINDS, PREFIX, Problem
from search_api.routes.decisions import DecisionAnswer, DecisionsAnswer
from search_api.routes.families import FamiliesAnswer, FamilyAnswer, MembersAnswer
from search_api.routes.gallery_map import MapAnswer
from search_api.routes.health import Live, Ready
from search_api.routes.images import ImageAnswer
from search_api.routes.ingest import Removed
from search_api.routes.labels import Labelled
from search_api.routes.maps import MapsAnswer

PHOTO = {"image": encode(picture(1), "PNG")}
UNKNOWN = {"image": encode(picture(8888), "PNG")}
ABSENT = "0" * 64
BARE = sha256(encode(picture(999), "PNG"))
"""Indexed without a thumbnail."""
NO_FAMILY = "f" + "0" * 10
JSON = {"content-type": "application/json"}

ANSWERS: dict[tuple[str, str], Any] = {
    ("post", "/v1/search"): Answer,
    ("get", "/v1/images/{sha256}"): ImageAnswer,
    ("get", "/v1/images/{sha256}/maps"): MapsAnswer,
    ("post", "/v1/maps"): MapsAnswer,
    ("post", "/v1/labels"): Labelled,
    ("get", "/v1/families"): FamiliesAnswer,
    ("get", "/v1/families/{family}"): FamilyAnswer,
    ("get", "/v1/families/{family}/members"): MembersAnswer,
    ("get", "/v1/map"): MapAnswer,
    ("get", "/v1/decisions"): DecisionsAnswer,
    ("patch", "/v1/families/{family}"): DecisionAnswer,
    ("post", "/v1/families/{family}/merge"): DecisionAnswer,
    ("post", "/v1/families/{family}/split"): DecisionAnswer,
    ("post", "/v1/families/{family}/pin"): DecisionAnswer,
    ("post", "/v1/families/{family}/reject"): DecisionAnswer,
    ("post", "/v1/decisions/{number}/undo"): DecisionAnswer,
    ("post", "/v1/images"): Ingested,
    ("delete", "/v1/images/{sha256}"): Removed,
    ("get", "/health/live"): Live,
    ("get", "/health/ready"): Ready,
}

PROVOKED: dict[tuple[str, str, str], dict[str, Any]] = {
    ("post", "/v1/search", "bad-request"): {
        "content": b"x",
        "headers": {"content-type": "multipart/form-data"},
    },
    ("post", "/v1/search", "not-found"): {"json": {"id": ABSENT}},
    ("post", "/v1/search", "content-too-large"): {"content": bytes(5_000_000), "headers": JSON},
    ("post", "/v1/search", "unsupported-media-type"): {"content": b"x"},
    ("post", "/v1/search", "invalid-request"): {"json": {}},
    ("post", "/v1/search", "usage"): {"json": {"id": ABSENT, "where": "x"}},
    ("post", "/v1/search", "url-refused"): {"json": {"url": "https://elsewhere.example/"}},
    ("post", "/v1/search", "image-rejected"): {"files": {"image": b"x"}},
    ("post", "/v1/maps", "bad-request"): {
        "content": b"x",
        "headers": {"content-type": "multipart/form-data"},
    },
    ("post", "/v1/maps", "not-found"): {"files": PHOTO, "data": {"hit": ABSENT}},
    ("post", "/v1/maps", "content-too-large"): {"files": {"image": bytes(5_000_000)}},
    ("post", "/v1/maps", "unsupported-media-type"): {"json": {}},
    ("post", "/v1/maps", "invalid-request"): {"files": PHOTO, "data": {"hit": "x"}},
    ("post", "/v1/maps", "usage"): {"files": PHOTO, "data": {"hit": BARE}},
    ("post", "/v1/maps", "image-rejected"): {"files": {"image": b"x"}},
    ("get", "/v1/images/{sha256}/maps", "not-found"): {"params": {"hit": ABSENT}},
    ("get", "/v1/images/{sha256}/maps", "invalid-request"): {"params": {"hit": "x"}},
    ("post", "/v1/reports", "bad-request"): {
        "content": b"x",
        "headers": {"content-type": "multipart/form-data"},
    },
    ("post", "/v1/reports", "not-found"): {"files": PHOTO, "data": {"generation": "99"}},
    ("post", "/v1/reports", "content-too-large"): {"files": {"image": bytes(5_000_000)}},
    ("post", "/v1/reports", "unsupported-media-type"): {"json": {}},
    ("post", "/v1/reports", "invalid-request"): {"files": PHOTO, "data": {"k": "0"}},
    ("post", "/v1/reports", "usage"): {"files": PHOTO, "data": {"where": "x"}},
    ("post", "/v1/reports", "image-rejected"): {"files": {"image": b"x"}},
    ("post", "/v1/labels", "not-found"): {"json": {"images": [ABSENT], "label": "fake"}},
    ("post", "/v1/labels", "usage"): {
        "json": {"images": [ABSENT], "label": "real", "family": "warp"}
    },
    ("post", "/v1/labels", "invalid-request"): {"json": {"images": [], "label": "fake"}},
    ("get", "/v1/families", "not-found"): {"params": {"generation": 99}},
    ("get", "/v1/families", "invalid-request"): {"params": {"sort": "x"}},
    ("get", "/v1/families/{family}", "not-found"): {},
    ("get", "/v1/families/{family}", "invalid-request"): {"params": {"generation": -1}},
    ("get", "/v1/families/{family}/members", "not-found"): {},
    ("get", "/v1/families/{family}/members", "invalid-request"): {"params": {"limit": 0}},
    ("get", "/v1/map", "not-found"): {},
    ("get", "/v1/map", "invalid-request"): {"params": {"generation": -1}},
    ("patch", "/v1/families/{family}", "not-found"): {"json": {"name": "x"}},
    ("patch", "/v1/families/{family}", "invalid-request"): {"json": {}},
    ("post", "/v1/families/{family}/merge", "not-found"): {"json": {"families": [NO_FAMILY]}},
    ("post", "/v1/families/{family}/merge", "invalid-request"): {"json": {"families": []}},
    **{
        ("post", f"/v1/families/{{family}}/{verb}", code): {"json": {"images": images}}
        for verb in ("split", "pin", "reject")
        for code, images in (("not-found", [ABSENT]), ("invalid-request", []))
    },
    ("post", "/v1/decisions/{number}/undo", "not-found"): {},
    ("post", "/v1/decisions/{number}/undo", "invalid-request"): {},
    ("post", "/v1/search:batch", "bad-request"): {
        "content": b"x",
        "headers": {"content-type": "multipart/form-data"},
    },
    ("post", "/v1/search:batch", "content-too-large"): {
        "content": bytes(5_000_000),
        "headers": JSON,
    },
    ("post", "/v1/search:batch", "unsupported-media-type"): {"content": b"x"},
    ("post", "/v1/search:batch", "invalid-request"): {"json": {"ids": []}},
    ("post", "/v1/search:batch", "usage"): {"json": {"ids": [ABSENT], "where": "x"}},
    ("post", "/v1/images", "bad-request"): {
        "content": b"x",
        "headers": {"content-type": "multipart/form-data"},
    },
    ("post", "/v1/images", "content-too-large"): {
        "content": bytes(5_000_000),
        "headers": {"content-type": "multipart/form-data; boundary=x"},
    },
    ("post", "/v1/images", "unsupported-media-type"): {"content": b"x"},
    ("post", "/v1/images", "invalid-request"): {"files": PHOTO, "data": {"label": "true"}},
    ("post", "/v1/images", "usage"): {"files": UNKNOWN, "data": {"metadata": '{"a": NaN}'}},
    ("post", "/v1/images", "image-rejected"): {"files": {"image": b"x"}},
    ("delete", "/v1/images/{sha256}", "not-found"): {},
    ("delete", "/v1/images/{sha256}", "invalid-request"): {},
    ("get", "/v1/images/{sha256}", "not-found"): {},
    ("get", "/v1/images/{sha256}", "invalid-request"): {"params": {"generation": -1}},
    ("get", "/v1/images/{sha256}/thumbnail", "not-found"): {},
    ("get", "/v1/images/{sha256}/thumbnail", "invalid-request"): {"params": {"generation": -1}},
}
"""A request for every documented problem that a healthy service gives."""

ELSEWHERE = {
    "overloaded",
    "model-unavailable",
    "unauthenticated",
    "forbidden",
    "cross-site",
    "too-many-requests",
    "request-timeout",
    "url-unreachable",
}
"""Provoked in test_limits.py, test_access.py, test_origins.py and test_fetch.py."""
IN_TURN = {
    ("post", "/v1/decisions/{number}/undo", "usage"),
    ("get", "/v1/images/{sha256}/maps", "usage"),
}
"""Provoked in test_families.py, since it takes a decision first, and in test_maps.py."""


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_request_example_is_answered(
    client: httpx.Client, document: dict[str, Any], gallery: Path
) -> None:
    known = sha256((gallery / "real/0.png").read_bytes())
    body = document["paths"]["/v1/search"]["post"]["requestBody"]["content"]
    for example in body["application/json"]["examples"].values():
        assert example["value"]["id"] == SHA256
        response = client.post("/v1/search", json=example["value"] | {"id": known})
        assert response.status_code == 200, response.text
    for path in ("/v1/images/{sha256}", "/v1/images/{sha256}/thumbnail"):
        parameters = document["paths"][path]["get"]["parameters"]
        examples = {part["name"]: part["schema"]["examples"][0] for part in parameters}
        assert examples.pop("sha256") == SHA256
        response = client.get(path.format(sha256=known), params=examples)
        assert response.status_code == 200, response.text


def test_every_answer_example_has_the_shape_of_its_answer(document: dict[str, Any]) -> None:
    shown = {
        (method, path): operation["responses"]["200"]["content"]["application/json"]["example"]
        for method, path, operation in operations(document)
        if "application/json" in operation["responses"]["200"]["content"]
    }
    assert shown.keys() == ANSWERS.keys()
    for key, example in shown.items():
        kind = TypeAdapter(ANSWERS[key])
        assert kind.dump_python(kind.validate_python(example), mode="json") == example


def test_every_documented_problem_comes_as_documented(
    client: httpx.Client, document: dict[str, Any]
) -> None:
    documented = set()
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            content = response["content"].get("application/problem+json", {"examples": {}})
            for code, example in content["examples"].items():
                documented.add((method, path, code))
                problem = Problem.model_validate(example["value"])
                assert problem.type == PREFIX + code
                assert (problem.status, problem.title) == (int(status), KINDS[code][1])
    here = {key for key in documented if key[2] not in ELSEWHERE}
    assert here - IN_TURN == PROVOKED.keys()
    for (method, path, code), request in PROVOKED.items():
        named = "x" if (method, code) == ("delete", "invalid-request") else ABSENT
        number = 0 if code == "invalid-request" else 99
        where = path.format(sha256=named, family=NO_FAMILY, number=number)
        answer = client.request(method, where, **request).json()
        assert answer["type"] == PREFIX + code


def test_nothing_is_loaded_from_elsewhere(client: httpx.Client) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
