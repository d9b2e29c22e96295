"""Hostile files and mutants: each its outcome, nothing else ever escapes, memory stays small."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hostile import DECODED
from mutants import mutant, seeds

from indexer.errors import ImageRejected
from indexer.images import REASONS, DecodedImage, decode
from indexer.sources import open_source


def outcome(item) -> str:
    try:
        decode(item.read())
    except ImageRejected as error:
        return error.reason
    return DECODED


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_each_hostile_file_gets_exactly_its_outcome(hostile):
    folder, expected = hostile
    source = open_source(folder)
    assert {item.path.name: outcome(item) for item in source} == expected
    assert source.ignored == 0
    assert len(expected) >= 80
    in_files = set(REASONS) - {"missing", "unreadable", "outside"}
    assert set(expected.values()) == in_files | {DECODED}


def test_refusing_the_bombs_costs_little_memory(hostile):
    folder, _ = hostile
    script = f"""
import resource
from pathlib import Path
from indexer.errors import ImageRejected
from indexer.images import decode
bombs = [path.read_bytes() for path in sorted(Path({str(folder)!r}).glob("bomb*"))]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for bomb in bombs:
    try:
        decode(bomb)
    except ImageRejected:
        continue
    raise SystemExit("a bomb was decoded")
print(len(bombs), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    count, grown_kib = map(int, done.stdout.split())
    assert count == 11
    assert grown_kib < 32 * 1024


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("per_seed", [60, pytest.param(3000, marks=pytest.mark.slow)])
def test_a_mutant_is_an_image_or_a_reject(per_seed):
    rng = np.random.default_rng(20)
    counts: Counter[str] = Counter()
    for seed in seeds():
        for _ in range(per_seed):
            data = mutant(seed, rng)
            try:
                decoded = decode(data)
            except ImageRejected as error:
                counts[error.reason] += 1
            else:
                assert isinstance(decoded, DecodedImage)
                assert decoded.rgb.shape == (decoded.facts.height, decoded.facts.width, 3)
                counts[DECODED] += 1
    assert set(counts) <= {*REASONS, DECODED}
    assert min(counts[DECODED], counts["truncated"], counts["decode-error"]) > per_seed
