"""A report over HTTP is the report of the command line."""

import json
from pathlib import Path

import httpx
import pytest

from indexer.custody.package import unpack
from indexer.evidence import verify
from indexer.index import Index
from search_api.examples import SHA256


@pytest.fixture
def photo(gallery: Path) -> bytes:
    return (gallery / "fake/blend/0.png").read_bytes()


def test_a_report_verifies_and_replays(client: httpx.Client, index: Index, photo: bytes) -> None:
    answer = client.post(
        "/v1/reports",
        files={"image": ("a <b>.png", photo)},
        data={"k": "3", "label": "fake", "note": "Case 17"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="report-')
    found = verify(answer.content, index=index, author="test")
    assert (found.problems, found.differences, found.replayed) == ([], [], True)
    assert found.report["made"]["author"] == "anonymous"
    assert found.report["made"]["note"] == "Case 17"
    assert found.report["search"]["where"] == "label = 'fake'"
    assert found.report["query"]["name"] == "a <b>.png"
    assert b"a <b>.png" not in unpack(answer.content).members["report.html"]
    searched = client.post(
        "/v1/search", files={"image": photo}, data={"k": "3", "label": "fake"}
    ).json()
    assert found.report["search"]["answer"] == searched


def test_the_report_is_in_the_audit_chain(client: httpx.Client, index: Index, photo: bytes) -> None:
    client.post("/v1/reports", files={"image": photo})
    rows = list(index.store.audit.rows(last=2))
    assert [row.kind for row in rows] == ["query", "report"]
    assert json.loads(rows[1].details).keys() == {"query", "report", "public_key"}


def test_a_report_on_a_region_is_refused(client: httpx.Client, photo: bytes) -> None:
    region = {"region": "0,0,0.5,0.5"}
    answer = client.post("/v1/reports", files={"image": photo}, data=region)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "region")


def test_only_an_uploaded_image_has_a_report(client: httpx.Client) -> None:
    assert client.post("/v1/reports", json={"id": SHA256}).status_code == 415
