"""What the service refuses, and how it says so."""

import json
from typing import Any

import httpx
import pytest
from hostile import encode, picture

from search_api.headers import SECURITY_HEADERS

PHOTO = {"image": encode(picture(1), "PNG")}
ABSENT = "0" * 64
SEARCH, BATCH, IMAGES = "/v1/search", "/v1/search:batch", "/v1/images"
NO_BOUNDARY = {"content": b"x", "headers": {"content-type": "multipart/form-data"}}
NO_FORM = {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=y"}}
CUT_FORM = {
    "content": b'--x\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\nhalf',
    "headers": {"content-type": "multipart/form-data; boundary=x"},
}

REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/v2/search", {}, 404, "not-found"),
    ("GET", SEARCH, {}, 405, "method-not-allowed"),
    ("PUT", f"{IMAGES}/{ABSENT}", {}, 405, "method-not-allowed"),
    ("DELETE", f"{IMAGES}/{ABSENT}", {}, 404, "not-found"),
    ("POST", IMAGES, {"json": {}}, 415, "unsupported-media-type"),
    ("POST", IMAGES, {"files": {"image": b"x"}}, 422, "image-rejected"),
    ("POST", IMAGES, {"files": PHOTO, "data": {"metadata": "[]"}}, 422, "invalid-request"),
    ("POST", IMAGES, {"files": PHOTO, "data": {"metadata": "{"}}, 422, "invalid-request"),
    ("POST", IMAGES, {"files": PHOTO, "data": {"uri": ""}}, 422, "invalid-request"),
    ("POST", BATCH, {"files": {"photo": b"x"}}, 422, "invalid-request"),
    ("POST", BATCH, {"files": [("image", b"x")] * 65}, 400, "bad-request"),
    ("POST", BATCH, {"json": {"ids": ["x"]}}, 422, "invalid-request"),
    ("POST", BATCH, {"json": {"ids": [ABSENT] * 1001}}, 422, "invalid-request"),
    ("GET", f"{IMAGES}/{ABSENT}", {}, 404, "not-found"),
    ("GET", f"{IMAGES}/{ABSENT}/thumbnail", {}, 404, "not-found"),
    ("GET", f"{IMAGES}/{ABSENT}?generation=99", {}, 404, "not-found"),
    ("GET", f"{IMAGES}/not-a-sha256", {}, 422, "invalid-request"),
    ("GET", f"{IMAGES}/{ABSENT}?generation=-1", {}, 422, "invalid-request"),
    ("GET", f"{IMAGES}/{ABSENT}?generation={10**30}", {}, 404, "not-found"),
    ("GET", f"{IMAGES}/..%2f..%2fetc%2fpasswd", {}, 404, "not-found"),
    ("POST", SEARCH, {}, 415, "unsupported-media-type"),
    ("POST", SEARCH, {"content": b"x"}, 415, "unsupported-media-type"),
    ("POST", SEARCH, {"data": {"id": ABSENT}}, 415, "unsupported-media-type"),
    ("POST", SEARCH, NO_BOUNDARY, 400, "bad-request"),
    ("POST", SEARCH, NO_FORM, 400, "bad-request"),
    ("POST", SEARCH, CUT_FORM, 422, "invalid-request"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"k": "0"}}, 422, "invalid-request"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"k": "1001"}}, 422, "invalid-request"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"k": "many"}}, 422, "invalid-request"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"k": ["1", "2"]}}, 422, "invalid-request"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"lable": "fake"}}, 422, "invalid-request"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"label": "true"}}, 422, "invalid-request"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"where": "colour = red"}}, 422, "usage"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"where": ""}}, 422, "usage"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"generation": "99"}}, 404, "not-found"),
    ("POST", SEARCH, {"files": {"photo": b"x"}}, 422, "invalid-request"),
    ("POST", SEARCH, {"files": {"k": b"5", **PHOTO}}, 400, "bad-request"),
    ("POST", SEARCH, {"files": {"image": b""}}, 422, "image-rejected"),
    ("POST", SEARCH, {"json": {"id": ABSENT}}, 404, "not-found"),
    ("POST", SEARCH, {"json": {"id": ABSENT, "generation": 10**30}}, 404, "not-found"),
    ("POST", SEARCH, {"json": {"id": ABSENT, "generation": int("9" * 4000)}}, 404, "not-found"),
    ("POST", SEARCH, {"files": PHOTO, "data": {"region": "0,0,1e-300,1"}}, 422, "image-rejected"),
    (
        "POST",
        SEARCH,
        {"files": PHOTO, "data": {"region": "9e307,0,9e307,1"}},
        422,
        "image-rejected",
    ),
    ("GET", f"/v1/families?cursor={'9' * 5000}.0", {}, 422, "invalid-request"),
    ("GET", f"/v1/families?cursor={'9' * 18}.0", {}, 404, "not-found"),
    ("POST", SEARCH, {"json": {}}, 422, "invalid-request"),
    ("POST", SEARCH, {"json": []}, 422, "invalid-request"),
    ("POST", SEARCH, {"json": {"id": ABSENT, "k": "5"}}, 422, "invalid-request"),
    ("POST", SEARCH, {"json": {"id": ABSENT, "where": "label = "}}, 422, "usage"),
    (
        "POST",
        SEARCH,
        {"json": {"id": ABSENT, "where": "label = real) or (score > 0"}},
        422,
        "usage",
    ),
    (
        "POST",
        SEARCH,
        {"content": b'{"id":', "headers": {"content-type": "application/json"}},
        422,
        "invalid-request",
    ),
]


@pytest.mark.parametrize(("method", "path", "request_", "status", "code"), REFUSED)
def test_refusal(
    client: httpx.Client, method: str, path: str, request_: dict[str, Any], status: int, code: str
) -> None:
    response = client.request(method, path, **request_)
    problem = response.json()
    assert (response.status_code, problem["type"]) == (status, f"urn:lineup:problem:{code}")
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers.items() >= {k.lower(): v for k, v in SECURITY_HEADERS.items()}.items()


def test_a_batch_tells_what_it_refuses_line_by_line(client: httpx.Client) -> None:
    answer = client.post(BATCH, json={"ids": [ABSENT, ABSENT], "generation": 10**30})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["position"] for line in lines] == [0, 1]
    assert {line["problem"]["type"] for line in lines} == {"urn:lineup:problem:not-found"}


def test_a_refusal_names_the_fields(client: httpx.Client) -> None:
    answer = client.post(SEARCH, json={"id": "x", "k": 0, "lable": "fake"}).json()
    assert [error["field"] for error in answer["errors"]] == ["k", "id", "lable"]


def test_a_wrong_method_is_told_the_right_one(client: httpx.Client) -> None:
    assert client.get(SEARCH).headers["allow"] == "POST"


def test_a_bad_filter_says_where_and_what_was_expected(client: httpx.Client) -> None:
    answer = client.post(SEARCH, json={"id": ABSENT, "where": "label = maybe"}).json()
    assert answer["detail"].startswith("filter, position 9: found maybe")
    assert answer["expected"] == "real or fake"


def test_another_site_may_not_read_answers(client: httpx.Client) -> None:
    response = client.get("/health/live", headers={"origin": "https://elsewhere.example"})
    assert not [name for name in response.headers if name.startswith("access-control")]
