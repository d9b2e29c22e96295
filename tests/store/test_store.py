"""The truth, each promise by a whole result."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np
import pytest
from store_samples import PASSPORT, facts, new_image, sha, taps
from truths import alter

from indexer.custody import Entry
from indexer.errors import IndexDamaged, NotFound, UsageError
from indexer.filters import parse_filter
from indexer.store import Columns, Counts, Fit, Generation, Reject, Store, StoredImage
from indexer.types import Annotation, Passport


def add(store, *batch, kind="build", author="ann"):
    with store.commit(kind, author) as txn:
        return txn.add(batch)


def interrupted(store, image):
    with store.commit("build", "ann") as txn:
        txn.add([image])
        txn.add([image][1 // 0 :])


def test_what_goes_in_comes_out_and_survives_reopening(place):
    annotation = Annotation("fake", "décor", "cam'1", "2024-01-02")
    logits = np.array([0.25, -3.5], dtype=np.float32)
    with Store.create(place, PASSPORT) as store:
        assert (store.generation, store.generations(), store.ids().tolist()) == (0, [], [])
        image = new_image("a", "x:1", annotation, {"k": [1, None]}, 0.1, b"webp", logits)
        with store.commit("build", "ann") as txn:
            ids = txn.add([image, new_image("b", "x:2")])
            assert txn.generation == 1
    with Store.open(place) as store:
        assert store.passport == PASSPORT
        assert store.images(ids[::-1]) == [
            StoredImage(
                ids[1], sha("b"), ("x:2",), facts("b"), Annotation(), {}, None, None, 1, None
            ),
            StoredImage(
                ids[0],
                sha("a"),
                ("x:1",),
                facts("a"),
                annotation,
                {"k": [1, None]},
                0.1,
                (0.25, -3.5),
                1,
                None,
            ),
        ]
        assert store.image(sha("a")) == store.images(ids)[0]
        assert (store.thumbnail(sha("a")), store.thumbnail(sha("b"))) == (b"webp", None)
        np.testing.assert_array_equal(store.taps(ids[::-1]), [taps("b"), taps("a")])
        columns = store.columns(ids[::-1])
        np.testing.assert_array_equal(columns.logits, [[np.nan, np.nan], logits])
        assert columns == Columns(
            [sha("b"), sha("a")],
            [None, "fake"],
            [None, "décor"],
            [None, "cam'1"],
            [None, "2024-01-02"],
            [None, 0.1],
            columns.logits,
        )
        assert store.known([sha("a"), sha("c")]) == {sha("a")}
        assert store.counts() == Counts(2, 2, 0, {"": 1, "fake": 1}, {"": 1, "décor": 1})
        (generation,) = store.generations()
        assert generation == Generation(1, generation.at, "build", "ann", added=2, removed=0)
        assert store.check() == []


def test_a_commit_that_writes_nothing_makes_no_generation(store):
    add(store, new_image("a", "x:1", Annotation("fake")))
    with store.commit("build", "ann") as txn:
        txn.add([new_image("a", "x:1", Annotation("real"))])
        txn.locate(sha("a"), "x:1")
        txn.annotate(sha("a"), Annotation("fake"))
        assert txn.remove([sha("z")]) == 0
        assert txn.added == 0
    assert store.generation == 1


def test_a_commit_that_fails_leaves_nothing(store):
    with pytest.raises(ZeroDivisionError):
        interrupted(store, new_image("a"))
    assert (store.generation, store.ids().tolist(), store.check()) == (0, [], [])


def test_equal_content_is_one_image_with_several_locations(store):
    ids = add(store, new_image("a", "x:1", Annotation("fake")), new_image("a", "x:2"))
    ids += add(store, new_image("a", "x:0", Annotation("real")), new_image("b"))
    assert ids == [ids[0], ids[0], ids[0], ids[3]]
    image = store.image(sha("a"))
    assert (image.uris, image.annotation) == (("x:1", "x:2", "x:0"), Annotation("fake"))
    assert store.image(sha("a"), generation=1).uris == ("x:1", "x:2")


def test_an_analyst_outranks_imports_and_the_latest_wins(store):
    add(store, new_image("a", annotation=Annotation("fake", "f0", "s0")))
    sayings = [
        (Annotation(family="f1"), "import"),
        (Annotation("real", source="s2"), "analyst"),
        (Annotation("fake", "f3", captured_at="2020"), "import"),
        (Annotation("fake"), "analyst"),
    ]
    for annotation, origin in sayings:
        with store.commit("label", "ben") as txn:
            txn.annotate(sha("a"), annotation, origin)
    assert [store.image(sha("a"), generation=g).annotation for g in range(1, 6)] == [
        Annotation("fake", "f0", "s0"),
        Annotation("fake", "f1", "s0"),
        Annotation("real", "f1", "s2"),
        Annotation("real", "f3", "s2", "2020"),
        Annotation("fake", "f3", "s2", "2020"),
    ]
    assert store.ids(parse_filter("label = real"), generation=3).tolist() == [1]
    assert store.ids(parse_filter("label = real")).tolist() == []


def test_removal_keeps_old_generations_and_the_analysts_word(store):
    (first,) = add(store, new_image("a", annotation=Annotation("real", "f0"), thumbnail=b"1"))
    with store.commit("label", "ben") as txn:
        txn.annotate(sha("a"), Annotation(family="imported"))
        txn.annotate(sha("a"), Annotation(label="fake"), "analyst")
    with store.commit("remove", "ben") as txn:
        assert txn.remove([sha("a"), sha("a"), sha("z")]) == 1
    with pytest.raises(NotFound, match="generation 3"):
        store.image(sha("a"))
    assert store.image(sha("a"), generation=2).annotation == Annotation("fake", "imported")
    assert store.images([first])[0].removed_gen == 3
    assert store.images([first], generation=2)[0].removed_gen is None
    (second,) = add(store, new_image("a", "x:2", Annotation("real", "f1"), thumbnail=b"2"))
    assert second > first
    assert store.image(sha("a")).annotation == Annotation("fake", "f1")
    assert store.image(sha("a")).uris == ("x:2",)
    assert [store.thumbnail(sha("a"), generation=g) for g in (1, 4)] == [b"1", b"2"]
    assert [store.ids(generation=g).tolist() for g in range(5)] == [[], [1], [1], [], [2]]
    assert [(g.added, g.removed) for g in store.generations()] == [(1, 0), (0, 0), (0, 1), (1, 0)]
    assert [tuple(part.tolist() for part in store.changes(*span)) for span in ((0, 2), (1, 4))] == [
        ([1], []),
        ([2], [1]),
    ]
    assert [part.tolist() for part in store.changes(0, 3)] == [[], []]
    assert store.check() == []


def test_ids_are_never_used_again(store):
    (first,) = add(store, new_image("a"))
    with store.commit("remove", "ann") as txn:
        txn.remove([sha("a")])
    with pytest.raises(ZeroDivisionError):
        interrupted(store, new_image("b"))
    assert add(store, new_image("c")) > [first]


def test_rejects_stand_once_per_reason_until_the_input_succeeds(store):
    for reason in ("truncated", "truncated", "bomb"):
        with store.commit("build", "ann") as txn:
            txn.reject("x:1", reason, "no end marker", sha("a"))
            txn.reject("x:2", "unreadable", "permission denied")
    assert store.generation == 2
    expected = [
        Reject("x:1", "truncated", "no end marker", sha("a"), 1),
        Reject("x:2", "unreadable", "permission denied", None, 1),
        Reject("x:1", "bomb", "no end marker", sha("a"), 2),
    ]
    assert store.rejects() == expected
    add(store, new_image("b", "x:1"))
    assert store.rejects() == [expected[1]]
    assert store.rejects(generation=2) == expected
    assert store.counts().rejects == 1


def test_the_fit_that_applies(store):
    assert store.fit_at(0) is None
    add(store, new_image("a"))
    for _ in range(2):
        with store.commit("fit", "ann") as txn:
            txn.fit(fitted_on=txn.generation - 1)
    first, second = Fit(2, 1), Fit(3, 2)
    assert [store.fit_at(g) for g in (0, 1, 2, 3)] == [None, None, first, second]


@pytest.mark.parametrize(
    "read",
    [
        lambda store: store.image(sha("z")),
        lambda store: store.thumbnail(sha("z")),
        lambda store: store.images([1, 99]),
        lambda store: store.taps([99]),
        lambda store: store.columns([99]),
        lambda store: store.ids(generation=2),
        lambda store: store.counts(generation=-1),
    ],
)
def test_what_is_not_there_is_not_found(store, read):
    add(store, new_image("a"))
    with pytest.raises(NotFound):
        read(store)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"taps": np.zeros((2, 5), np.float16)}, r"\(2, 5\)"),
        ({"taps": np.zeros((2, 4), np.float32)}, "float32"),
        ({"taps": np.full((2, 4), np.inf, np.float16)}, "infinity"),
        ({"metadata": {"k": float("nan")}}, "JSON"),
        ({"metadata": {"k": object()}}, "JSON"),
        ({"metadata": {"k": "\udcff"}}, "Unicode"),
        ({"uri": "\udcff"}, "Unicode"),
        ({"annotation": Annotation(family="\udcff")}, "Unicode"),
    ],
)
def test_an_image_that_does_not_fit_is_refused(store, change, told):
    with pytest.raises(UsageError, match=told), store.commit("build", "ann") as txn:
        txn.add([new_image("a"), replace(new_image("b"), **change)])
    assert store.ids().tolist() == []


def test_many_ids_at_once(store):
    names = range(2100)  # more than fit one IN
    ids = add(store, *(new_image(n, annotation=Annotation(source=str(n))) for n in names))
    picked = np.random.default_rng(0).permutation(ids)
    assert store.columns(picked).source == [str(i - 1) for i in picked]
    np.testing.assert_array_equal(store.taps(picked), [taps(i - 1) for i in picked])
    assert [image.id for image in store.images(picked)] == picked.tolist()
    assert store.known([sha(n) for n in range(2000, 2200)]) == {sha(n) for n in range(2000, 2100)}
    with store.commit("remove", "ann") as txn:
        assert txn.remove(sha(n) for n in names) == 2100


def test_readers_go_on_while_a_commit_is_open(store):
    add(store, new_image("a"))
    seen = []
    with store.commit("build", "ann") as txn:
        txn.add([new_image("b")])
        threads = [
            threading.Thread(target=lambda: seen.append(store.ids().tolist())) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [[1]] * 8
    assert store.ids().tolist() == [1, 2]


def test_who_is_undisturbed_holds_up_commits_but_no_record_of_a_query(store):
    rows = store.audit.head.number
    with ThreadPoolExecutor(2) as pool:
        with store.undisturbed():
            commit = pool.submit(add, store, new_image("a"))
            pool.submit(store.audit.record, Entry("query", "ann", {})).result(timeout=30)
            assert not wait([commit], timeout=0.2).done
            assert (store.generation, store.audit.head.number) == (0, rows + 1)
        commit.result(timeout=30)
    assert (store.generation, store.audit.head.number) == (1, rows + 2)


def foreign(place):
    alter(place, "CREATE TABLE theirs (x INTEGER)")


def newer(place):
    Store.create(place, PASSPORT).close()
    alter(place, "UPDATE alembic_version SET version_num = '9999'")


def without_passport(place):
    Store.create(place, PASSPORT).close()
    alter(place, "DELETE FROM store")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (foreign, "has no table"),
        (newer, "the schema 9999 of a later release"),
        (without_passport, "no passport"),
    ],
)
def test_what_is_no_sound_store_is_refused(place, make, told):
    make(place)
    with pytest.raises(IndexDamaged, match=told) as caught:
        Store.open(place)
    assert caught.value.do


def test_create_refuses_what_exists(place):
    Store.create(place, PASSPORT).close()
    with pytest.raises(UsageError, match="exists already"):
        Store.create(place, PASSPORT)
    with Store.open(place) as store:
        assert store.passport == PASSPORT


def test_an_empty_place_is_told(place):
    with pytest.raises(NotFound, match="indexer build"):
        Store.open(place)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("UPDATE taps SET data = :byte WHERE image_id = 1", f"image {sha('a')} has taps of 1 byte"),
        ("DELETE FROM taps", f"image {sha('a')} has no taps"),
        ("DELETE FROM images", "refers to a row of images that is not there"),
        ("UPDATE generations SET number = 7", "generations"),
        ("UPDATE images SET removed_gen = 0", "removed before it was added"),
        ("DELETE FROM locations", f"image {sha('a')} has no location"),
        (
            "INSERT INTO labels VALUES (9, 'ffff', 'label', 'fake', 'import', 1, NULL)",
            "labels of ffff, which was never in the index",
        ),
    ],
)
def test_check_tells_what_contradicts_itself(place, harm, told):
    with Store.create(place, PASSPORT) as store:
        add(store, new_image("a"))
        assert store.check() == []
        alter(place, harm, byte=b"\0")
        assert any(told in line for line in store.check()), store.check()


def test_passport_of_another_shape_is_kept_as_given(place):
    passport = Passport("cd" * 32, "{}", ("11.cls",), 4, 768, "bf16")
    Store.create(place, passport).close()
    with Store.open(place) as store:
        assert store.passport.digest == passport.digest
