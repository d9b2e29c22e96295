import sys

import numpy as np
import pytest

from indexer.errors import MissingExtra
from indexer.evaluation.pdq import pdq_descriptor

RAMP = (
    np.random.default_rng(0)
    .integers(0, 255, (64, 64, 3))
    .astype(np.uint8)
    .repeat(4, 0)
    .repeat(4, 1)
)


def test_cosine_is_one_minus_hamming_over_128():
    pdqhash = pytest.importorskip("pdqhash")
    other = np.ascontiguousarray(RAMP[::-1])
    a, b = pdq_descriptor(RAMP), pdq_descriptor(other)
    hamming = (pdqhash.compute(RAMP)[0] != pdqhash.compute(other)[0]).sum()
    assert a @ b == pytest.approx(1 - hamming / 128, abs=1e-6)
    assert a @ a == pytest.approx(1)
    assert a @ pdq_descriptor(RAMP // 2 + 60) > 0.8


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pdqhash", None)
    with pytest.raises(MissingExtra, match=r"lineup\[evaluate\]"):
        pdq_descriptor(RAMP)
