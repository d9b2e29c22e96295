"""What a checkpoint is: the values that loading, passports and faces share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from indexer.images.recipe import Recipe

Layout = Literal["vit", "community-forensics", "timm", "dinov2", "clip"]
Family = Literal["vit", "dinov2", "clip"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """The numbers that fix a Vision Transformer.

    `family` is the block structure it runs as, `hidden` the token width, `mlp` the width
    inside a block's MLP, `patch` and `image_size` are pixels, `image_size` the one that the
    position embeddings were made for. `classes` is the number of logits, 0 without a head.
    """

    family: Family
    hidden: int
    layers: int
    heads: int
    mlp: int
    patch: int
    image_size: int
    layer_norm_eps: float
    activation: str
    classes: int


@dataclass(frozen=True, slots=True)
class Head:
    """How logits become p(fake).

    "none": no head, no score. "sigmoid": one logit, p(fake) = sigmoid(logit). "softmax":
    p(fake) = softmax(logits)[fake]. `labels` are the class names in index order.
    """

    kind: Literal["none", "sigmoid", "softmax"]
    labels: tuple[str, ...] = ()
    fake: int | None = None


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold on the checkpoint's own score that somebody measured.

    `grade` is the strength of the evidence: "A" first-party source, "M" measured by this
    project, "B" third-party report that nobody here has repeated. `false_alarm` is the share
    of real images at or above the threshold where that was measured.
    """

    threshold: float
    grade: str
    note: str
    false_alarm: float | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights + configuration + preprocessing recipe of one ViT, found on this disk.

    `name` is the registry name, hub id or directory name; `revision` the pinned commit, or
    None for a directory whose weights no registry entry knows; `layers` are those to tap where
    the registry knows better than the default.
    """

    name: str
    directory: Path
    weights_sha256: str
    revision: str | None
    layout: Layout
    architecture: Architecture
    recipe: Recipe
    head: Head
    licence: str | None
    operating_points: tuple[OperatingPoint, ...]
    layers: tuple[int, ...] | None

    @property
    def weights(self) -> Path:
        """The safetensors file."""
        return self.directory / WEIGHTS

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patch tokens for one image."""
        height, width = self.recipe.output_size
        return height // self.architecture.patch, width // self.architecture.patch


WEIGHTS = "model.safetensors"
CONFIG = "config.json"
PROCESSOR = "preprocessor_config.json"
