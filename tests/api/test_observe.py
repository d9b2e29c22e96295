"""What is told of requests: ids, lines, counts; and what is never told."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from hostile import encode, picture
from serving import Server


def told(server: Server, request_id: str) -> dict[str, Any]:
    [line] = [line for line in server.log.read_text().splitlines() if request_id in line]
    return json.loads(line)


def test_a_request_is_a_line_without_what_was_asked(client: httpx.Client, server: Server) -> None:
    photo = {"image": ("secret-name.png", encode(picture(7300), "PNG"))}
    where = {"where": "source = 'secret-source'"}
    answer = client.post(
        "/v1/search?secret=query", files=photo, data=where, headers={"X-Request-Id": "mine.1"}
    )
    assert answer.headers["x-request-id"] == "mine.1"
    line = told(server, "mine.1")
    assert line.pop("milliseconds") > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", line.pop("time"))
    assert line == {
        "level": "info",
        "logger": "search_api.observe",
        "message": "request",
        "request_id": "mine.1",
        "method": "POST",
        "route": "/v1/search",
        "status": 200,
        "key": "anonymous",
        "client": "127.0.0.1",
    }
    log = server.log.read_text()
    assert "secret" not in log
    assert answer.json()["query_sha256"] not in log


def test_every_line_is_json_but_the_settings(server: Server, client: httpx.Client) -> None:
    client.get("/health/live")
    lines = server.log.read_text().splitlines()
    assert lines[0].startswith("settings: {")
    assert all(json.loads(line)["message"] for line in lines[1:] if line.startswith("{"))
    assert sum(line.startswith("{") for line in lines[1:]) > 3


@pytest.mark.parametrize("given", ["a b", "x" * 65, "a;b", ""])
def test_an_odd_id_is_replaced(client: httpx.Client, given: str) -> None:
    answer = client.get("/health/live", headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


def counted(client: httpx.Client, line: str) -> float:
    text = client.get("/metrics").text
    return sum(float(each.split()[-1]) for each in text.splitlines() if each.startswith(line))


def test_requests_are_counted_by_route_and_status(client: httpx.Client, gallery: Path) -> None:
    missing = 'lineup_requests_total{method="GET",route="/v1/images/{sha256}",status="404"}'
    other = 'lineup_requests_total{method="other",route="other",status="404"}'
    before = counted(client, missing), counted(client, other)
    for _ in range(3):
        client.get(f"/v1/images/{'0' * 64}")
    client.get("/nowhere")
    assert (counted(client, missing), counted(client, other)) == (before[0] + 3, before[1] + 1)
    assert counted(client, "lineup_ready") == 1
    assert counted(client, "lineup_generation") >= 2
    assert client.get("/metrics").headers["content-type"].startswith("text/plain; version=")
