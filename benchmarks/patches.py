"""What patches cost: bytes, search by region and re-ranking; and what their index finds.

python -m benchmarks.patches [--images 10000] [--at build/patches.index]

CPU time, all of it on one core; medians over 24 regions, the encoding of the query not counted.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy loads

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks._patches import REGIONS, SEED, open_gallery, shows
from benchmarks._planting import originals
from indexer.images.region import Region
from indexer.index import Index, RegionQuery, patch_gallery, region_bytes, search_region
from indexer.index.reranking import RERANKED, patch_similarity

T = TypeVar("T")
DEPTH = 10


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and its milliseconds of CPU."""
    started = time.process_time()
    found = work()
    return found, 1000 * (time.process_time() - started)


def searched(index: Index, queries: list[RegionQuery]) -> tuple[list[set[str]], float]:
    """What each query finds, and the median time."""
    search_region(index, queries[0], DEPTH)
    answers = [timed(lambda q=query: search_region(index, q, DEPTH)) for query in queries]
    found = [{hit.sha256 for hit in answer.hits} for answer, _ in answers]
    return found, float(np.median([ms for _, ms in answers]))


def right(found: list[set[str]], images: int) -> float:
    """The share of hits that were made of a picture with the region."""
    shown = [shows(region, images) for region in range(REGIONS)]
    return float(np.mean([len(hits & of) / DEPTH for hits, of in zip(found, shown, strict=True)]))


def reranking(index: Index) -> float:
    """Median time to re-rank the hits of stored queries."""
    ids, generation = index.store.ids(), index.store.generation
    rng = np.random.default_rng(0)
    spent = []
    for id_, kept in index.store.patches(ids[:REGIONS]).items():
        hits = rng.choice(ids[ids != id_], RERANKED, replace=False)
        spent.append(timed(lambda k=kept, h=hits: patch_similarity(index, k, h, generation))[1])
    return float(np.median(spent))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--at", type=Path, default=Path("build/patches.index"))
    asked = parser.parse_args()
    with open_gallery(asked.at, asked.images) as index:
        [kept] = index.store.patches(index.store.ids()[:1]).values()
        size = kept.codes.nbytes + kept.scales.nbytes + kept.boxes.nbytes
        print(f"{asked.images} images, {len(kept.codes)} patches and {size} bytes each")
        gallery, derived = timed(index.patches)
        choice = gallery.patches.choice
        print(f"derived, indexed and tuned in {derived / 1000:.0f} s of CPU: {choice}")
        print(f"recall@10 of the index     {choice.recall_at_10:.3f} of the nearest patches")
        pictures = originals(REGIONS, SEED)
        queries = [region_bytes(index, p.data, Region.of(p.box)) for p in pictures if p.box]
        by_index, ms = searched(index, queries)
        patch_gallery.EXACT_IMAGES = asked.images
        by_all, all_ms = searched(index, queries)
        print(f"search by region           {ms:.1f} ms, {right(by_index, asked.images):.3f} right")
        print(
            f"comparing with everything  {all_ms:.1f} ms, {right(by_all, asked.images):.3f} right"
        )
        print(f"re-ranking {RERANKED} images       {reranking(index):.2f} ms")


if __name__ == "__main__":
    main()
