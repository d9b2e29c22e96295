"""RGB images to encodings, with one checkpoint on any engine."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, logsumexp, softmax

from indexer.checkpoints import Checkpoint, Head
from indexer.encoder.engine import Engine, Outputs, joined
from indexer.images.recipe import GREY, normalise, preprocess
from indexer.images.residual import residual
from indexer.types import RGB, Bool, Encodings, Float32, Masked, Passport


class VitEncoder:
    """`indexer.types.Encoder`; `load_encoder(**reference)` makes it again."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        engine: Engine,
        taps: tuple[str, ...],
        patch_layer: int,
        views: int,
        reference: Mapping[str, Any],
    ) -> None:
        self.checkpoint, self.engine, self.reference = checkpoint, engine, reference
        self._taps, self._patch_layer, self._views = taps, patch_layer, views
        self._attention: Callable[[Float32], Float32] | None = None

    @property
    def batch(self) -> int:
        """So many images a call suit the engine."""
        return self.engine.batch

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patch tokens."""
        return self.checkpoint.grid

    @property
    def passport(self) -> Passport:
        """What must be equal for another encoder's encodings to be comparable."""
        return Passport(
            weights_sha256=self.checkpoint.weights_sha256,
            preprocessing=self.checkpoint.recipe.to_json(),
            taps=self._taps,
            patch_layer=self._patch_layer,
            dim=self.checkpoint.architecture.hidden,
            precision=self.engine.precision,
        )

    def prepare(self, image: RGB) -> Float32:
        """The model's inputs, (views, 3, height, width). Raises ImageRejected on a too small
        image."""
        views = (preprocess, residual)[: self._views]
        return np.stack([view(image, self.checkpoint.recipe) for view in views])

    def encode(self, images: Sequence[RGB]) -> Encodings:
        """Encode n >= 0 images of any sizes. Raises ImageRejected when one is too small."""
        return self.encode_prepared([self.prepare(image) for image in images])

    def encode_prepared(self, inputs: Sequence[Float32]) -> Encodings:
        """Encode n >= 0 inputs from `prepare`."""
        views = [view for prepared in inputs for view in prepared]
        outputs = joined([self._nothing(), *self.engine.run(views)])
        taps, patches, logits = outputs
        taps = taps.reshape(len(inputs), len(self._taps), taps.shape[-1])
        patches, logits = patches[:: self._views], logits[:: self._views]
        head = self.checkpoint.head
        if head.kind == "none":
            return Encodings(taps, patches, None, None)
        return Encodings(taps, patches, logits, fake_scores(logits, head))

    def encode_patches(self, inputs: Sequence[Float32]) -> Float32:
        """See `indexer.types.Encoder`."""
        parts = [self._nothing(), *self.engine.run(inputs)]
        return np.concatenate([part.patches for part in parts])

    def encode_masked(self, prepared: Float32, masks: Bool) -> Masked:
        """Encode one input from `prepare` once for each mask (n, rows, columns), with the patches
        that it marks greyed out in the first view; a second view stays as it is."""
        first, *others = prepared
        greyed = [self._greyed(first, mask) for mask in masks]
        outputs = joined([self._nothing(), *self.engine.run([*greyed, *others])])
        taps = outputs.taps[: len(masks)]
        unchanged = [np.broadcast_to(row, taps.shape) for row in outputs.taps[len(masks) :]]
        head, logits = self.checkpoint.head, outputs.logits[: len(masks)]
        evidence = None if head.kind == "none" else log_odds(logits, head)
        return Masked(np.concatenate([taps, *unchanged], axis=1), evidence)

    def attention(self, prepared: Float32, step: Callable[[], None] = lambda: None) -> Float32:
        """The attention of every layer on the first view of an input from `prepare`: (layers,
        tokens, tokens) float32, the mean over heads, CLS first. Computed by torch whatever the
        engine is, which is loaded at the first call; `step` is called on the way."""
        if self._attention is None:
            from indexer.encoder.attention import load

            self._attention = load(self.checkpoint, step)
        return self._attention(prepared[0])

    def _greyed(self, pixels: Float32, mask: Bool) -> Float32:
        patch = self.checkpoint.architecture.patch
        grey = normalise(np.full((1, 1, 3), GREY, np.uint8), self.checkpoint.recipe)
        seen = mask.repeat(patch, axis=0).repeat(patch, axis=1)
        greyed = pixels.copy()
        part = greyed[:, : seen.shape[0], : seen.shape[1]]
        part[:] = np.where(seen, grey, part)
        return greyed

    def _nothing(self) -> Outputs:
        dim, classes = self.checkpoint.architecture.hidden, self.checkpoint.architecture.classes
        shapes = (len(self._taps) // self._views, dim), (*self.grid, dim), (classes,)
        return Outputs(*(np.empty((0, *shape), np.float32) for shape in shapes))


def fake_scores(logits: Float32, head: Head) -> Float32:
    """p(fake), (n,) in [0, 1], from logits (n, classes) of a head that has one."""
    exact = logits.astype(np.float64)
    if head.kind == "sigmoid":
        return np.asarray(expit(exact[:, 0]), np.float32)
    return np.asarray(softmax(exact, axis=1)[:, head.fake], np.float32)


def log_odds(logits: Float32, head: Head) -> Float32:
    """log(p / (1 - p)) of p(fake), (n,), from logits (n, classes) of a head that has one."""
    exact = logits.astype(np.float64)
    if head.kind == "sigmoid":
        return np.asarray(exact[:, 0], np.float32)
    others = np.arange(exact.shape[1]) != head.fake
    return np.asarray(exact[:, head.fake] - logsumexp(exact[:, others], axis=1), np.float32)
