"""Pulling from a hub on the loopback: what arrives, and what must not stay."""

import hashlib
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import tiny

from indexer.checkpoints import Known, pull, resolve
from indexer.errors import CheckpointError, UsageError

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """The three answers of the hub's API that a snapshot needs, over a folder of files."""

    folder = None

    def do_GET(self):
        api = "/api/models/org/name/"
        if self.path.startswith(f"{api}revision/{REVISION}"):
            names = [{"rfilename": path.name} for path in sorted(self.folder.iterdir())]
            self.answer(json.dumps({"id": "org/name", "sha": REVISION, "siblings": names}).encode())
        elif self.path.startswith(f"{api}tree/{REVISION}"):
            tree = [
                {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": "0" * 40}
                for path in sorted(self.folder.iterdir())
            ]
            self.answer(json.dumps(tree).encode())
        elif self.path.startswith(f"/org/name/resolve/{REVISION}/"):
            self.answer((self.folder / self.path.rsplit("/", 1)[1]).read_bytes())
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub with one checkpoint, beside which lies code that nobody asked for."""
    folder = tmp_path / "hub"
    tiny.write_vit(folder)
    (folder / "modeling_evil.py").write_text("raise SystemExit")
    handler = type("OneHub", (Hub,), {"folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("LINEUP_CACHE", str(tmp_path / "cache"))
    yield folder
    server.shutdown()
    server.server_close()


def entry(folder):
    weights = (folder / "model.safetensors").read_bytes()
    return Known(
        name="ours",
        summary="",
        note="",
        licence="MIT",
        repository="org/name",
        revision=REVISION,
        sha256=hashlib.sha256(weights).hexdigest(),
        bytes=len(weights),
    )


FILES = ["config.json", "model.safetensors", "preprocessor_config.json"]


def test_pull_once_then_offline(hub, monkeypatch, tmp_path):
    registry = {"ours": entry(hub)}
    pulled = pull("ours", registry=registry)
    assert sorted(path.name for path in pulled.directory.iterdir()) == FILES
    assert pulled.directory.parent == tmp_path / "cache" / "checkpoints"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    again = resolve("ours", registry=registry)
    assert (again.weights_sha256, again.revision) == (registry["ours"].sha256, REVISION)


def test_pull_into_a_directory_that_can_be_carried_away(hub, tmp_path):
    registry = {"ours": entry(hub)}
    pull("ours", to=tmp_path / "stick" / "ours", registry=registry)
    carried = (tmp_path / "stick" / "ours").rename(tmp_path / "elsewhere")
    assert sorted(path.name for path in carried.iterdir()) == FILES
    assert resolve(str(carried), registry=registry).name == "ours"
    with pytest.raises(UsageError, match="exists and is not empty"):
        pull("ours", to=carried, registry=registry)


def test_resolving_an_unpinned_digest_by_commit(hub):
    assert resolve(f"org/name@{REVISION}", registry={}).revision == REVISION


def test_weights_with_another_digest_do_not_stay(hub, tmp_path):
    registry = {"ours": replace(entry(hub), sha256="0" * 64)}
    with pytest.raises(CheckpointError, match=r"expected 0{64}"):
        pull("ours", registry=registry)
    assert list((tmp_path / "cache" / "checkpoints").iterdir()) == []


def test_a_repository_that_is_not_there(hub):
    with pytest.raises(CheckpointError, match=f"the hub does not give org/other@{REVISION}"):
        resolve(f"org/other@{REVISION}", registry={})


def test_a_repository_with_pickles_only(hub):
    (hub / "model.safetensors").rename(hub / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors on the hub"):
        resolve(f"org/name@{REVISION}", registry={})
