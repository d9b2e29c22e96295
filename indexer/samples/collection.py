"""The sample collection of `indexer demo` and the tests, made anew from its seed."""

import csv
from pathlib import Path

from indexer.samples.families import FAMILIES
from indexer.samples.photographs import HELD_OUT, load
from indexer.samples.sample import Source, make_sample
from indexer.samples.scenes import SCENES

COLUMNS = ("path", "label", "family", "source", "role")
QUERY_SOURCES = ("skimage/chelsea.png", "sklearn/flower.jpg", "drawn/blocks", "drawn/leaves")
"""Sources whose images have the role "query"; a gallery and its queries share no photograph."""


def held_out_sources() -> list[Source]:
    """The photographs and the kinds of drawn scene that the collection is made of."""
    photographs = [Source(name, load(name)) for name in HELD_OUT]
    return photographs + [Source(name) for name in SCENES]


def make_collection(
    directory: Path, *, real: int = 72, per_family: int = 24, seed: int = 0
) -> Path:
    """Write `real/` and `fake/<family>/` images and `manifest.csv` under a new directory.

    `path` is relative to the directory, `label` real or fake, `family` empty for reals,
    `source` the photograph or the kind of scene ("skimage/coffee.png", "drawn/hills"): each
    family has images of all of them in turn. `role` is gallery or query. The same
    arguments write the same bytes. Returns the manifest's path. Raises FileExistsError.
    """
    sources = held_out_sources()
    wanted: list[str | None] = [None] * real
    wanted += [family for family in FAMILIES for _ in range(per_family)]
    directory.mkdir(parents=True)
    manifest = directory / "manifest.csv"
    with manifest.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for index, family in enumerate(wanted):
            chosen = index % len(sources)
            sample = make_sample(sources, chosen, family, "held-out", seed * 1_000_000 + index)
            name = sources[chosen].name
            source = name if "/" in name else f"drawn/{name}"
            folder = f"fake/{family}" if family else "real"
            path = directory / folder / f"{index:04d}.{sample.suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sample.data)
            label = "fake" if family else "real"
            role = "query" if source in QUERY_SOURCES else "gallery"
            table.writerow((f"{folder}/{path.name}", label, family or "", source, role))
    return manifest
