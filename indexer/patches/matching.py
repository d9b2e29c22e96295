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
    similarity = query @ vectors.T
    counts = np.diff(np.append(starts, len(vectors)))
    most = counts.max(initial=1)
    if (counts == most).all():
        within = similarity.reshape(len(query), len(counts), most).argmax(axis=2)
    else:
        parts = np.split(similarity, starts[1:], axis=1)
        within = np.stack([part.argmax(axis=1) for part in parts], axis=1)
    rows = within + starts
    best = np.take_along_axis(similarity, rows, axis=1)
    return Match(rows.T, np.clip(best.T, -1, 1))


def weights(similarity: Float32, usual: Float32) -> Float32:
    """How far above the usual each match is: (c, q) in [0, 1].

    `usual` (q,) is the median best match of each token over unrelated images: a token that
    matches well everywhere (sky, skin) says little.
    """
    return np.clip((similarity - usual) / np.maximum(1 - usual, 1e-6), 0, 1)
