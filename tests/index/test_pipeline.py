"""The build's stages: in order, bounded, and each accounted for."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile import encode, picture

from indexer.encoder import load_encoder
from indexer.images import sha256
from indexer.index import Index, Timings, build_index
from indexer.index.pipeline import Known, Rejected, encode_items, in_order
from indexer.sources import open_source
from indexer.store import NewImage

Make = Callable[..., Index]


@pytest.mark.parametrize(("threads", "window"), [(1, 1), (4, 6)])
def test_results_come_in_order_from_a_bounded_window(threads: int, window: int) -> None:
    taken, lock, most = 0, threading.Lock(), 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(40):
            taken += 1
            yield number

    def work(number: int) -> int:
        time.sleep(0.001 * (number % 3))
        with lock:
            nonlocal most
            most = max(most, taken)
        return number * number

    done = []
    for result in in_order(work, items(), threads=threads, window=lambda: window):
        assert taken <= len(done) + window + 1
        done.append(result)
    assert done == [number * number for number in range(40)]
    assert most > threads  # it did work ahead


def test_what_fails_ahead_is_raised_where_it_belongs() -> None:
    def work(number: int) -> int:
        if number == 3:
            raise RuntimeError("the fourth")
        return number

    results = in_order(work, range(10), threads=2, window=lambda: 4)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="the fourth"):
        next(results)


def test_known_rejected_and_new_stay_in_their_order(tmp_path: Path, checkpoint: Path) -> None:
    kinds = ("new", "known", "rejected", "new", "new")
    for number in range(90):
        kind = kinds[number % 5]
        data = b"no image" if kind == "rejected" else encode(picture(number), "PNG")
        (tmp_path / f"{number:03}-{kind}.png").write_bytes(data + bytes([number]))
    source = open_source(tmp_path)
    encoder = load_encoder(checkpoint)
    known = {sha256(path.read_bytes()) for path in tmp_path.glob("*-known.png")}
    outcomes = list(
        encode_items(lambda: encoder, source, is_known=lambda sha: sha in known, thumbnails=False)
    )
    names = {NewImage: "new", Known: "known", Rejected: "rejected"}
    seen = [names[type(outcome)] for outcome in outcomes]
    assert seen == [item.path.stem.split("-")[1] for item in source]
    assert [outcome.uri for outcome in outcomes] == [item.uri for item in source]


def test_timings_account_for_the_whole_build(pictures: Path, make_index: Make) -> None:
    index = make_index()
    timings = Timings()
    began = time.process_time()
    build_index(index, [open_source(pictures, "imagefolder")], timings=timings)
    spent = time.process_time() - began
    seconds = timings.to_dict()
    clock = seconds.pop("clock")
    assert set(seconds) == {"read", "decode", "prepare", "thumbnail", "encode", "store", "fit"}
    assert min(seconds.values()) > 0
    assert sum(seconds.values()) == pytest.approx(spent, rel=0.05, abs=0.02)
    assert clock > 0
