"""However a gallery was reached, it is the gallery of its generation."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import NotFound
from indexer.index import Index, query_stored, search
from indexer.index.gallery import Gallery
from indexer.index.home import TRUTH
from indexer.index.inspect import verify
from indexer.store import Match, NewImage
from indexer.types import Annotation, ImageFacts

Make = Callable[..., Index]


def commit(index: Index, rng: np.random.Generator, step: int) -> None:
    """One of: new images, removals, labels, or all of them, in one generation."""
    digests = [image.sha256 for image in index.store.images(index.store.ids())]
    shape = (len(index.store.passport.taps), index.store.passport.dim)
    with index.store.commit("test", "test") as txn:
        if step % 2 == 0:
            names = [f"{step:02d}{number:062d}" for number in range(3)]
            txn.add(
                [
                    NewImage(
                        ImageFacts(name, 1, "PNG", "RGB", 8, 8, 1, animated=False),
                        name,
                        Annotation("fake", "waves"),
                        {},
                        rng.standard_normal(shape).astype(np.float16),
                    )
                    for name in names
                ]
            )
        if step % 5 == 0:
            txn.annotate(str(rng.choice(digests)), Annotation("fake", "noise"), origin="analyst")
        if step % 3 == 0:
            txn.remove(rng.choice(digests, 2, replace=False).tolist())
        txn.reject(f"{step}", "missing", "so that there is a generation")


def assert_equal(found: Gallery, expected: Gallery) -> None:
    assert (found.generation, len(found)) == (expected.generation, len(expected))
    for one, other in (
        (found.recent.ids, expected.recent.ids),
        (found.removed, expected.removed),
        (found.reference.ids, expected.reference.ids),
        (found.reference.vectors, expected.reference.vectors),
        (found.reference.annotations.families, expected.reference.annotations.families),
        (found.reference.annotations.group, expected.reference.annotations.group),
        (found.reference.annotations.source, expected.reference.annotations.source),
    ):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(found.recent.vectors, expected.recent.vectors, atol=1e-6)


def test_a_gallery_led_from_commit_to_commit_is_the_one_opened_there(
    pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    rng = np.random.default_rng(5)
    index.gallery()
    for step in range(16):
        commit(index, rng, step)
        led = index.gallery()
        with Index.open(index.path) as opened:
            assert_equal(led, opened.gallery())
    assert len(led.recent) > 0
    assert len(led.removed) > 0
    with Index.open(index.path) as opened:
        for generation in range(led.generation - 12, led.generation):
            assert_equal(index.gallery(generation), opened.gallery(generation))


def test_a_newer_derived_set_takes_over_at_the_next_commit(
    pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    rng = np.random.default_rng(7)
    first = index.gallery().derived
    commit(index, rng, 4)
    with Index.open(index.path) as upkeep:
        upkeep.refresh()
    assert index.gallery().derived is first
    commit(index, rng, 7)
    assert index.gallery(index.store.generation).generation == index.store.generation
    led = index.gallery()
    assert (led.derived.fit, led.derived.covers) == (first.fit, index.store.generation - 1)
    with Index.open(index.path) as opened:
        assert_equal(led, opened.gallery())


def test_a_truth_that_was_restored_is_not_read_by_what_was_derived_from_the_lost_one(
    pictures: Path, make_index: Make, tmp_path: Path
) -> None:
    index = make_index(pictures)
    index.patches()
    index.close()
    shutil.copy(index.path / TRUTH, tmp_path / "backup")
    for seed, restored in ((1, False), (2, True)):
        if restored:
            shutil.copy(tmp_path / "backup", index.path / TRUTH)
        with Index.open(index.path) as opened:
            commit(opened, np.random.default_rng(seed), 10)  # the same number either time
            if not restored:
                opened.refresh()
                opened.patches()
    with Index.open(index.path) as opened:
        told = [problem["what"] for problem in verify(opened)["problems"]]
        assert len(told) == 1
        assert "is of a truth that was here before" in told[0]
        found, patches = opened.gallery(), opened.patches()
        shutil.rmtree(opened.derived_root)
        with Index.open(index.path) as fresh:
            assert_equal(found, fresh.gallery())
            assert patches.live.tolist() == fresh.patches().live.tolist()


def test_threads_that_meet_commits_never_go_back(pictures: Path, make_index: Make) -> None:
    index = make_index(pictures)
    rng = np.random.default_rng(8)
    ended = threading.Event()

    def seen() -> list[int]:
        numbers = []
        while not ended.is_set():
            numbers.append(index.gallery().generation)
        return numbers

    with ThreadPoolExecutor(4) as pool:
        watching = [pool.submit(seen) for _ in range(4)]
        for step in range(8):
            commit(index, rng, step)
            assert index.gallery().generation == index.store.generation
        ended.set()
        for numbers in (each.result() for each in watching):
            assert numbers == sorted(numbers)


def test_more_removed_than_asked_for_do_not_shorten_the_answer(
    pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    before = index.gallery()
    query = before.derived.descriptors[7]
    nearest, _ = before.search(query, 48, None)
    with index.store.commit("remove", "test") as txn:
        txn.remove([image.sha256 for image in index.store.images(nearest[:20])])
    ids, similarities = index.gallery().search(query, 3, None)
    assert ids.tolist() == nearest[20:23].tolist()
    assert similarities.tolist() == before.search(query, 48, None)[1][20:23].tolist()


def test_what_a_search_tells_of_an_image_is_what_the_truth_tells_of_it(
    pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    rng = np.random.default_rng(6)
    for step in range(11):
        commit(index, rng, step)
    first = index.store.images(index.store.ids()[:1])[0].sha256
    with index.store.commit("test", "test") as txn:
        txn.locate(first, "another/place.png")
    for generation in (index.store.generation, index.store.generation - 6):
        ids = index.store.ids(generation=generation)[::-1]
        images = index.store.images(ids, generation=generation)
        expected = [
            Match(
                image.id,
                image.sha256,
                image.uris[0],
                image.annotation.label,
                image.annotation.family,
                image.annotation.source,
                image.score,
            )
            for image in images
        ]
        assert index.store.matches(ids, generation) == expected
        assert [index.store.match(image.sha256, generation) for image in images] == expected
    with pytest.raises(NotFound, match="no image with the internal id 9999"):
        index.store.matches(np.array([9999]), index.store.generation)


def test_an_image_that_is_gone_has_no_descriptor(pictures: Path, make_index: Make) -> None:
    index = make_index(pictures)
    query = query_stored(index, index.store.images(index.store.ids()[:1])[0].sha256)
    with index.store.commit("remove", "test") as txn:
        txn.remove([query.sha256])
    with pytest.raises(NotFound, match="not in generation"):
        search(index, query)
    with pytest.raises(NotFound, match="no image"):
        query_stored(index, query.sha256)
