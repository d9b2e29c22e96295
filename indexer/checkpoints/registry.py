"""The checkpoints that are known by name: where they are, what they must hash to."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.checkpoints.values import OperatingPoint
from indexer.images.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Known:
    """One entry of `data/checkpoints.toml`.

    Either `repository` at `revision` on the hub, with the weights' `sha256` and size in
    `bytes`, or `bundled`, a folder of the data directory. `recipe`, `fake_class` (an index)
    and `layer_norm_eps` override what the checkpoint's own files say; `note` tells why.
    `layers` are those to tap by default.
    """

    name: str
    summary: str
    note: str
    licence: str
    repository: str | None = None
    revision: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    bundled: str | None = None
    recipe: Recipe | None = None
    fake_class: int | None = None
    layer_norm_eps: float | None = None
    operating_points: tuple[OperatingPoint, ...] = ()
    layers: tuple[int, ...] | None = None


Registry = Mapping[str, Known]


def data_directory() -> Path:
    """The bundled data: `indexer/_data` in an installed wheel, else `data/` of the checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


def load_registry(path: Path | None = None) -> Registry:
    """Read the registry file, by default the bundled one."""
    path = path or data_directory() / "checkpoints.toml"
    with path.open("rb") as file:
        return {name: _known(name, fields) for name, fields in tomllib.load(file).items()}


def list_known() -> tuple[Known, ...]:
    """All entries of the bundled registry, in its order."""
    return tuple(load_registry().values())


def _known(name: str, fields: dict[str, Any]) -> Known:
    recipe = fields.pop("recipe", None)
    points = fields.pop("operating_points", ())
    layers = fields.pop("layers", None)
    return Known(
        name=name,
        recipe=_recipe(recipe) if recipe else None,
        operating_points=tuple(OperatingPoint(**point) for point in points),
        layers=tuple(layers) if layers else None,
        **fields,
    )


def _recipe(fields: dict[str, Any]) -> Recipe:
    """TOML has arrays where a recipe has tuples."""
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
    }
    return Recipe(**values)
