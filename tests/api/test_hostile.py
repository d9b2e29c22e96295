"""Hostile files through the API: each gets exactly its outcome, and the service stays ready."""

from pathlib import Path

import httpx
from hostile import DECODED, OVERSIZED

from indexer.images import sha256
from indexer.index import Index, query_bytes, search
from search_api.problems import PREFIX


def outcome(response: httpx.Response) -> str:
    """ "decoded", the reason of a rejected image, or the code of another problem."""
    if response.status_code == 200:
        return DECODED
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status_code
    code = problem["type"].removeprefix(PREFIX)
    if code == "image-rejected":
        assert response.status_code == 422
        return problem["reason"]
    return code


def test_each_file_gets_its_outcome_and_the_service_stays_ready(
    client: httpx.Client, index: Index, hostile: tuple[Path, dict[str, str]]
) -> None:
    folder, expected = hostile
    assert len(expected) >= 40
    found, ready = {}, {}
    for name in expected:
        with (folder / name).open("rb") as file:
            response = client.post("/v1/search", files={"image": (name, file)})
        found[name] = outcome(response)
        ready[name] = client.get("/health/ready").status_code
        if found[name] == DECODED:
            data = (folder / name).read_bytes()
            assert response.json()["query_sha256"] == sha256(data)
            assert response.json()["score"] == search(index, query_bytes(index, data)).score
    assert found == {**expected, OVERSIZED: "content-too-large"}
    assert ready == dict.fromkeys(expected, 200)
