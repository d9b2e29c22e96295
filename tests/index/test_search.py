"""A search is the brute-force answer over the taps, at any generation."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.encoder import load_encoder
from indexer.errors import NotFound, UsageError
from indexer.filters import parse_filter
from indexer.index import Index, build_index, query_bytes, query_stored, search
from indexer.index.inspect import verify
from indexer.index.keeping import NO_PATCHES
from indexer.patches import restored
from indexer.sources import open_source

Make = Callable[..., Index]


def oracle(index: Index, query_taps: np.ndarray, generation: int) -> list[tuple[str, float]]:
    """All live images by cosine, computed from the truth with plain NumPy."""
    projection = index.gallery(generation).derived.projection
    ids = index.store.ids(generation=generation)
    gallery = projection.apply(index.store.taps(ids))
    similarities = gallery @ projection.apply(query_taps[None])[0]
    images = index.store.images(ids, generation=generation)
    ranked = sorted(zip(-similarities, ids, images, strict=True), key=lambda row: row[:2])
    return [(image.sha256, -negative) for negative, _, image in ranked]


def found(index: Index, query: object, k: int, **options: object) -> list[tuple[str, float]]:
    return [(hit.sha256, hit.similarity) for hit in search(index, query, k, **options).hits]


def assert_same(hits: list[tuple[str, float]], expected: list[tuple[str, float]]) -> None:
    assert [digest for digest, _ in hits] == [digest for digest, _ in expected]
    assert [s for _, s in hits] == pytest.approx([s for _, s in expected], abs=1e-5)


def test_an_image_finds_itself_then_the_brute_force_ranking(
    pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    query = query_bytes(index, (pictures / "fake/waves/3.png").read_bytes())
    hits = found(index, query, 1000)
    assert hits[0] == (query.sha256, pytest.approx(1.0, abs=1e-3))
    assert len(hits) == 48
    assert_same(hits, oracle(index, query.taps, index.store.generation))


def test_a_stored_image_finds_the_same_without_itself(pictures: Path, make_index: Make) -> None:
    index = make_index(pictures)
    digest = query_bytes(index, (pictures / "fake/waves/3.png").read_bytes()).sha256
    query = query_stored(index, digest)
    taps = index.store.taps([query.id])[0].astype(np.float32)
    expected = oracle(index, taps, index.store.generation)
    assert_same(found(index, query, 20), [row for row in expected if row[0] != digest][:20])


def test_re_ranked_hits_are_the_nearest_by_their_patches(pictures: Path, make_index: Make) -> None:
    """Against loops over the truth, for a new image and for a stored one."""
    index = make_index(pictures)
    data = (pictures / "fake/waves/3.png").read_bytes()
    new = query_bytes(index, data, patches=True)
    projection = index.patches().patches.projection
    kept = {id_: restored(of) for id_, of in index.store.patches(index.store.ids()).items()}
    vectors = {id_: projection.apply(tokens) for id_, tokens in kept.items()}
    for query in (new, query_stored(index, new.sha256)):
        first = search(index, query, 100).hits
        asked = projection.apply(restored(new.patches))
        alike = {
            hit.sha256: (asked @ vectors[index.store.image(hit.sha256).id].T).max(axis=1).mean()
            for hit in first
        }
        hits = search(index, query, 5, rerank=True).hits
        expected = sorted(alike, key=lambda digest: -alike[digest])[:5]
        assert [hit.sha256 for hit in hits] == expected
        figures = [hit.patch_similarity for hit in hits]
        assert figures == pytest.approx([alike[digest] for digest in expected], abs=1e-5)
        known = {hit.sha256: hit for hit in first}
        assert [replace(hit, patch_similarity=None) for hit in hits] == [
            known[digest] for digest in expected
        ]


def test_what_cannot_be_re_ranked_is_refused(
    pictures: Path, make_index: Make, tmp_path: Path, checkpoint: Path
) -> None:
    index = make_index(pictures)
    query = query_bytes(index, (pictures / "real/3.png").read_bytes())
    with pytest.raises(UsageError, match="a query without patches"):
        search(index, query, rerank=True)
    bare = Index.create(tmp_path / "bare", load_encoder(checkpoint), patches=NO_PATCHES)
    build_index(bare, [open_source(pictures / "real")])
    with pytest.raises(UsageError, match="keeps no patches"):
        search(bare, query, rerank=True)


def test_a_filter_keeps_exactly_what_it_says(pictures: Path, make_index: Make) -> None:
    index = make_index(pictures)
    query = query_bytes(index, (pictures / "real/1.png").read_bytes())
    kinds = parse_filter("label = 'fake' and family in ('waves', 'noise')")
    answer = search(index, query, 100, where=kinds)
    assert {hit.family for hit in answer.hits} == {"waves", "noise"}
    assert len(answer.hits) == 24
    every = oracle(index, query.taps, answer.generation)
    kept = {hit.sha256 for hit in answer.hits}
    hits = [(hit.sha256, hit.similarity) for hit in answer.hits]
    assert_same(hits, [row for row in every if row[0] in kept])


def test_new_images_are_found_at_once_and_old_generations_stay(
    pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures / "fake", layout="auto")
    query = query_bytes(index, (pictures / "real/0.png").read_bytes())
    before = search(index, query, 10)
    build_index(index, [open_source(pictures / "real" / "0.png")])
    after = search(index, query, 10)
    assert after.generation > before.generation
    assert after.hits[0].sha256 == query.sha256
    assert_same(found(index, query, 10), oracle(index, query.taps, after.generation)[:10])
    assert search(index, query, 10, generation=before.generation) == before


def test_removed_images_are_gone_from_now_on_only(pictures: Path, make_index: Make) -> None:
    index = make_index(pictures)
    query = query_bytes(index, (pictures / "fake/noise/5.png").read_bytes())
    before = search(index, query, 5)
    with index.store.commit("remove", "test") as txn:
        txn.remove([hit.sha256 for hit in before.hits[:2]])
    assert_same(found(index, query, 99), oracle(index, query.taps, index.store.generation))
    assert len(found(index, query, 99)) == 46
    assert search(index, query, 5, generation=before.generation) == before


def test_a_refit_is_a_generation_of_its_own(pictures: Path, make_index: Make) -> None:
    index = make_index(pictures)
    query = query_bytes(index, (pictures / "fake/noise/5.png").read_bytes())
    before = search(index, query, 5)
    assert index.fit().fit == before.generation + 1
    assert search(index, query, 5, generation=before.generation) == before
    assert search(index, query, 5).generation == before.generation + 1


def test_a_flipped_bit_is_named_and_never_answers(
    tmp_path: Path, pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    query = query_bytes(index, (pictures / "fake/blocks/5.png").read_bytes())
    before = search(index, query, 10)
    index.close()
    for path in (tmp_path / "my.index/derived").rglob("*.*"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
        damaged = Index.open(tmp_path / "my.index")
        assert path.name in verify(damaged)["problems"][0]["what"] or path.suffix == ".json"
        assert search(damaged, query, 10) == before
        assert verify(damaged)["ok"]
        damaged.close()


def test_an_empty_index_answers_with_nothing(tmp_path: Path, make_index: Make) -> None:
    (tmp_path / "nothing").mkdir()
    index = make_index(tmp_path / "nothing", layout="auto")
    assert index.store.generation == 0
    rng = np.random.default_rng(0)
    taps = rng.normal(size=(len(index.store.passport.taps), index.store.passport.dim))
    ids, similarities = index.gallery().search(
        index.gallery().derived.projection.apply(taps[None].astype(np.float32))[0], 5, None
    )
    assert (len(ids), len(similarities)) == (0, 0)


def test_what_cannot_be_asked_is_refused(pictures: Path, make_index: Make) -> None:
    index = make_index(pictures / "real", layout="auto")
    query = query_bytes(index, (pictures / "real/0.png").read_bytes())
    with pytest.raises(UsageError, match="k is 0"):
        search(index, query, 0)
    with pytest.raises(UsageError, match="risk 2"):
        search(index, query, 5, risk=2)
    with pytest.raises(NotFound, match="generation 99"):
        search(index, query, 5, generation=99)
    with pytest.raises(NotFound, match="no image"):
        query_stored(index, "0" * 64)


def test_searches_during_a_refit_are_of_the_old_fit_or_the_new_one(
    pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    query = query_bytes(index, (pictures / "fake/noise/5.png").read_bytes())
    old = search(index, query, 5)
    with ThreadPoolExecutor(1) as pool:
        refit = pool.submit(index.fit)
        during = [search(index, query, 5)]
        while not refit.done():
            during.append(search(index, query, 5))
    new = search(index, query, 5)
    assert new.generation == old.generation + 1
    assert during[0] == old
    for answer in during:
        assert answer == (old if answer.generation == old.generation else new)


def test_generations_before_the_first_fit_are_answered_as_they_were(
    pictures: Path, make_index: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut_short:
        cut_short.setattr(Index, "refresh", lambda _index, _author: None)
        index = make_index(pictures)
    query = query_bytes(index, (pictures / "fake/noise/5.png").read_bytes())
    before = search(index, query, 5)
    assert index.fit().fit == before.generation + 1
    assert search(index, query, 5, generation=before.generation) == before
