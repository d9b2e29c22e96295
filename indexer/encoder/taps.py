"""Taps: statistics of the residual stream after chosen blocks.

A tap is named "<layer>.<statistic>"; layers count from 1 (after the first block) to the
depth of the model (after the last block, before the final norm). The last tap, "final.cls", is
the CLS token after the final norm: what the head of the checkpoint sees.
"""

from collections.abc import Sequence

from indexer.errors import UsageError

STATISTICS = ("cls", "mean", "std")
"""Of the tokens after a layer: the CLS token, the patches' mean and standard deviation."""

FINAL = "final.cls"


def default_layers(depth: int) -> tuple[int, ...]:
    """Four evenly spaced layers up to two thirds of the depth; all of a model with fewer.

    Later layers of a detector know little but its own labels; docs/descriptor.md has the
    measurements.
    """
    if depth < 4:
        return tuple(range(1, depth + 1))
    return tuple(max(quarter, round(depth * quarter / 6)) for quarter in (1, 2, 3, 4))


def default_patch_layer(depth: int) -> int:
    """The layer whose tokens are kept as patches: a third of the depth, at least the fourth.

    There a token still says what its own pixels show; docs/regions.md has the measurements.
    """
    return min(depth, max(4, round(depth / 3)))


def tap_names(layers: Sequence[int], depth: int) -> tuple[str, ...]:
    """All statistics of `layers`, then FINAL. Raises UsageError on a layer out of 1..depth."""
    if not layers or any(not 1 <= layer <= depth for layer in layers):
        raise UsageError(f"tapped layers {tuple(layers)}", expected=f"some of 1 to {depth}")
    if list(layers) != sorted(set(layers)):
        raise UsageError(f"tapped layers {tuple(layers)}", expected="each once, in ascending order")
    return (*(f"{layer}.{statistic}" for layer in layers for statistic in STATISTICS), FINAL)
