"""The Python client is true: held to the OpenAPI document, and every method used on a server."""

import inspect
import json
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, get_overloads, get_type_hints

import httpx
import pytest
from hostile import encode, picture
from pydantic import TypeAdapter
from serving import Server, serving

from indexer.evidence import verify
from indexer.images import sha256
from indexer.index import Index
from indexer.index.families import build_families
from lineup_client import Client, Options, Problem, ProblemError
from lineup_client.client import LINE
from search_api.examples import ANSWER
from search_api.routes.batch import EXAMPLE, NDJSON

METHODS = {
    name: method
    for name, method in inspect.getmembers(Client, inspect.isfunction)
    if not name.startswith("_") and name != "close"
}
OPAQUE = {"application/zip": bytes, "image/webp": bytes, "text/plain": str}
"""What no schema describes."""


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }


def takes(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """Every parameter and field that an operation takes."""
    names = {part["name"] for part in operation.get("parameters", [])}
    for content in operation.get("requestBody", {"content": {}})["content"].values():
        names |= resolved(document, content["schema"])["properties"].keys()
    return names


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def test_every_operation_has_a_method_that_takes_what_it_takes(document: dict[str, Any]) -> None:
    offered = {}
    for name, method in METHODS.items():
        names = set(inspect.signature(method).parameters) - {"self"}
        if "options" in names:
            names = names - {"options"} | Options.__annotations__.keys()
        offered[name] = {
            "image" if part == "images" and name == "batch" else part for part in names
        }
    assert offered == {
        name: takes(document, operation) for name, operation in operations(document).items()
    }


def returned(method: Any) -> list[Any]:
    """What a method returns, by each of its overloads."""
    return [get_type_hints(each)["return"] for each in get_overloads(method) or [method]]


def bare(schema: Any) -> Any:
    """A schema without what only people read."""
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    spoken = ("title", "description", "examples", "example", "default")
    return {
        key: {name: bare(part) for name, part in value.items()}
        if key == "properties"
        else bare(value)
        for key, value in schema.items()
        if key not in spoken
    }


def test_every_answer_has_the_fields_of_the_document(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    template = "#/components/schemas/{model}"
    for name, operation in operations(document).items():
        [(media_type, content)] = operation["responses"]["200"]["content"].items()
        if media_type == NDJSON:
            continue
        kinds = returned(METHODS[name])
        if media_type != "application/json":
            assert kinds == [OPAQUE[media_type.partition(";")[0]]]
            continue
        documented = content["schema"].get("anyOf", [content["schema"]])
        assert [part["$ref"].rpartition("/")[2] for part in documented] == [
            kind.__name__ for kind in kinds
        ]
        for kind in kinds:
            adapter = TypeAdapter(kind)
            mine = adapter.json_schema(mode="serialization", ref_template=template)
            for part, schema in {**mine.pop("$defs", {}), kind.__name__: mine}.items():
                assert bare(schema) == bare(schemas[part]), part
    problem = TypeAdapter(Problem).json_schema(mode="serialization", ref_template=template)
    del problem["$defs"]
    assert bare(problem) == bare(schemas["Problem"])


@pytest.fixture(scope="module")
def own(
    index_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Client, Server, Path]]:
    """A server over an index of its own with families, and the client of it."""
    root = tmp_path_factory.mktemp("client")
    shutil.copytree(index_path, root / "my.index")
    with Index.open(root / "my.index") as index:
        build_families(index)
    settings = {"LINEUP_SIGNING_KEY": str(root / "signing.pem")}
    with (
        serving(root / "my.index", root / "server.log", settings) as server,
        Client(server.url) as client,
    ):
        yield client, server, root / "my.index"


def test_searches_say_what_the_service_says(
    own: tuple[Client, Server, Path], client: httpx.Client, gallery: Path, tmp_path: Path
) -> None:
    lineup, server, path = own
    photo, known = encode(picture(8300), "PNG"), gallery / "fake/swap/0.png"
    file = tmp_path / "photo.png"
    file.write_bytes(photo)
    answer = lineup.search(photo, k=3, label="fake")
    raw = httpx.post(
        f"{server.url}/v1/search", files={"image": photo}, data={"k": 3, "label": "fake"}
    ).json()
    assert TypeAdapter(type(answer)).dump_python(answer, mode="json") == raw
    assert lineup.search(file, k=3, label="fake") == lineup.search(str(file), k=3, label="fake")
    digest = sha256(known.read_bytes())
    by_id = lineup.search(id=digest, where="family = swap", risk=0.2, generation=1)
    assert (by_id.query_sha256, by_id.generation) == (digest, 1)
    first = lineup.search(photo, k=2, rerank=True).hits
    shared = [hit.patch_similarity for hit in first]
    assert None not in shared
    assert shared == sorted(shared, reverse=True)
    [line] = lineup.batch([photo], k=2, rerank=True)
    assert line.answer.hits == first
    region = lineup.search(photo, region=(0.1, 0.1, 0.5, 0.5), k=2)
    assert (region.region.width, len(region.hits)) == (32.0, 2)
    with pytest.raises(ProblemError) as refused:
        lineup.search(url="https://elsewhere.example/a.png")
    assert refused.value.problem.code == "url-refused"

    lines = list(lineup.batch([photo, b"no image", file], k=3, label="fake"))
    assert [(line.position, line.name, line.answer) for line in lines] == [
        (0, "image", answer),
        (1, "image", None),
        (2, "photo.png", answer),
    ]
    assert lines[1].problem is not None
    assert (lines[1].problem.code, lines[1].problem.reason) == ("image-rejected", "not-an-image")
    [line] = lineup.batch(ids=[digest], where="family = swap", risk=0.2, generation=1)
    assert line.answer == by_id

    package = lineup.report(photo, note="Case 17", k=3, label="fake")
    with Index.open(path) as index:
        found = verify(package, index=index, author="test")
    assert (found.problems, found.differences) == ([], [])
    assert (found.report["made"]["note"], found.report["search"]["answer"]) == ("Case 17", raw)


def test_maps_are_what_the_service_draws(own: tuple[Client, Server, Path], gallery: Path) -> None:
    lineup, server, _ = own
    photo = encode(picture(8302), "PNG")
    one, other = (sha256((gallery / f"fake/swap/{seed}.png").read_bytes()) for seed in (0, 1))
    fake, matched = lineup.explain(photo), lineup.explain(photo, hit=one, generation=1)
    assert (fake.kind, fake.faithfulness.keys()) == ("fake", {"occlusion", "rollout"})
    assert (matched.kind, matched.other_sha256, matched.generation) == ("match", one, 1)
    stored = lineup.match(one, other, generation=1)
    raw = httpx.get(f"{server.url}/v1/images/{one}/maps?hit={other}&generation=1").json()
    assert TypeAdapter(type(stored)).dump_python(stored, mode="json") == raw


def test_images_come_are_told_of_labelled_and_go(
    own: tuple[Client, Server, Path], tmp_path: Path
) -> None:
    lineup, *_ = own
    photo = tmp_path / "new.png"
    photo.write_bytes(encode(picture(8301), "PNG"))
    said: dict[str, Any] = {"family": "swap", "source": "desk", "captured_at": "2026-03-01"}
    added = lineup.add(photo, label="fake", metadata={"case": 17}, **said)
    assert added.added
    again = lineup.add(photo, uri="archive/1.png")
    assert (again.sha256, again.added) == (added.sha256, False)
    known = lineup.image(added.sha256)
    assert known.uris == ("upload:new.png", "archive/1.png")
    assert (known.annotation.label, known.annotation.family) == ("fake", "swap")
    assert (known.annotation.source, known.metadata) == ("desk", {"case": 17})
    assert (known.facts.width, known.facts.format) == (64, "PNG")
    assert lineup.image(added.sha256, generation=added.generation).uris == ("upload:new.png",)
    assert lineup.thumbnail(added.sha256, generation=added.generation)[8:12] == b"WEBP"
    done = lineup.label([added.sha256], "fake", "warp")
    assert (done.images, lineup.image(added.sha256).annotation.family) == (1, "warp")
    removed = lineup.remove(added.sha256)
    with pytest.raises(ProblemError, match="404 not-found: ") as refused:
        lineup.image(added.sha256, generation=removed.generation)
    assert refused.value.problem.status == 404
    with pytest.raises(ProblemError) as refused:
        lineup.label([], "fake")
    assert refused.value.problem.errors is not None
    assert [error.field for error in refused.value.problem.errors] == ["body.images"]


def test_families_are_read_and_decided_upon(own: tuple[Client, Server, Path]) -> None:
    lineup, *_ = own
    first = lineup.families(limit=1, sort="name", min_size=1, named_by="label")
    assert (first.total, [family.name for family in first.families]) == (2, ["blend"])
    second = lineup.families(limit=1, sort="name", named_by="label", cursor=first.next)
    [blend], [swap] = first.families, second.families
    assert (swap.name, second.next) == ("swap", None)
    assert lineup.families(name="swap", generation=first.generation).total == 1
    assert lineup.family(blend.id, generation=first.generation).family == blend
    page = lineup.members(blend.id, limit=4, generation=first.generation)
    rest = lineup.members(blend.id, limit=4, cursor=page.next)
    members = [member.sha256 for member in (*page.members, *rest.members)]
    assert len(members) == page.total == blend.size
    assert {place.sha256 for place in lineup.gallery_map().images} >= set(members)
    assert lineup.gallery_map(generation=first.generation).generation == first.generation

    decided = [
        lineup.rename(blend.id, "face magic"),
        lineup.split(blend.id, members[:2]),
        lineup.reject(blend.id, members[2:3]),
        lineup.pin(blend.id, members[2:3]),
        lineup.merge(blend.id, [swap.id]),
    ]
    decided.append(lineup.undo(decided[0].decision))
    kinds = ["rename", "split", "reject", "pin", "merge", "undo"]
    told = lineup.decisions().decisions[-len(kinds) :]
    assert [one.action["kind"] for one in told] == kinds
    assert [one.generation for one in told] == [one.generation for one in decided]
    merged = lineup.family(blend.id)
    assert (merged.family.name, merged.family.size) == ("blend", blend.size - 2 + swap.size)
    assert any(change.before == swap.id for change in merged.lineage)


def test_the_service_tells_of_itself(own: tuple[Client, Server, Path]) -> None:
    lineup, *_ = own
    assert lineup.live().status == "live"
    ready = lineup.ready()
    assert (ready.status, ready.generation) == ("ready", lineup.families().generation)
    assert "lineup_ready 1.0" in lineup.metrics()


def test_a_line_of_a_batch_is_as_the_document_shows(document: dict[str, Any]) -> None:
    content = operations(document)["batch"]["responses"]["200"]["content"][NDJSON]
    assert content["example"] == EXAMPLE
    line = LINE.validate_json(content["example"])
    assert LINE.dump_python(line, mode="json")["answer"] == json.loads(json.dumps(ANSWER.to_dict()))


# -- a busy service, a proxy, a key


class Busy(BaseHTTPRequestHandler):
    """Says what it is told to, one answer after the other."""

    answers: ClassVar[list[tuple[int, dict[str, str], bytes]]] = []
    asked: ClassVar[list[tuple[str | None, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.asked.append((self.headers["authorization"], body))
        status, headers, body = self.answers.pop(0)
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 as the standard library calls it

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[str]:
    Busy.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


ADDED = b'{"sha256": "ab", "generation": 4, "added": true, "new_field": 1}'
PROBLEM = {
    "type": "urn:lineup:problem:overloaded",
    "title": "x",
    "status": 503,
    "detail": "16 uploads are waiting; try again later",
    "do": "try again later",
}
FULL = (
    503,
    {"retry-after": "1", "content-type": "application/problem+json"},
    json.dumps(PROBLEM).encode(),
)
DATED = {"retry-after": "Thu, 01 Jan 2026 00:00:00 GMT"}


def test_a_busy_service_is_asked_again_when_it_says(busy: str) -> None:
    Busy.answers[:] = [FULL, (429, DATED, b""), (201, {}, ADDED)]
    began = time.monotonic()
    with Client(busy, "lineup_key") as lineup:
        assert lineup.add(b"an image", label="fake").generation == 4
    assert time.monotonic() - began > 1
    assert len(Busy.asked) == 3
    assert {key for key, _ in Busy.asked} == {"Bearer lineup_key"}
    assert all(b"an image" in body and b"fake" in body for _, body in Busy.asked)


def test_patience_ends_and_health_has_none(busy: str) -> None:
    with Client(busy, patience=1.5) as lineup:
        Busy.answers[:] = [FULL] * 3
        with pytest.raises(ProblemError, match="503 overloaded: 16 uploads are waiting") as refused:
            lineup.label(["ab"], "fake")
        assert refused.value.problem == Problem(**PROBLEM)
        assert len(Busy.answers) == 1
        Busy.answers[:] = [FULL] * 2
        with pytest.raises(ProblemError):
            lineup.ready()
        assert len(Busy.answers) == 1


@pytest.mark.parametrize(
    ("status", "headers", "title"),
    [
        (503, {}, "Service Unavailable"),
        (503, {"retry-after": "soon"}, "Service Unavailable"),
        (502, {"retry-after": "0"}, "Bad Gateway"),
        (302, {"location": "/elsewhere"}, "Found"),
        (499, {}, "Unknown"),
    ],
)
def test_what_did_not_come_from_the_service_is_told(
    busy: str, status: int, headers: dict[str, str], title: str
) -> None:
    Busy.answers[:] = [(status, headers, b"<html>the proxy is sorry</html>")]
    with Client(busy) as lineup, pytest.raises(ProblemError) as refused:
        lineup.label(["ab"], "fake")
    assert refused.value.problem == Problem(
        "about:blank", title, status, "<html>the proxy is sorry</html>"
    )
