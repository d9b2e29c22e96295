"""Families that nobody has labelled: are they still found?

python -m benchmarks.unlabelled --index build/corpus-gallery.index

For each family of 30 or more images its labels are taken away, half of its images stay in the
gallery (and in the fit), the other half are the queries; mean P@10 over two seeded splits,
beside the whitening that uses no labels at all. Reads the index only.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from indexer.descriptor import fit_projection
from indexer.index import Index

ENOUGH, SPLITS, DEPTH = 30, 2, 10


def nearest_rows(
    descriptors: NDArray[np.float32], gallery: NDArray[np.int64], queries: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(m, DEPTH) rows of the gallery nearest to each query."""
    similarity = descriptors[queries] @ descriptors[gallery].T
    return gallery[np.argsort(-similarity, axis=1, kind="stable")[:, :DEPTH]]


def main() -> None:
    """Print P@10 of each family and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", required=True)
    with Index.open(parser.parse_args().index) as index:
        ids = index.store.ids()
        columns, taps = index.store.columns(ids), index.store.taps(ids)
    families = np.array([family or "" for family in columns.family])
    found: dict[str, list[tuple[float, float]]] = {}
    for split in range(SPLITS):
        rng = np.random.default_rng(split)
        for name in sorted({f for f in families if f and (families == f).sum() >= ENOUGH}):
            members = rng.permutation(np.flatnonzero(families == name))
            queries = np.sort(members[: len(members) // 2])
            gallery = np.setdiff1d(np.arange(len(ids)), queries)
            hidden = set(members.tolist())
            known = [None if row in hidden else row for row in gallery.tolist()]
            scores = []
            for labelled in (True, False):
                said = [row if labelled else None for row in known]
                projection = fit_projection(
                    taps[gallery],
                    [None if row is None else columns.family[row] for row in said],
                    [None if row is None else columns.label[row] for row in said],
                    [None if row is None else columns.source[row] for row in said],
                )
                nearest = nearest_rows(projection.apply(taps), gallery, queries)
                scores.append(float((families[nearest] == name).mean()))
            found.setdefault(name, []).append((scores[0], scores[1]))
    print("family                  whitening  descriptor  difference")
    means = {name: np.mean(pairs, axis=0) for name, pairs in found.items()}
    for name, (ours, plain) in means.items():
        print(f"{name:24}{plain:9.3f}{ours:12.3f}{ours - plain:+12.3f}")
    ours, plain = np.mean(list(means.values()), axis=0)
    print(f"{'mean':24}{plain:9.3f}{ours:12.3f}{ours - plain:+12.3f}")


if __name__ == "__main__":
    main()
