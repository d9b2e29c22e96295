"""From what a user typed to a checked checkpoint on this disk. Needs no torch."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from indexer.checkpoints.header import read_shapes
from indexer.checkpoints.heads import read_head, read_labels
from indexer.checkpoints.hub import absent, cached, check_digest, fetch, pin
from indexer.checkpoints.layouts import detect, read_architecture
from indexer.checkpoints.recipes import read_recipe
from indexer.checkpoints.registry import Known, Registry, data_directory, load_registry
from indexer.checkpoints.values import CONFIG, WEIGHTS, Checkpoint
from indexer.errors import CheckpointError, NotFound

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def resolve(
    ref: str,
    *,
    registry: Registry | None = None,
    fake_label: str | None = None,
    download: bool = True,
) -> Checkpoint:
    """The checkpoint that `ref` names: registry name, local directory or `org/name@revision`.

    A hub checkpoint that is not in the cache is pulled, unless `download` is off. Every
    tensor is accounted for, the weights are hashed and compared with the registry.
    `fake_label` names the fake class where neither registry nor configuration does. Raises
    NotFound, UsageError or CheckpointError; never answers with another checkpoint than the
    one named.
    """
    registry = load_registry() if registry is None else registry
    path = Path(ref)
    if ref not in registry and path.exists():
        return read_checkpoint(path, registry=registry, fake_label=fake_label)
    known = registry.get(ref)
    if known and known.bundled:
        directory = data_directory() / known.bundled
        return read_checkpoint(directory, registry=registry, known=known, fake_label=fake_label)
    pinned = pin(ref, registry)
    if pinned is None:
        raise NotFound(
            f"no checkpoint {ref!r}",
            expected=f"one of {', '.join(registry)}, a directory, or org/name@revision",
        )
    directory = cached(pinned)
    if not directory.is_dir():
        if not download:
            raise absent(pinned, directory)
        fetch(pinned)
    checkpoint = read_checkpoint(
        directory, registry=registry, known=pinned.known, fake_label=fake_label
    )
    return replace(checkpoint, name=pinned.ref, revision=pinned.revision)


def pull(ref: str, *, to: Path | None = None, registry: Registry | None = None) -> Checkpoint:
    """Fetch a registry or hub checkpoint into the cache, or into the directory `to`.

    Does nothing when the cache has it; returns the checked checkpoint.
    """
    registry = load_registry() if registry is None else registry
    pinned = pin(ref, registry)
    if pinned is None:
        raise NotFound(f"nothing to pull for {ref!r}", expected="a hub checkpoint")
    directory = to or cached(pinned)
    if to is not None or not directory.is_dir():
        fetch(pinned, to)
    return read_checkpoint(directory, registry=registry, known=pinned.known)


def is_local(name: str) -> bool:
    """Whether the known checkpoint `name` is on this disk (present, not yet verified)."""
    registry = load_registry()
    bundled, pinned = registry[name].bundled, pin(name, registry)
    if bundled:
        return (data_directory() / bundled / WEIGHTS).is_file()
    return pinned is not None and (cached(pinned) / WEIGHTS).is_file()


def read_checkpoint(
    directory: Path,
    *,
    registry: Registry,
    known: Known | None = None,
    fake_label: str | None = None,
) -> Checkpoint:
    """Check a local directory and say what it holds.

    Without `known`, weights that the registry knows by their sha256 are recognised, so a
    copied directory keeps its recipe and fake class.
    """
    _require_files(directory)
    digest = check_digest(directory, known)
    if known is None:
        entries = (entry for entry in registry.values() if entry.sha256 == digest)
        known = next(entries, None)
    config = _read_json(directory / CONFIG)
    shapes = read_shapes(directory / WEIGHTS)
    layout = detect(config, shapes)
    architecture = read_architecture(layout, config, shapes)
    if known and known.layer_norm_eps is not None:
        architecture = replace(architecture, layer_norm_eps=known.layer_norm_eps)
    labels = read_labels(config, architecture.classes) if architecture.classes else ()
    if fake_label is None and known and known.fake_class is not None:
        fake_label = labels[known.fake_class]
    checkpoint = Checkpoint(
        name=known.name if known else directory.resolve().name,
        directory=directory,
        weights_sha256=digest,
        revision=known.revision if known else None,
        layout=layout,
        architecture=architecture,
        recipe=(known and known.recipe) or read_recipe(layout, config, architecture, directory),
        head=read_head(labels, fake_label),
        licence=known.licence if known else None,
        operating_points=known.operating_points if known else (),
        layers=known.layers if known else None,
    )
    _require_whole_patches(checkpoint)
    return checkpoint


def _require_files(directory: Path) -> None:
    if directory.is_file():
        _refuse_pickle(directory)
        raise CheckpointError(f"{directory} is a file", expected="a checkpoint directory")
    if not directory.is_dir():
        raise NotFound(f"no checkpoint directory {directory}")
    if not (directory / WEIGHTS).is_file():
        for path in sorted(directory.iterdir()):
            _refuse_pickle(path)
    for name in (WEIGHTS, CONFIG):
        if not (directory / name).is_file():
            raise CheckpointError(f"{directory} has no {name}", expected=f"{WEIGHTS} and {CONFIG}")


def _refuse_pickle(path: Path) -> None:
    if path.suffix in _PICKLES:
        raise CheckpointError(
            f"{path} is a pickle, which can run code when it is loaded",
            expected="safetensors",
            do=f"indexer model convert {path} --to DIR",
        )


def _require_whole_patches(checkpoint: Checkpoint) -> None:
    height, width = checkpoint.recipe.output_size
    patch = checkpoint.architecture.patch
    if height % patch or width % patch:
        raise CheckpointError(
            f"preprocessing to {height}x{width} pixels",
            expected=f"a multiple of the patch, {patch}",
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is no JSON") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds no JSON object")
    return content
