"""RGB images to encodings, with one checkpoint on any engine."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from indexer.checkpoints import Checkpoint, Head
from indexer.encoder.engine import Engine, Outputs, joined
from indexer.images.recipe import preprocess
from indexer.images.residual import residual
from indexer.types import RGB, Encodings, Float32, Passport


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
