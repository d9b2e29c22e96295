"""One contract, run on every vector index against brute force in plain Python."""

import threading

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from on_milvus import BOTH, fresh, on_lite, on_server, unknown

from indexer.errors import IndexDamaged, UsageError
from indexer.vectors import ExactIndex, FaissIndex, build_vectors, faiss_index
from indexer.vectors.milvus_index import build_collection

NO_IDS = np.array([], dtype=np.int64)


def unit(rows):
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def gaussian(n, dim, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((n, dim)))


def exhaustive_ivf(ids, vectors):
    """IVF that visits every list: codes propose, the exact vectors decide."""
    if len(ids) == 0:
        return FaissIndex.flat(ids, vectors)
    index = FaissIndex.ivf(ids, vectors, nlist=min(4, len(ids)))
    index.nprobe = 4
    return index


every_kind = pytest.mark.parametrize(
    "make",
    [
        pytest.param(ExactIndex, id="exact"),
        pytest.param(FaissIndex.flat, id="flat"),
        pytest.param(exhaustive_ivf, id="ivf"),
        pytest.param(on_lite, id="milvus-lite"),
        pytest.param(on_server, id="milvus", marks=[pytest.mark.scale, pytest.mark.timeout(1800)]),
    ],
)


def brute_force(ids, vectors, query, k, allowed=None):
    """The definition: compare with all in float64, order by (similarity descending, id)."""
    pairs = [
        (
            -min(1.0, max(-1.0, float(vector.astype(np.float64) @ query.astype(np.float64)))),
            int(id_),
        )
        for id_, vector in zip(ids, vectors, strict=True)
        if allowed is None or id_ in allowed
    ]
    return [(id_, -negative) for negative, id_ in sorted(pairs)[:k]]


def same(found, expected):
    """Equal ids in equal order, up to 1e-6 in similarity."""
    ids, similarities = found
    assert (ids.dtype, similarities.dtype) == (np.int64, np.float32)
    assert len(ids) == len(expected)
    np.testing.assert_allclose(similarities, [s for _, s in expected], atol=1e-6)
    assert list(zip(-similarities, ids, strict=True)) == sorted(
        zip(-similarities, ids, strict=True)
    )
    for id_, similarity in zip(ids, similarities, strict=True):
        by_id = dict(expected)
        assert id_ in by_id or abs(similarity - expected[-1][1]) < 1e-6  # a tie at the edge


# Vectors on a coarse lattice: equal vectors, equal similarities and opposites are common.
lattice = st.lists(st.sampled_from([-1, 0, 1]), min_size=3, max_size=3).filter(any)


@every_kind
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    gallery=st.dictionaries(st.integers(0, 2**40), lattice, max_size=30),
    query=lattice,
    k=st.integers(1, 40),
    drop=st.sets(st.integers(0, 29), max_size=10),
    add=st.dictionaries(st.integers(2**41, 2**42), lattice, max_size=5),
    share=st.none() | st.sets(st.integers(0, 40)),
)
def test_search_equals_brute_force_after_adds_and_removals(
    make, gallery, query, k, drop, add, share
):
    kept = {id_: row for place, (id_, row) in enumerate(gallery.items()) if place not in drop}
    # A collection is never changed; to make one takes half a second, on a server some.
    for rows in (kept | add,) if make in (on_lite, on_server) else (gallery, kept, kept | add):
        ids = np.array(sorted(rows), dtype=np.int64)
        vectors = unit([rows[id_] for id_ in sorted(rows)]).reshape(-1, 3)
        allowed = None
        if share is not None:
            picked = [int(id_) for place, id_ in enumerate(ids) if place in share]
            allowed = np.array([*picked, 2**43], dtype=np.int64)  # one that is not there
        found = make(ids, vectors).search(unit(query), k, allowed)
        oracle = ExactIndex(ids, vectors).search(unit(query), k, allowed)
        assert [part.tolist() for part in found] == [part.tolist() for part in oracle]
        same(found, brute_force(ids, vectors, unit(query), k, allowed))


@every_kind
def test_equal_vectors_are_ordered_by_id_and_similarity_never_exceeds_one(make):
    one = unit(np.random.default_rng(3).standard_normal(384))
    ids = np.arange(100, 4100, dtype=np.int64)
    index = make(ids, np.repeat(one[None], len(ids), axis=0))
    for k in (1, 3, 5000):
        found, similarities = index.search(one, k)
        assert found.tolist() == ids[:k].tolist()
        assert similarities.max() <= 1
        assert np.unique(similarities).size == 1
    assert index.search(-one, 2)[1].tolist() == pytest.approx([-1, -1], abs=1e-6)
    assert index.search(-one, 2)[1].min() >= -1


@every_kind
def test_an_empty_gallery_and_an_empty_filter_find_nothing(make):
    empty = make(NO_IDS, np.empty((0, 8), np.float32))
    assert len(empty) == 0
    full = make(np.arange(5), gaussian(5, 8))
    assert len(full) == 5
    query = gaussian(1, 8)[0]
    for ids, similarities in (empty.search(query, 3), full.search(query, 3, NO_IDS)):
        assert (ids.shape, similarities.shape) == ((0,), (0,))


@every_kind
@pytest.mark.parametrize(
    ("ids", "vectors"),
    [
        ([1, 1], np.eye(2)),
        ([2, 1], np.eye(2)),
        ([1, 2, 3], np.eye(2)),
        ([1, 2], [[1, 0], [np.nan, 0]]),
        ([1, 2], [[1, 0], [np.inf, 0]]),
        ([1, 2], [[1, 0], [3, 0]]),
        ([1, 2], [[1, 0], [0, 0]]),
        ([1], [1.0]),
    ],
)
def test_a_gallery_that_is_not_sound_is_refused(make, ids, vectors):
    with pytest.raises(UsageError):
        make(np.array(ids, np.int64), np.array(vectors, np.float32))


@every_kind
@pytest.mark.parametrize(
    ("query", "k"),
    [
        (np.array([1, 0], np.float32), 0),
        (np.array([1, 0], np.float32), -1),
        (np.array([np.nan, 0], np.float32), 1),
        (np.array([np.inf, 0], np.float32), 1),
        (np.array([2, 0], np.float32), 1),
        (np.array([1, 0, 0], np.float32), 1),
        (np.array([[1, 0]], np.float32), 1),
        (np.array([1, 0], np.float64), 1),
    ],
)
def test_a_query_that_is_not_sound_is_refused(make, query, k):
    index = make(np.arange(2), np.eye(2, dtype=np.float32))
    with pytest.raises(UsageError):
        index.search(query, k)


@every_kind
def test_a_memory_mapped_gallery_and_parallel_searches_give_the_same_answer(make, tmp_path):
    np.save(tmp_path / "vectors.npy", gaussian(500, 16))
    vectors = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    ids = np.arange(500) * 7
    index = make(ids, vectors)
    expected = [brute_force(ids, vectors, query, 5) for query in vectors[:12]]
    found = [None] * 12

    def work(start):
        for place in range(start, 12, 4):
            found[place] = index.search(np.array(vectors[place]), 5)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer, truth in zip(found, expected, strict=True):
        same(answer, truth)


@pytest.fixture(scope="module")
def clustered():
    """6,000 vectors in 60 clusters, ids with gaps, and which cluster each is in."""
    rng = np.random.default_rng(1)
    cluster = rng.integers(0, 60, 6000)
    vectors = unit(gaussian(60, 32)[cluster] + 0.12 * rng.standard_normal((6000, 32)))
    return np.arange(6000) * 3 + 1, vectors, cluster


def test_less_recall_is_wanted_fewer_lists_are_visited(clustered):
    ids, vectors, _ = clustered
    index, choice = build_vectors(ids, vectors, flat_rows=1000, wanted=0.3)
    best, _ = build_vectors(ids, vectors, flat_rows=1000)
    assert 0.3 <= choice.recall_at_10 < 0.99
    assert index.nprobe < best.nprobe


@pytest.mark.parametrize("milvus", [pytest.param(None, id="faiss"), *BOTH])
def test_ivf_is_tuned_until_recall_holds(clustered, milvus):
    ids, vectors, _ = clustered
    if milvus is None:
        index, choice = build_vectors(ids, vectors, flat_rows=1000)
    else:
        index, choice = build_collection(
            milvus(), fresh("built"), ids, vectors, unknown, flat_rows=1000
        )
    assert (choice.kind, choice.n, choice.dim) == ("ivf-sq8", 6000, 32)
    assert choice.parameters == {"nlist": 256, "nprobe": index.nprobe}
    assert index.nprobe < 256
    assert choice.recall_at_10 >= 0.99
    exact = ExactIndex(ids, vectors)
    queries = unit(vectors[::20] + 0.05 * gaussian(300, 32, seed=2))  # none of them indexed
    hits = sum(
        len(np.intersect1d(index.search(query, 10)[0], exact.search(query, 10)[0]))
        for query in queries
    )
    assert hits / 3000 >= 0.98


def test_a_small_gallery_is_flat_and_exact(clustered):
    ids, vectors, _ = clustered
    _, choice = build_vectors(ids[:500], vectors[:500])
    assert (choice.kind, choice.parameters, choice.recall_at_10) == ("flat", {}, 1.0)
    for n in (0, 1):
        assert build_vectors(ids[:n], vectors[:n])[1].recall_at_10 == 1.0


@pytest.mark.parametrize("exact_rows", [0, 20_000])
def test_a_filter_loses_nothing_though_all_it_keeps_is_far_away(clustered, monkeypatch, exact_rows):
    """The hard case: the lists near the query hold nothing that the filter allows."""
    monkeypatch.setattr(faiss_index, "EXACT_ROWS", exact_rows)
    ids, vectors, cluster = clustered
    index = FaissIndex.ivf(ids, vectors, nlist=64)
    index.nprobe = 1
    exact = ExactIndex(ids, vectors)
    for query, own in zip(vectors[:30], cluster[:30], strict=True):
        allowed = ids[cluster == (own + 1) % 60]
        found, expected = index.search(query, 10, allowed), exact.search(query, 10, allowed)
        assert [part.tolist() for part in found] == [part.tolist() for part in expected]


def test_lists_that_hold_too_few_do_not_shorten_the_answer(clustered):
    ids, vectors, _ = clustered
    index = FaissIndex.ivf(ids, vectors, nlist=64)
    index.nprobe = 1
    found, expected = (
        index.search(vectors[0], 3000),
        ExactIndex(ids, vectors).search(vectors[0], 3000),
    )
    assert [part.tolist() for part in found] == [part.tolist() for part in expected]


def test_the_same_arrays_give_the_same_file(clustered, tmp_path):
    ids, vectors, _ = clustered
    for name in ("a", "b"):
        FaissIndex.ivf(ids, vectors, nlist=64).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("flat_rows", [1000, 10_000])
def test_a_saved_index_answers_as_before(clustered, tmp_path, flat_rows):
    ids, vectors, cluster = clustered
    index, _ = build_vectors(ids, vectors, flat_rows=flat_rows)
    index.save(tmp_path / "vectors.faiss")
    loaded = FaissIndex.load(tmp_path / "vectors.faiss", ids, vectors)
    assert loaded.nprobe == index.nprobe
    for allowed in (None, ids[cluster < 30]):
        for query in vectors[:20]:
            before, after = index.search(query, 10, allowed), loaded.search(query, 10, allowed)
            assert [part.tolist() for part in before] == [part.tolist() for part in after]


def test_a_file_of_something_else_is_refused(clustered, tmp_path):
    ids, vectors, _ = clustered
    path = tmp_path / "vectors.faiss"
    with pytest.raises(IndexDamaged, match="cannot be read"):
        FaissIndex.load(path, ids, vectors)
    FaissIndex.flat(ids, vectors).save(path)
    with pytest.raises(IndexDamaged, match="6000 vectors of width 32"):
        FaissIndex.load(path, ids[1:], vectors[1:])
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(IndexDamaged, match="cannot be read"):
        FaissIndex.load(path, ids, vectors)
    hnsw = faiss.IndexHNSWFlat(32, 8, faiss.METRIC_INNER_PRODUCT)
    hnsw.add(vectors)
    faiss.write_index(hnsw, str(path))
    with pytest.raises(IndexDamaged, match="HNSW"):
        FaissIndex.load(path, ids, vectors)
