"""Requests drawn from the OpenAPI document, and mutated images: no 5xx, no undocumented answer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import schemathesis
from hostile import encode, picture
from hypothesis import HealthCheck, given, seed, settings
from mutants import mutant, seeds
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving import Server, serving

from benchmarks._server import memory

PROMISED = {200, 422}


@pytest.fixture(scope="module")
def fuzzed(index_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over an index of its own."""
    root = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(index_path, root / "my.index")
    with serving(root / "my.index", root / "server.log") as server:
        yield server


CHECKED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize(
    "examples", [12, pytest.param(400, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_whatever_the_document_allows_is_answered_as_it_says(fuzzed: Server, examples: int) -> None:
    schema = schemathesis.openapi.from_url(f"{fuzzed.url}/openapi.json")
    for result in schema.get_all_operations():
        operation = result.ok()

        @seed(5)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKED)

        ask()


def mutants(count: int) -> Iterator[bytes]:
    """So many, of every format in turn."""
    rng, whole = np.random.default_rng(9), seeds()
    for number in range(count):
        yield mutant(whole[number % len(whole)], rng)


@pytest.mark.parametrize(
    "count", [150, pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_mutated_images_are_answered_or_refused(fuzzed: Server, count: int) -> None:
    statuses, warm = set(), 0.0
    with httpx.Client(base_url=fuzzed.url, timeout=60) as client:
        model = client.get("/metrics").text
        for number, data in enumerate(mutants(count)):
            statuses.add(client.post("/v1/search", files={"image": data}).status_code)
            if number == count // 2:
                warm = sum(memory(fuzzed.process.pid).values())
        restarts = "lineup_model_restarts_total 0.0"
        assert restarts in model
        assert restarts in client.get("/metrics").text
    assert statuses == PROMISED
    assert sum(memory(fuzzed.process.pid).values()) < 1.1 * warm


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\\r\\nX-Injected: 1", "\\0", "C:\\\\x", "é" * 999]
)
def test_a_hostile_file_name_is_only_a_name(fuzzed: Server, name: str) -> None:
    photo = encode(picture(9000 + len(name)), "PNG")
    with httpx.Client(base_url=fuzzed.url, timeout=60) as client:
        answer = client.post("/v1/images", files={"image": (name, photo)})
        assert answer.status_code in (200, 201)
        assert "x-injected" not in answer.headers
        known = client.get(f"/v1/images/{answer.json()['sha256']}")
        assert "x-injected" not in known.headers
        assert "/" not in known.json()["uris"][0].removeprefix("upload:")
