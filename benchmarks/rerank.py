"""Does re-ranking by patches help to find the family? On an index with labels and patches.

python -m benchmarks.rerank --index my.index

The fakes of the gallery ask the rest of it, each described by a projection that was fitted
without it. Prints the family's P@1, P@10 and mAP as they are ranked, and with the first 100
ranked by their patches alone or by a sum of both similarities.
"""

import argparse

import numpy as np

from indexer.calibration import cross_fit
from indexer.calibration.comparisons import similarities
from indexer.evaluation.retrieval import average_precision, precision_at
from indexer.index import Index
from indexer.index.deriving import fit_rows, strata
from indexer.index.labelled import from_gallery
from indexer.index.reranking import RERANKED, patch_similarity
from indexer.types import Float32

SHARES = (0.1, 0.5)
"""Of the similarity by patches that is added to the similarity by descriptor."""


def reranked(found: Float32, shared: Float32) -> Float32:
    """`found` (m, n) with the first RERANKED of each row in front, in the order of `shared`."""
    first = np.argsort(-found, axis=1, kind="stable")[:, :RERANKED]
    moved = found.copy()
    np.put_along_axis(moved, first, 10 + np.take_along_axis(shared, first, axis=1), axis=1)
    return moved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", required=True)
    with Index.open(parser.parse_args().index) as index:
        ids, generation = index.store.ids(), index.store.generation
        images = from_gallery(index, ids, generation)
        asked = [int(id_) for id_ in ids]
        shared = np.stack([patch_similarity(index, id_, ids, generation) for id_ in asked])
    family = np.array([annotation.family or "" for annotation in images.annotations])
    figures: dict[str, list[list[float]]] = {}
    folds = cross_fit(
        lambda rows: fit_rows(images.taps, images.annotations, rows).apply(images.taps),
        strata(images.annotations),
    )
    for fold in folds:
        gallery = np.setdiff1d(np.arange(len(family)), fold.rows)
        rows = fold.rows[np.isin(family[fold.rows], np.setdiff1d(family[gallery], [""]))]
        found = similarities(fold.descriptors[rows], fold.descriptors[gallery])
        patches = shared[np.ix_(rows, gallery)]
        ranked = {"as it is": found, "patches alone": reranked(found, patches)}
        ranked |= {f"sum, {share}": reranked(found, found + share * patches) for share in SHARES}
        for name, scores in ranked.items():
            order = np.argsort(-scores, axis=1, kind="stable")
            right = family[gallery][order] == family[rows][:, None]
            each = precision_at(right, 1), precision_at(right, 10), average_precision(right)
            figures.setdefault(name, []).extend(np.transpose(each).tolist())
    for name, values in figures.items():
        p_at_1, p_at_10, mean = np.mean(values, axis=0)
        print(f"{name:14} P@1 {p_at_1:.3f}  P@10 {p_at_10:.3f}  mAP {mean:.3f}")


if __name__ == "__main__":
    main()
