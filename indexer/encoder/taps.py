"""Taps: statistics of the residual stream after chosen blocks.

A tap is named "<layer>.<statistic>"; layers count from 1 (after the first block) to the
depth of the model (after the last block, before the final norm). The last tap, "final.cls", is
the CLS token after the final norm: what the head of the checkpoint sees. Those of the second
view follow, with the same names after "residual.".
"""

from collections.abc import Sequence

from indexer.errors import UsageError

STATISTICS = ("cls", "mean", "std")
"""Of the tokens after a layer: the CLS token, the patches' mean and standard deviation."""

FINAL = "final.cls"
RESIDUAL = "residual."
VIEWS = (1, 2)
"""How many views of an image are encoded: the checkpoint's own, and its residual beside it."""


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


def tap_names(layers: Sequence[int], depth: int, views: int) -> tuple[str, ...]:
    """All statistics of `layers`, then FINAL, of every view.

    Raises UsageError on a layer out of 1..depth or a number of views other than VIEWS.
    """
    if views not in VIEWS:
        raise UsageError(f"{views} views", expected=" or ".join(map(str, VIEWS)))
    if not layers or any(not 1 <= layer <= depth for layer in layers):
        raise UsageError(f"tapped layers {tuple(layers)}", expected=f"some of 1 to {depth}")
    if list(layers) != sorted(set(layers)):
        raise UsageError(f"tapped layers {tuple(layers)}", expected="each once, in ascending order")
    names = (*(f"{layer}.{statistic}" for layer in layers for statistic in STATISTICS), FINAL)
    return names if views == 1 else (*names, *(RESIDUAL + name for name in names))
