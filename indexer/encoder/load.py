"""From what a user named to an encoder that is ready."""

from collections.abc import Sequence
from pathlib import Path

from indexer.checkpoints import resolve
from indexer.encoder.encoder import VitEncoder
from indexer.encoder.taps import default_layers, default_patch_layer, tap_names


def load_encoder(
    ref: str | Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    fake_label: str | None = None,
    layers: Sequence[int] | None = None,
    views: int = 1,
) -> VitEncoder:
    """Load the checkpoint that `ref` names (see `indexer.checkpoints.resolve`).

    `layers` are the tapped ones, counted from 1; four evenly spaced by default. With 2
    `views` the residual (`indexer.images.residual`) is encoded too, at twice the cost. Raises
    NotFound, UsageError or CheckpointError.
    """
    from indexer.encoder.device import choose
    from indexer.encoder.graph import Graph
    from indexer.encoder.torch_engine import TorchEngine

    placement = choose(device, precision)
    checkpoint = resolve(str(ref), fake_label=fake_label)
    depth = checkpoint.architecture.layers
    layers = layers or checkpoint.layers or default_layers(depth)
    taps = tap_names(layers, depth, views)
    named_by_path = Path(ref).resolve() == checkpoint.directory.resolve()
    reference = {
        "ref": str(checkpoint.directory.resolve()) if named_by_path else str(ref),
        "fake_label": fake_label,
        "layers": list(layers),
        "views": views,
        "precision": placement.precision,
    }
    patch_layer = default_patch_layer(depth)
    engine = TorchEngine(Graph(checkpoint, layers, patch_layer), placement)
    return VitEncoder(checkpoint, engine, taps, patch_layer, views, reference)
