"""Encodings on their way into an index: nothing is lost, nothing is taken that is not whole."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer.encoder import load_encoder
from indexer.errors import NotFound, PassportMismatch, UsageError
from indexer.index import Index, build_index
from indexer.index.carried import take
from indexer.index.encodings_file import EncodingsFile
from indexer.index.incoming import Incoming
from indexer.index.part_worker import Order, Worker, digests
from indexer.index.pipeline import Known
from indexer.index.ray_runner import RayRunner
from indexer.sources import FileSource, open_source
from indexer.sources.storage import Place
from indexer.store import NewImage

Make = Callable[..., Index]


@pytest.fixture
def index(tmp_path: Path, checkpoint: Path) -> Index:
    return Index.create(tmp_path / "my.index", load_encoder(checkpoint))


@pytest.fixture
def incoming(index: Index, tmp_path: Path) -> Incoming:
    return Incoming(Place.of(str(tmp_path / "shared")), index.store.passport)


@pytest.fixture
def worker(index: Index) -> Worker:
    return Worker(Order.of(index, thumbnails=True), digests([]))


def test_what_was_left_behind_is_taken_and_what_is_damaged_goes(
    incoming: Incoming, worker: Worker, pictures: Path, tmp_path: Path
) -> None:
    files = incoming.files()
    worker.encode(open_source(pictures / "real"), next(files))
    cut = next(files)
    worker.encode(open_source(pictures / "fake"), cut)
    path = Path(cut.path)
    path.write_bytes(path.read_bytes()[:-100])
    (tmp_path / "shared" / "x.parquet.draft").write_bytes(b"somebody died here")
    [batch] = incoming.left_behind()
    assert {Path(outcome.uri).parent.name for outcome in batch.outcomes} == {"real"}
    assert len(list(incoming.folder.walk())) == 1  # until it is committed
    batch.committed()
    assert list(incoming.left_behind()) == list(incoming.folder.walk()) == []


def test_a_part_that_is_there_is_not_done_again(
    incoming: Incoming, worker: Worker, pictures: Path
) -> None:
    file = next(incoming.files())
    worker.encode(open_source(pictures / "real"), file)
    before = Path(file.path).stat()
    worker.encode(open_source(pictures / "real"), file)
    assert Path(file.path).stat().st_mtime_ns == before.st_mtime_ns


def test_a_file_of_a_part_can_be_imported(
    incoming: Incoming, worker: Worker, index: Index, pictures: Path
) -> None:
    file = next(incoming.files())
    worker.encode(open_source(pictures / "real"), file)
    taken = take(index, EncodingsFile.open(file.path), "ann", "import")
    assert taken.added == 12


def test_a_large_part_is_committed_in_pieces_and_removed_after_the_last(
    incoming: Incoming, worker: Worker, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.index.incoming.COMMIT_IMAGES", 20)
    file = next(incoming.files())
    worker.encode(open_source(pictures), file)
    batches = list(incoming.received(file))
    assert [len(batch.outcomes) for batch in batches] == [20, 20, 8]
    for batch in batches:
        assert file.exists()
        batch.committed()
    assert not file.exists()


def test_what_others_cannot_see_is_told(
    incoming: Incoming, worker: Worker, pictures: Path, tmp_path: Path
) -> None:
    files = incoming.files()
    with pytest.raises(UsageError, match="every node reaches, and one build at a time"):
        list(incoming.received(next(files)))
    for name, expected in (("gone", None), ("back", "a worker finds no file at .*back.png")):
        moved = tmp_path / f"{name}.png"
        moved.write_bytes((pictures / "real" / "0.png").read_bytes())
        source, file = open_source(moved), next(files)
        moved.rename(tmp_path / "elsewhere.png")
        worker.encode(source, file)
        if expected is None:
            [batch] = incoming.received(file)
            assert [outcome.error.reason for outcome in batch.outcomes] == ["missing"]
            continue
        (tmp_path / "elsewhere.png").rename(moved)
        with pytest.raises(UsageError, match=expected):
            list(incoming.received(file))
        assert not file.exists()  # or the next build would find it


def test_a_worker_knows_what_it_was_told_and_nothing_else(
    index: Index, incoming: Incoming, pictures: Path
) -> None:
    rng = np.random.default_rng(0)
    others = [rng.bytes(31).hex() + end for end in ("00", "01", "ff") for _ in range(50)]
    known = others[::2]
    worker = Worker(Order.of(index, thumbnails=False), digests(known))
    assert [worker._is_known(digest) for digest in others] == [True, False] * 75
    build_index(index, [open_source(pictures / "real")])
    own = index.store.columns(index.store.ids()).sha256
    worker, file = Worker(Order.of(index, thumbnails=False), digests(own)), next(incoming.files())
    worker.encode(open_source(pictures), file)
    kinds = [type(o) for batch in incoming.received(file) for o in batch.outcomes]
    assert (kinds.count(NewImage), kinds.count(Known)) == (36, 12)


def test_a_worker_with_another_checkpoint_is_refused(index: Index, tmp_path: Path) -> None:
    from tiny import write_vit

    write_vit(tmp_path / "other", seed=1)
    order = Order.of(index, thumbnails=True, ref=str(tmp_path / "other"))
    with pytest.raises(PassportMismatch, match=r"a worker's encodings have weights_sha256 .*"):
        Worker(order, digests([]))
    with pytest.raises(NotFound, match="no checkpoint"):
        Worker(Order.of(index, thumbnails=True, ref=str(tmp_path / "none")), digests([]))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://127.0.0.1:1", "run this on a node of the cluster"),
        ("head", "expected host:port of its head, or auto"),
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1"),
    ],
)
def test_a_cluster_that_is_not_there_is_told_at_once(index: Index, address: str, said: str) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'lineup[ray]'")
    with pytest.raises(UsageError, match=said):
        build_index(index, [FileSource(())], runner=RayRunner(address))
