"""Planted regions: are the copies of a region found, and where they are?

python -m benchmarks.regions [--checkpoint demo] [--patches 32] [--tiles] [--where crop]

Each of 24 regions is pasted into five unrelated images, scaled 0.7 to 1.4 and recompressed,
among 200 without one. The original and a box around the region are the query. Prints recall@10
by region and by whole image, and how often the region that a true hit names has an IoU of at
least 0.5 with where it was pasted; with 95% intervals over regions.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._planting import Planted, gallery, originals
from indexer.encoder import load_encoder
from indexer.images import sha256
from indexer.images.geometry import Box
from indexer.images.region import Region
from indexer.index import Index, build_index, query_bytes, search
from indexer.index.keeping import PatchPolicy
from indexer.index.regions import region_bytes, search_region
from indexer.sources import open_source

DEPTH, OVERLAP = 10, 0.5


def iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def interval(values: list[float]) -> str:
    """Mean, and the middle 95% of its bootstrap distribution."""
    rng = np.random.default_rng(0)
    means: NDArray[np.float64] = rng.choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{np.mean(values):.3f} ({low:.2f}-{high:.2f})"


def build(folder: Path, images: list[Planted], checkpoint: str, policy: PatchPolicy) -> Index:
    """An index of these images."""
    (folder / "images").mkdir()
    for number, image in enumerate(images):
        (folder / "images" / f"{number:04d}.jpg").write_bytes(image.data)
    index = Index.create(folder / "regions.index", load_encoder(checkpoint), patches=policy)
    build_index(index, [open_source(folder / "images")])
    return index


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="demo")
    parser.add_argument("--patches", type=int, default=32)
    parser.add_argument("--tiles", action="store_true")
    parser.add_argument("--where", choices=["crop", "anywhere"], default="crop")
    parser.add_argument("--regions", type=int, default=24)
    parser.add_argument("--copies", type=int, default=5)
    parser.add_argument("--distractors", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    planted = list(gallery(asked.regions, asked.copies, asked.distractors, asked.seed, asked.where))
    truth = {sha256(image.data): image for image in planted}
    by_region, by_image, located, seconds = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        policy = PatchPolicy(asked.patches, asked.tiles)
        with build(Path(folder), planted, asked.checkpoint, policy) as index:
            for number, original in enumerate(originals(asked.regions, asked.seed)):
                assert original.box is not None
                query = region_bytes(index, original.data, Region.of(original.box))
                started = time.perf_counter()
                hits = search_region(index, query, DEPTH).hits
                seconds.append(time.perf_counter() - started)
                true = [hit for hit in hits if truth[hit.sha256].region == number]
                by_region.append(len(true) / asked.copies)
                for hit in true:
                    box = truth[hit.sha256].box
                    assert box is not None
                    located.append(float(iou(hit.region.box(10**6, 10**6), box) >= OVERLAP))
                whole = search(index, query_bytes(index, original.data), DEPTH).hits
                found = sum(truth[hit.sha256].region == number for hit in whole)
                by_image.append(found / asked.copies)
    print(f"{len(planted)} images, {asked.regions} regions, {policy}, pasted {asked.where}")
    print(f"recall@10 by region       {interval(by_region)}")
    print(f"recall@10 by whole image  {interval(by_image)}")
    print(f"IoU >= 0.5 of true hits   {interval(located)} of {len(located)}")
    print(f"search by region          {1000 * float(np.median(seconds)):.0f} ms (median)")


if __name__ == "__main__":
    main()
