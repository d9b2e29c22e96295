"""Curves, against NumPy."""

import numpy as np
import pytest

from indexer.calibration.piecewise import interpolate


@pytest.mark.parametrize("x", [-2.0, -1.0, -0.3, 0.1, 0.5, 0.7, 3.0])
@pytest.mark.parametrize("knots", [(0.1,), (-1.0, 0.5), (-1.0, 0.1, 0.5, 0.8)])
def test_a_curve_is_read_as_numpy_reads_it(x: float, knots: tuple[float, ...]) -> None:
    values = tuple(3.0 - knot**2 for knot in knots)
    assert interpolate(x, knots, values) == pytest.approx(np.interp(x, knots, values), abs=1e-12)
