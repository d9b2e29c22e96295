"""The plan on paper follows from what was measured."""

import json

import pytest

from benchmarks.sizing import RESULTS, Assumed, Measured, lists, search_seconds, shown, sizes

M = Measured(
    gflop=30.0,
    encode=0.2,
    feed=0.04,
    image_bytes=5e5,
    truth_bytes=3e4,
    way_bytes=2e4,
    commit=1e-3,
    own_bytes=300,
    mapped_bytes=1_000,
    query_light=1e-4,
    query_heavy=3e-4,
    build=1e-4,
    request=2e-3,
)
A = Assumed(gpu_tflops=100, gpu_utilisation=0.3, gpu_cores=10, core_hour=0.1, gpu_hour=3.6)


def test_figures_by_hand() -> None:
    found = {what: value for what, value, _, _ in sizes(3.6e6, M, A)}
    assert found["encoding on CPUs"] == pytest.approx(200)
    assert found["encoding on GPUs, were they fed"] == pytest.approx(1)  # 1,000 images a second
    assert found["encoding on GPUs with 10 cores each"] == pytest.approx(4)  # 250: ten cores feed
    assert found["reading and preparing of it"] == pytest.approx(40)
    assert found["committing, by one driver"] == pytest.approx(1)
    assert found["truth"] == pytest.approx(108)
    assert found["encoding a million on CPUs"] == pytest.approx(200 / 3.6 * 0.1)
    assert found["encoding a million on GPUs"] == pytest.approx(4 / 3.6 * 3.6)


def test_a_search_costs_what_was_measured_where_it_was_and_every_shard_costs_as_much() -> None:
    assert search_seconds(1e5, M, A) == pytest.approx(1e-4)
    assert search_seconds(1e6, M, A) == pytest.approx(3e-4)
    assert search_seconds(1e10, M, A) == pytest.approx(100 * search_seconds(1e8, M, A))


def test_lists_are_those_that_were_tuned() -> None:
    for each in json.loads((RESULTS / "search.json").read_text()):
        if chosen := each["choice"]["parameters"]:
            assert lists(each["n"]) == (chosen["nlist"], chosen["nprobe"])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "0.0123"), (2.345, "2.35"), (54.36, "54.4"), (588_123, "588,000"), (6.13e6, "6.1e6")],
)
def test_three_digits_are_shown(value: float, text: str) -> None:
    assert shown(value) == text
