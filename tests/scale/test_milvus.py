"""A real Milvus server: recall of an index that it has finished, and a build that is killed.

The contract suites of `tests/vectors` and `tests/index` run on the server, too.
"""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from milvus_server import milvus_server
from on_milvus import fresh, server, unknown

from benchmarks import _descriptors as synthetic
from indexer.errors import VectorsUnavailable
from indexer.types import Float32
from indexer.vectors import ExactIndex, build_vectors
from indexer.vectors.milvus import Milvus
from indexer.vectors.milvus_index import MilvusIndex, build_collection

pytestmark = [pytest.mark.scale, pytest.mark.timeout(1800)]
ROWS = 20_000
IDS = np.arange(ROWS) + 1


@pytest.fixture(scope="module")
def rows() -> Float32:
    """Rows that are indexed, and 200 more of the same distribution."""
    made = synthetic.descriptors(ROWS + 200)
    np.random.default_rng(1).shuffle(made)
    return made


def test_recall_holds_on_queries_that_are_not_indexed(rows: Float32) -> None:
    """As with FAISS, with as many lists."""
    vectors, queries = np.ascontiguousarray(rows[:ROWS]), rows[ROWS:]
    milvus = server()
    name = fresh("recall")
    index, choice = build_collection(milvus, name, IDS, vectors, unknown, flat_rows=1000)
    _, same = build_vectors(IDS, vectors, flat_rows=1000)
    assert (choice.kind, choice.parameters["nlist"]) == (same.kind, same.parameters["nlist"])
    assert choice.recall_at_10 >= 0.99
    state = milvus._client.describe_index(name, "vector")
    assert (state["indexed_rows"], state["pending_index_rows"]) == (ROWS, 0)
    exact = ExactIndex(IDS, vectors)
    truth = [set(exact.search(query, 10)[0].tolist()) for query in queries]

    def recall(found: MilvusIndex) -> float:
        hits = (
            set(found.search(q, 10)[0].tolist()) & t for q, t in zip(queries, truth, strict=True)
        )
        return sum(map(len, hits)) / (10 * len(queries))

    assert recall(index) >= 0.98
    index.nprobe = 1  # an index it is: to visit one list of many loses neighbours
    assert recall(index) < 0.9


BUILD = """
import sys, numpy as np
from indexer.vectors.milvus import Milvus
from indexer.vectors.milvus import Milvus
from indexer.vectors.milvus_index import MilvusIndex
url, name, path = sys.argv[1:]
vectors = np.load(path)
MilvusIndex(Milvus(url), name, np.arange(len(vectors)) + 1, vectors, lambda ids: [{}] * len(ids))
"""


def test_a_build_that_is_killed_again_and_again(
    rows: Float32, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("killed") / "vectors.npy"
    vectors = np.ascontiguousarray(rows[:ROWS])
    np.save(path, vectors)
    milvus, name = server(), fresh("killed")
    for seconds in (1.5, 2.0, 3.0, 5.0, 7.0):
        child = subprocess.Popen([sys.executable, "-c", BUILD, milvus.url, name, str(path)])
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        child.wait()
    index = MilvusIndex(milvus, name, IDS, vectors, unknown)
    assert milvus.holds(name, ROWS)
    exact = ExactIndex(IDS, vectors)
    for query in rows[ROWS:]:
        found, expected = index.search(query, 10), exact.search(query, 10)
        assert [part.tolist() for part in found] == [part.tolist() for part in expected]


def test_a_server_that_went_away_is_an_error(
    rows: Float32, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.vectors.milvus.SECONDS", 5.0)
    vectors = np.ascontiguousarray(rows[:100])
    server()  # or skip
    with milvus_server() as url:
        index = MilvusIndex(Milvus(url), fresh("away"), IDS[:100], vectors, unknown)
        assert index.search(vectors[3], 1)[0].tolist() == [4]
    with pytest.raises(VectorsUnavailable, match="see that it runs"):
        index.search(vectors[3], 1)
