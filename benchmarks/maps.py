"""Are maps better than chance? Pairs of an image and a near neighbour, and fakes, of an index.

python -m benchmarks.maps --index my.index [--pairs 200] [--fakes 40]

What matched: 10% of the patches of an image are greyed out, those that match the neighbour best
and as many at random; the fall of the similarity that search reports is compared, pair by pair.
What speaks for fake: each map's strongest 30% against random ones, image by image. The files have
to lie where they were when they were indexed.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from indexer.explain import (
    Explanation,
    Local,
    explain_fake,
    explain_match,
    side_encoded,
    side_stored,
)
from indexer.index import Index, query_stored, search
from indexer.maps import Faithfulness
from indexer.store import StoredImage

NEIGHBOURS = 3


def shuffled(index: Index, label: str | None = None) -> list[StoredImage]:
    """The images of the gallery in a random order, the same in every run."""
    ids = index.store.ids()
    order = np.random.default_rng(0).permutation(ids)
    by_id = {image.id: image for image in index.store.images(ids)}
    images = [by_id[int(id_)] for id_ in order]
    return [image for image in images if label in (None, image.annotation.label)]


def read(index: Index, image: StoredImage) -> Local:
    """An image of the gallery, encoded from its file."""
    return Local.of(index, Path(image.uris[0]).read_bytes())


def matches(index: Index, count: int) -> list[tuple[Explanation, Explanation]]:
    """For each pair the map over all patches of the neighbour, and over its kept ones."""
    at, rng, found = index.store.generation, np.random.default_rng(1), []
    for image in shuffled(index)[:count]:
        hits = search(index, query_stored(index, image.sha256), NEIGHBOURS).hits
        hit = index.store.image(hits[rng.integers(len(hits))].sha256)
        local = read(index, image)
        here = side_encoded(index, local.encoded, at)
        sides = (
            side_encoded(index, read(index, hit).encoded, at),
            side_stored(index, hit.sha256, at),
        )
        whole, kept = (explain_match(index, here, there, local, at) for there in sides)
        found.append((whole, kept))
    return found


def tell(name: str, figures: list[Faithfulness]) -> None:
    """One line: both effects, how often the map wins, and the paired test over all images."""
    effect: NDArray[np.float64] = np.array([figure.effect for figure in figures])
    chance: NDArray[np.float64] = np.array([figure.by_chance for figure in figures])
    wins, better = np.mean(effect > chance), np.mean([figure.better for figure in figures])
    p_value = wilcoxon(effect, chance, alternative="greater").pvalue
    print(
        f"{name:<28}{effect.mean():8.4f}{chance.mean():8.4f}  more in {wins:4.0%} of "
        f"{len(figures)}, Wilcoxon p = {p_value:.0e}; better than chance by itself {better:4.0%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", required=True)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--fakes", type=int, default=40)
    asked = parser.parse_args()
    with Index.open(asked.index) as index:
        print(f"{'':<28}     map  chance")
        pairs = matches(index, asked.pairs)
        tell("match, all patches of both", [whole.faithfulness["match"] for whole, _ in pairs])
        tell("match, the kept ones of one", [kept.faithfulness["match"] for _, kept in pairs])
        for label in ("fake", "real"):
            shown = []
            for image in shuffled(index, label)[: asked.fakes]:
                local = read(index, image)
                shown.append(explain_fake(index, local, index.store.generation))
            for name in ("occlusion", "rollout"):
                tell(f"{name}, {label} images", [each.faithfulness[name] for each in shown])


if __name__ == "__main__":
    main()
