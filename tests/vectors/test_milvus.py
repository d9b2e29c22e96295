"""What a collection is trusted with, and what is made good."""

import subprocess
import sys

import numpy as np
import pytest
from on_milvus import fresh, lite, unknown

from indexer.errors import IndexDamaged, MissingExtra, UsageError, VectorsUnavailable
from indexer.vectors import ExactIndex
from indexer.vectors.milvus import Milvus, checked_url
from indexer.vectors.milvus_filter import FIELDS, stored
from indexer.vectors.milvus_index import MilvusIndex

IDS = np.arange(40) * 3 + 1


@pytest.fixture(scope="module")
def vectors():
    rows = np.random.default_rng(0).standard_normal((40, 8)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def made(name, vectors, known=unknown):
    return MilvusIndex(lite(), name, IDS, vectors, known)


def written(name, ids, vectors):
    """A collection as a process leaves it that was killed before the index."""
    rows = [{"id": int(i), "vector": v, **stored({})} for i, v in zip(ids, vectors, strict=True)]
    lite().write(name, 8, FIELDS, [rows])


def same(index, vectors):
    exact = ExactIndex(IDS, vectors)
    for query in vectors[:5]:
        found, expected = index.search(query, 5), exact.search(query, 5)
        assert [part.tolist() for part in found] == [part.tolist() for part in expected]


@pytest.mark.parametrize(
    ("rows", "indexed"), [(0, False), (0, True), (25, False), (25, True), (40, False)]
)
def test_what_a_killed_build_left_is_completed(vectors, rows, indexed):
    name = fresh("half")
    written(name, IDS[:rows], -vectors[:rows])  # not even the right vectors
    if indexed:
        lite().index(name, 0)
    same(made(name, vectors), vectors)
    assert lite().holds(name, 40)


def test_a_whole_collection_is_taken_as_it_is(vectors):
    name = fresh("whole")
    made(name, vectors)

    def asked(ids):
        raise AssertionError("written again")

    same(made(name, vectors, asked), vectors)


def test_a_collection_that_went_away_is_written_again(vectors):
    index = made(fresh("gone"), vectors)
    lite().drop(index.name)
    same(index, vectors)
    assert lite().holds(index.name, 40)


def test_a_collection_with_too_many_rows_or_another_s_is_refused(vectors):
    many, other = fresh("many"), fresh("other")
    written(many, np.arange(1000, 1050), np.repeat(vectors[:1], 50, axis=0))
    with pytest.raises(IndexDamaged, match="has not the 40 rows it was given"):
        made(many, vectors)
    written(other, IDS + 1, vectors)
    lite().index(other, 0)
    with pytest.raises(IndexDamaged, match="an image that is not of this generation"):
        made(other, vectors).search(vectors[0], 1)


def test_an_alias_names_one_collection(vectors):
    first, second = (made(fresh("aliased"), vectors) for _ in range(2))
    milvus, alias = lite(), fresh("alias")
    assert milvus.aliased(alias) is None
    for index in (first, second, second):
        milvus.point(alias, index.name)
        assert milvus.aliased(alias) == index.name


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://localhost:19530", "expected milvus"),
        ("milvus+http://", "expected milvus"),
        ("milvus+file:vectors", "expected milvus"),
        ("milvus+https://root:secret@host:19530", "a URL of host that carries credentials"),
    ],
)
def test_urls_that_are_refused(url, complaint):
    with pytest.raises(UsageError, match=complaint) as refused:
        checked_url(url)
    assert "secret" not in str(refused.value)


def test_a_file_that_another_process_holds(vectors):
    code = (
        "import sys; from indexer.vectors.milvus import Milvus\n"
        "from indexer.errors import VectorsUnavailable\n"
        "try: Milvus(sys.argv[1])\n"
        "except VectorsUnavailable as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, lite().url], capture_output=True, text=True, check=True
    )
    assert "one process at a time can hold a milvus-lite file" in done.stdout
    assert done.stderr == ""


def test_a_server_that_is_not_there(monkeypatch):
    monkeypatch.setattr("indexer.vectors.milvus.SECONDS", 1.0)
    with pytest.raises(VectorsUnavailable, match=r"Milvus at milvus\+http://127.0.0.1:9: .*see th"):
        Milvus("milvus+http://127.0.0.1:9")


@pytest.mark.parametrize("package", ["pymilvus", "milvus_lite"])
def test_a_missing_package_names_its_extra(monkeypatch, tmp_path, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"pip install 'lineup\[milvus"):
        Milvus(checked_url(f"milvus+file:{tmp_path}/x.db"))
