"""An index goes from engine to engine and back: the same history, files and answers."""

from collections.abc import Callable
from pathlib import Path

from commands import run, run_json
from postgresql_server import Server

from indexer.families.actions import Label, Rename
from indexer.filters import parse_filter
from indexer.index import Index, query_stored, search
from indexer.index.export import export_encodings
from indexer.index.families import build_families, decide

Make = Callable[..., Index]


def answers(where: object, digests: list[str]) -> list[object]:
    """What searches by these images find, now and at earlier generations."""
    with Index.open(where) as index:
        told: list[object] = []
        for generation in (None, 2, index.store.generation - 1):
            for digest in sorted(index.store.known(digests, generation)):
                query = query_stored(index, digest, generation)
                for filtered in (None, parse_filter("label = fake and width < 500")):
                    answer = search(index, query, 5, where=filtered, generation=generation)
                    told.append(answer.to_dict())
        return told


def exported(where: object, to: Path) -> dict[str, bytes]:
    to.mkdir()
    with Index.open(where) as index:
        export_encodings(index, to)
    return {path.name: path.read_bytes() for path in sorted(to.iterdir())}


def test_there_and_back(
    make_index: Make, pictures: Path, postgresql: Server, tmp_path: Path
) -> None:
    index = make_index(pictures)
    build_families(index)
    digests = [image.sha256 for image in index.store.images(index.store.ids()[::9])]
    decide(index, Label((digests[0],), "fake", "case 7"), "ann")
    decide(index, Rename(index.store.families.named()[0].family, "the first"), "ann")
    with index.store.commit("remove", "ann") as txn:
        txn.remove(digests[-1:])
    generation = index.store.generation
    index.close()

    first, url, back = index.path, postgresql.place(), tmp_path / "back.index"
    lite = f"milvus+file:{tmp_path}/copy.db"
    told = run("copy", first, url, "--vectors", lite)
    assert told.endswith(f" rows copied and compared; generation {generation} is at {url}\n")
    run("copy", url, back)
    wanted = exported(first, tmp_path / "a")
    assert exported(url, tmp_path / "b") == wanted
    assert exported(back, tmp_path / "c") == wanted
    assert run_json("info", "--index", url)["vectors"]["at"] == lite
    found = answers(first, digests)
    assert answers(url, digests) == found
    assert answers(back, digests) == found
    for where in (url, back):
        assert run_json("verify", "--index", where)["problems"] == []
        with Index.open(where) as copied:
            kinds = [row.kind for row in copied.store.audit.rows()]
            assert kinds.count("copy") == (1 if where == url else 2)


def test_a_copy_is_refused_before_any_work(
    make_index: Make, pictures: Path, tmp_path: Path
) -> None:
    index = make_index(pictures / "real", layout="auto")
    index.close()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "note.txt").write_text("mine")
    for target, options, why in (
        (tmp_path / "taken", (), "exists and is not an index"),
        (index.path, (), "exists"),
        (tmp_path / "new", ("--vectors", "http://localhost"), "as a place for vectors"),
        ("postgresql+psycopg://ann:secret@db/x", (), "the URL of the index carries a password"),
    ):
        told = run("copy", index.path, target, *options, code=2)
        assert why in told
        assert "secret" not in told
    assert not (tmp_path / "new").exists()
