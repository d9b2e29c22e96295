"""Errors are the same in another process."""

import pickle

import pytest

from indexer.errors import ImageRejected, LineupError, MissingExtra, UsageError


@pytest.mark.parametrize(
    "error",
    [
        UsageError("this", expected="that", do="so"),
        ImageRejected("truncated", "it ends early"),
        MissingExtra("ray", "ray", "the runner ray"),
    ],
)
def test_an_error_travels_whole(error: LineupError) -> None:
    other = pickle.loads(pickle.dumps(error))
    assert (type(other), str(other), vars(other)) == (type(error), str(error), vars(error))
