"""The reference engine: RGB images to encodings with torch."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from indexer.checkpoints import Checkpoint, Head, resolve
from indexer.encoder.device import Engine, choose
from indexer.encoder.taps import compute_taps, default_layers, tap_names
from indexer.encoder.tower import Tower
from indexer.images.recipe import preprocess
from indexer.types import RGB, Encodings, Float32, Passport

_MICRO_BATCH = {"cpu": 1}
_ACCELERATOR_MICRO_BATCH = 32
_CORES = os.cpu_count() or 1


class TorchEncoder:
    """`indexer.types.Encoder` on torch; `load_encoder(**reference)` makes it again.

    Images go through the model in micro-batches of one fixed size, the last one filled up,
    because matrix products round differently for different shapes: so an image gets the
    same encoding whatever batch it comes in, bit for bit on a CPU. There, images are encoded
    side by side, one core each: that beats one image over all cores.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        engine: Engine,
        layers: Sequence[int],
        reference: Mapping[str, Any],
    ) -> None:
        self.checkpoint, self.reference = checkpoint, reference
        self._engine = engine
        self._taps = tap_names(layers, checkpoint.architecture.layers)
        self._tower = Tower(checkpoint, engine.device)
        self._micro_batch = _MICRO_BATCH.get(engine.device.type, _ACCELERATOR_MICRO_BATCH)
        on_cpu = engine.device.type == "cpu"
        self._pool = ThreadPoolExecutor(_CORES if on_cpu else 1, "encoder")
        if on_cpu:
            torch.set_num_threads(1)  # of each thread of the pool

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        return self._engine.device

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
            dim=self.checkpoint.architecture.hidden,
            precision=self._engine.precision,
        )

    def prepare(self, image: RGB) -> Float32:
        """The model's input, (3, height, width). Raises ImageRejected on a too small image."""
        return preprocess(image, self.checkpoint.recipe)

    def encode(self, images: Sequence[RGB]) -> Encodings:
        """Encode n >= 0 images of any sizes. Raises ImageRejected when one is too small."""
        return self.encode_prepared([self.prepare(image) for image in images])

    def encode_prepared(self, inputs: Sequence[Float32]) -> Encodings:
        """Encode n >= 0 inputs from `prepare`."""
        pixels = np.zeros((len(inputs), 3, *self.checkpoint.recipe.output_size), np.float32)
        for row, values in enumerate(inputs):
            pixels[row] = values
        rows, columns = self.grid
        dim, classes = self.checkpoint.architecture.hidden, self.checkpoint.architecture.classes
        taps = np.empty((len(inputs), len(self._taps), dim), np.float32)
        patches = np.empty((len(inputs), rows, columns, dim), np.float32)
        logits = np.empty((len(inputs), classes), np.float32)
        starts = range(0, len(inputs), self._micro_batch)
        parts = [slice(start, start + self._micro_batch) for start in starts]
        done = self._pool.map(self._forward, [pixels[part] for part in parts])
        for part, encoded in zip(parts, done, strict=True):
            taps[part], patches[part], logits[part] = encoded
        if self.checkpoint.head.kind == "none":
            return Encodings(taps, patches, None, None)
        return Encodings(taps, patches, logits, fake_scores(logits, self.checkpoint.head))

    @torch.inference_mode()
    def _forward(self, pixels: Float32) -> tuple[Float32, Float32, Float32]:
        count = len(pixels)
        full = np.zeros((self._micro_batch, *pixels.shape[1:]), np.float32)
        full[:count] = pixels
        with self._engine.autocast():
            features = self._tower(torch.from_numpy(full).to(self.device))
        patches = features.tokens[:count, 1:].reshape(count, *self.grid, -1)
        logits = features.tokens.new_empty((count, 0))
        if features.logits is not None:
            logits = features.logits[:count]
        taps = compute_taps(features.hidden_states, features.tokens, self._taps)[:count]
        return _to_numpy(taps), _to_numpy(patches), _to_numpy(logits)


def load_encoder(
    ref: str | Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    fake_label: str | None = None,
    layers: Sequence[int] | None = None,
) -> TorchEncoder:
    """Load the checkpoint that `ref` names (see `indexer.checkpoints.resolve`).

    `layers` are the tapped ones, counted from 1; four evenly spaced by default. Raises
    NotFound, UsageError or CheckpointError.
    """
    engine = choose(device, precision)
    checkpoint = resolve(str(ref), fake_label=fake_label)
    layers = layers or checkpoint.layers or default_layers(checkpoint.architecture.layers)
    named_by_path = Path(ref).resolve() == checkpoint.directory.resolve()
    reference = {
        "ref": str(checkpoint.directory.resolve()) if named_by_path else str(ref),
        "fake_label": fake_label,
        "layers": list(layers),
        "precision": engine.precision,
    }
    return TorchEncoder(checkpoint, engine, layers, reference)


def fake_scores(logits: Float32, head: Head) -> Float32:
    """p(fake), (n,) in [0, 1], from logits (n, classes) of a head that has one."""
    tensor = torch.from_numpy(logits).double()
    if head.kind == "sigmoid":
        scores = tensor[:, 0].sigmoid()
    else:
        scores = tensor.softmax(dim=1)[:, head.fake]
    return _to_numpy(scores)


def _to_numpy(tensor: Tensor) -> Float32:
    array: Float32 = tensor.float().cpu().numpy()
    return array
