"""Refit of the projection over 100,000 synthetic taps: seconds and peak memory.

python -m benchmarks.refit [--images 100000]
"""

import argparse
import resource
import time

import numpy as np

from indexer.descriptor import fit_projection

TAPS, DIM, FAMILIES, SOURCES = 13, 384, 40, 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    count = parser.parse_args().images
    rng = np.random.default_rng(0)
    family = rng.integers(0, FAMILIES, count)
    centres = rng.normal(size=(FAMILIES, TAPS, DIM)).astype(np.float16)
    taps = np.empty((count, TAPS, DIM), np.float16)
    for start in range(0, count, 4096):
        part = slice(start, start + 4096)
        noise = rng.standard_normal((len(family[part]), TAPS, DIM), np.float32)
        taps[part] = 0.3 * centres[family[part]] + noise
    fake = rng.random(count) < 0.5
    families = [f"family {f}" if is_fake else None for f, is_fake in zip(family, fake, strict=True)]
    labels = ["fake" if is_fake else "real" for is_fake in fake]
    sources = [f"source {s}" for s in rng.integers(0, SOURCES, count)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    projection = fit_projection(taps, families, labels, sources)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{count} images, taps {taps.nbytes / 2**20:.0f} MiB: {projection.kind}")
    print(f"fit {seconds:.1f} s, peak memory {peak / 2**20:.2f} GiB ({before / 2**20:.2f} before)")


if __name__ == "__main__":
    main()
