"""Inputs in a real object store: the same index as from the disk, also after a kill."""

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tinted import write_gallery
from tiny import write_vit

from indexer.encoder import load_encoder
from indexer.errors import NotFound, UsageError
from indexer.index import Index, build_index
from indexer.index.ray_runner import RayRunner
from indexer.sources import open_source
from indexer.sources.storage import Place

pytestmark = pytest.mark.scale


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    write_gallery(root)
    return root


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("checkpoint") / "tiny"
    write_vit(directory)
    return directory


@pytest.fixture(scope="module")
def bucket(s3: object, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The pictures as files, with a manifest, as tars of eight and as Parquet."""
    fs = Place.of("s3://lineup").fs
    paths = sorted(pictures.rglob("*.png"))
    for path in paths:
        fs.pipe(f"lineup/folder/{path.relative_to(pictures)}", path.read_bytes())
    lines = [
        "path,family",
        *(f"folder/{p.relative_to(pictures)},f{n}" for n, p in enumerate(paths)),
    ]
    fs.pipe("lineup/manifest.csv", "\n".join(lines).encode())
    for start in range(0, len(paths), 8):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for path in paths[start : start + 8]:
                archive.add(path, str(path.relative_to(pictures)).replace("/", "-"))
        fs.pipe(f"lineup/tars/s-{start // 8:02d}.tar", buffer.getvalue())
    table = io.BytesIO()
    pq.write_table(pa.table({"image": [path.read_bytes() for path in paths]}), table)
    fs.pipe("lineup/parquet/data-0.parquet", table.getvalue())
    return "s3://lineup"


def built(checkpoint: Path, index: Path, *sources: object, layout: str = "auto") -> Index:
    made = Index.create(index, load_encoder(str(checkpoint), engine="torch"))
    build_index(made, [open_source(str(source), layout) for source in sources])
    return made


def encodings(index: Index) -> dict[str, bytes]:
    ids = index.store.ids()
    taps = index.store.taps(ids)
    digests = index.store.columns(ids).sha256
    return {digest: row.tobytes() for digest, row in zip(digests, taps, strict=True)}


@pytest.mark.parametrize(
    ("source", "layout"),
    [
        ("folder", "imagefolder"),
        ("manifest.csv", "auto"),
        ("tars/s-{00..99}.tar", "auto"),
        ("tars", "shards"),
        ("parquet/data-0.parquet", "auto"),
    ],
)
def test_every_form_gives_what_the_disk_gives(
    bucket: str, pictures: Path, checkpoint: Path, tmp_path: Path, source: str, layout: str
) -> None:
    with (
        built(checkpoint, tmp_path / "disk.index", pictures) as disk,
        built(checkpoint, tmp_path / "s3.index", f"{bucket}/{source}", layout=layout) as remote,
    ):
        assert encodings(remote) == encodings(disk)


def test_workers_read_from_the_bucket_and_leave_encodings_in_it(
    bucket: str, pictures: Path, checkpoint: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'lineup[ray]'")
    runner = RayRunner(shared=f"{bucket}/incoming")
    made = Index.create(tmp_path / "ray.index", load_encoder(str(checkpoint), engine="torch"))
    build_index(made, [open_source(f"{bucket}/tars", "shards")], runner=runner)
    with made, built(checkpoint, tmp_path / "disk.index", pictures) as disk:
        assert encodings(made).keys() == encodings(disk).keys()
    incoming = Place.of(f"{bucket}/incoming")
    incoming.fs.invalidate_cache()
    assert not [path for path in incoming.fs.find(incoming.path) if path.endswith(".parquet")]


def test_a_killed_build_goes_on_where_it_was(
    bucket: str, pictures: Path, checkpoint: Path, tmp_path: Path
) -> None:
    index, source = tmp_path / "my.index", f"{bucket}/tars"
    command = [sys.executable, "-c", "from indexer.cli import main; main()", "build", source]
    command += ["--layout", "shards", "--index", str(index), "--checkpoint", str(checkpoint)]
    for pause in (2.0, 3.0, 4.0, 6.0):
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ
        )
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.wait()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "0 rejected" in done.stdout
    with Index.open(index) as made, built(checkpoint, tmp_path / "disk.index", pictures) as disk:
        assert encodings(made).keys() == encodings(disk).keys()
        assert made.store.check() == made.store.audit.faults() == []
    again = subprocess.run(command, check=True, capture_output=True, text=True)
    assert again.stdout.startswith("0 added, 0 known, 0 rejected")


def test_what_is_not_there_or_not_allowed(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound, match="nothing at s3://lineup/none; check the URL"):
        open_source(f"{bucket}/none")
    with pytest.raises(UsageError, match=r"s3://lineup/x carries credentials; expected a URL"):
        open_source("s3://key:secret@lineup/x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    Place.of(bucket).fs.clear_instance_cache()
    with pytest.raises(UsageError, match="the credentials in the environment"):
        open_source(f"{bucket}/folder")
    Place.of(bucket).fs.clear_instance_cache()
