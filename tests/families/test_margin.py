"""The margin of an image by hand: how much nearer it is to its own than to others."""

import numpy as np
import pytest

from indexer.families.margin import COMPARED, margin
from indexer.vectors import Neighbours


def near(own: float, other: float, deviation: float = 0.2) -> Neighbours:
    """COMPARED + 1 images of one set and as many of another; every image sees all others."""
    size = COMPARED + 1
    side = np.repeat([0, 1], size)
    rows = np.array([[j for j in range(2 * size) if j != i] for i in range(2 * size)])
    similarity = np.where(side[rows] == side[:, None], own, other).astype(np.float32)
    order = np.argsort(-similarity, axis=1, kind="stable")
    return Neighbours(
        np.take_along_axis(rows, order, 1), np.take_along_axis(similarity, order, 1), deviation
    )


SIDES = np.repeat([0, 1], COMPARED + 1)


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [(0.5, 0.3, 1.0), (0.5, 0.5, 0.0), (0.3, 0.5, -1.0), (0.98, 0.9, 0.8)],
)
def test_in_deviations_or_in_parts_of_the_distance(own, other, expected) -> None:
    assert np.allclose(margin(near(own, other), SIDES), expected, atol=1e-5)


def test_nobody_else_near_is_clear_and_none_of_the_own_is_not() -> None:
    alone = np.r_[SIDES[:-1], 2]  # the last image is on its own
    found = margin(near(0.5, 0.3), alone)
    assert np.isneginf(found[-1])
    assert np.isposinf(margin(near(0.5, 0.3), np.zeros_like(SIDES))).all()


def test_equal_images_are_not_clear() -> None:
    assert np.isneginf(margin(near(1.0, 1.0), SIDES)).all()
