"""Late interaction: every token of a region looks for its best match in each image."""

from dataclasses import dataclass

import numpy as np

from indexer.types import Float32, Int64


@dataclass(frozen=True, slots=True)
class Match:
    """Best matches of q tokens in each of c images.

    `rows` (c, q) int64 are rows of the stored vectors, `similarity` (c, q) float32 cosines.
    """

    rows: Int64
    similarity: Float32

    @property
    def max_sim(self) -> Float32:
        """(c,) mean cosine of the best matches: the late-interaction score of ColBERT
        (Khattab & Zaharia 2020), as a mean."""
        return np.asarray(self.similarity.mean(axis=1), np.float32)


def best_matches(query: Float32, vectors: Float32, starts: Int64) -> Match:
    """`query` (q, dim) and `vectors` (n, dim), unit rows; image i owns the rows from
    `starts[i]` to the next start. No image may be empty.
    """
    similarity = vectors @ query.T
    best = np.maximum.reduceat(similarity, starts, axis=0)
    counts = np.diff(np.append(starts, len(vectors)))
    rows = np.empty(best.shape, np.int64)
    if (counts == counts[0]).all():
        blocks = similarity.reshape(len(starts), counts[0], -1)
        rows[:] = blocks.argmax(axis=1) + starts[:, None]
    else:
        for image, (start, count) in enumerate(zip(starts, counts, strict=True)):
            rows[image] = similarity[start : start + count].argmax(axis=0) + start
    return Match(rows, np.clip(best, -1, 1))


def weights(similarity: Float32, usual: Float32) -> Float32:
    """How far above the usual each match is: (c, q) in [0, 1].

    `usual` (q,) is the median best match of each token over unrelated images: a token that
    matches well everywhere (sky, skin) says little.
    """
    return np.clip((similarity - usual) / np.maximum(1 - usual, 1e-6), 0, 1)
