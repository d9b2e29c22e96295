"""Encodings from index to index: nothing is lost on the way, nothing foreign gets in."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import run
from tiny import write_vit

from indexer.encoder import load_encoder
from indexer.errors import NotFound, PassportMismatch, UsageError
from indexer.explain import side_stored
from indexer.families.actions import Label
from indexer.index import Index, build_index, query_stored, search
from indexer.index.carried import carried, merge, take
from indexer.index.encodings_file import KEY, EncodingsFile
from indexer.index.export import export_encodings
from indexer.index.families import decide
from indexer.index.keeping import PatchPolicy
from indexer.sources import open_source

Make = Callable[..., Index]


def everything(index: Index) -> list[tuple[object, ...]]:
    """All that is carried, as comparable values."""
    return [
        (
            each.image.facts,
            sorted(each.uris),
            each.image.annotation,
            each.image.metadata,
            each.image.taps.tobytes(),
            None if each.image.logits is None else each.image.logits.tobytes(),
            each.image.score,
            each.image.thumbnail,
            None
            if each.image.patches is None
            else (
                each.image.patches.codes.tobytes(),
                each.image.patches.scales.tobytes(),
                each.image.patches.boxes.tobytes(),
            ),
        )
        for each in carried(index.store, index.store.generation)
    ]


def imported(tmp_path: Path, encodings: Path, name: str = "imported.index") -> Index:
    found = EncodingsFile.open(encodings)
    index = Index.create_for(tmp_path / name, found.passport, found.reference, "ann")
    take(index, found, "ann", "import")
    return index


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def exported(tmp_path: Path, pictures: Path, make_index: Make) -> tuple[Index, Path]:
    index = make_index(pictures)
    export_encodings(index, tmp_path / "encodings")
    return index, tmp_path / "encodings"


def test_there_and_back_is_equal_and_files_are_equal_to_the_byte(
    tmp_path: Path, exported: tuple[Index, Path]
) -> None:
    index, encodings = exported
    other = imported(tmp_path, encodings)
    assert everything(other) == everything(index)
    assert other.store.check() == other.store.audit.faults() == []
    export_encodings(other, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(encodings)


def test_the_imported_index_finds_the_same(tmp_path: Path, exported: tuple[Index, Path]) -> None:
    index, encodings = exported
    other = imported(tmp_path, encodings)
    digest = everything(index)[7][0].sha256
    one, two = (search(i, query_stored(i, digest)).hits for i in (index, other))
    assert [hit.sha256 for hit in one] == [hit.sha256 for hit in two]
    assert np.allclose([h.similarity for h in one], [h.similarity for h in two], atol=1e-4)


def test_an_import_again_adds_nothing(tmp_path: Path, exported: tuple[Index, Path]) -> None:
    _, encodings = exported
    other = imported(tmp_path, encodings)
    before = other.store.generation
    taken = take(other, EncodingsFile.open(encodings), "ann", "import")
    assert (taken.added, taken.known, taken.generation) == (0, 48, before)


def test_an_empty_index_can_be_carried(tmp_path: Path, checkpoint: Path) -> None:
    empty = Index.create(tmp_path / "empty.index", load_encoder(checkpoint))
    export_encodings(empty, tmp_path / "encodings")
    assert everything(imported(tmp_path, tmp_path / "encodings")) == []


def test_a_merge_is_as_if_all_had_been_built_together(pictures: Path, make_index: Make) -> None:
    fakes = make_index(pictures / "fake", name="fakes", layout="auto")
    reals = make_index(pictures / "real", pictures / "fake" / "waves", name="reals", layout="auto")
    taken = merge(fakes, reals, "ann")
    assert (taken.added, taken.known) == (12, 12)
    together = make_index(pictures, name="all", layout="auto")
    assert everything(fakes) == everything(together)
    assert fakes.store.check() == fakes.store.audit.faults() == []


def test_images_merged_without_patches_are_never_compared_by_those_of_others(
    pictures: Path, make_index: Make, tmp_path: Path
) -> None:
    index = make_index(pictures / "fake" / "waves", name="kept", layout="auto")
    with Index.create(tmp_path / "bare", index.encoder, patches=PatchPolicy(0)) as bare:
        build_index(bare, [open_source(pictures / "real", "auto")])
        merge(index, bare, "ann")
        digest = next(carried(bare.store, bare.store.generation)).image.facts.sha256
    with pytest.raises(UsageError, match="a query without patches"):
        search(index, query_stored(index, digest), rerank=True)
    at = index.store.generation
    own = next(each.image for each in carried(index.store, at) if each.image.patches).facts.sha256
    with pytest.raises(UsageError, match="hits keep no patches"):
        search(index, query_stored(index, own), rerank=True)
    with pytest.raises(UsageError, match=f"image {digest[:12]} keeps no patches"):
        side_stored(index, digest, at)


def test_what_an_analyst_said_comes_as_an_import(pictures: Path, make_index: Make) -> None:
    one = make_index(pictures / "fake" / "waves", name="one", layout="auto")
    two = make_index(pictures / "fake" / "waves", name="two", layout="auto")
    digest = everything(two)[3][0].sha256
    decide(two, Label((digest,), label="fake", family="case 7"), "ann")
    merge(one, two, "ben")
    assert one.store.image(digest).annotation.family == "case 7"
    decide(one, Label((digest,), label="fake", family="case 8"), "ben")
    merge(one, two, "ben")
    assert one.store.image(digest).annotation.family == "case 8"


def test_another_passport_is_refused_before_anything_is_written(
    tmp_path: Path, exported: tuple[Index, Path], pictures: Path
) -> None:
    index, encodings = exported
    write_vit(tmp_path / "other", seed=1)
    other = Index.create(tmp_path / "other.index", load_encoder(tmp_path / "other"))
    build_index(other, [open_source(pictures / "real")])
    before = everything(other)
    with pytest.raises(PassportMismatch, match=r"the encodings in .* have weights_sha256"):
        merge(other, index, "ann")
    refused = run("import", encodings, "--index", tmp_path / "other.index", code=1)
    assert "encode the images again with the checkpoint of this index" in refused
    assert everything(other) == before


def test_the_commands(tmp_path: Path, exported: tuple[Index, Path]) -> None:
    index, encodings = exported
    said = run("export", "--index", index.path, "--to", tmp_path / "e2", "--encodings")
    assert said.startswith("48 images of generation ")
    assert contents(tmp_path / "e2") == contents(encodings)
    assert "48 added, 0 known" in run("import", tmp_path / "e2", "--index", tmp_path / "new.index")
    merged = run("merge", index.path, tmp_path / "new.index", "--index", tmp_path / "all.index")
    assert [line.split(": ")[1].split(";")[0] for line in merged.splitlines()] == [
        "48 added, 0 known",
        "0 added, 48 known",
    ]
    assert "is the index itself" in run("merge", index.path, "--index", index.path, code=2)


def rewritten(encodings: Path, to: Path, **changes: object) -> Path:
    """The first part with columns or the head replaced; None drops it."""
    table = pq.read_table(encodings / "part-00000.parquet")
    for name, change in changes.items():
        if name == "head":
            table = table.replace_schema_metadata(change)
        elif change is None:
            table = table.drop_columns([name])
        else:
            table = table.set_column(table.schema.get_field_index(name), name, change)
    pq.write_table(table, to)
    return to


def test_what_is_no_encodings_is_refused(tmp_path: Path, exported: tuple[Index, Path]) -> None:
    _, encodings = exported
    with pytest.raises(NotFound, match="no encodings at"):
        EncodingsFile.open(tmp_path / "none")
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(UsageError, match="expected a Parquet file"):
        EncodingsFile.open(tmp_path / "text.parquet")
    with pytest.raises(UsageError, match="has no column taps"):
        EncodingsFile.open(rewritten(encodings, tmp_path / "a.parquet", taps=None))
    with pytest.raises(UsageError, match="does not say how it was encoded"):
        EncodingsFile.open(rewritten(encodings, tmp_path / "b.parquet", head=None))
    table = pq.read_table(encodings / "part-00000.parquet")
    short = [row[:-1] for row in table["taps"].to_pylist()]
    wrong = rewritten(encodings, tmp_path / "c.parquet", taps=[short])
    with pytest.raises(UsageError, match="values in taps; expected"):
        list(EncodingsFile.open(wrong))
    for column, value in (("sha256", "../../x"), ("label", "phoney")):
        values = pa.array([value] * len(table), pa.string())
        odd = table.set_column(table.schema.get_field_index(column), column, values)
        pq.write_table(odd, tmp_path / "odd.parquet")
        with pytest.raises(UsageError, match=re.escape(f"{column} is {value!r}")):
            list(EncodingsFile.open(tmp_path / "odd.parquet"))
    head = json.dumps(json.loads(table.schema.metadata[KEY]) | {"format": 2}).encode()
    pq.write_table(table.replace_schema_metadata({KEY: head}), tmp_path / "new.parquet")
    with pytest.raises(UsageError, match="has format 2; expected format 1"):
        EncodingsFile.open(tmp_path / "new.parquet")


def test_damage_is_told_in_plain_words(tmp_path: Path, exported: tuple[Index, Path]) -> None:
    encodings, part = exported[1], exported[1] / "part-00000.parquet"
    whole, rows = tmp_path / "a.parquet", len(pq.read_table(part))
    empty = b'{"format": 1, "passport": {}, "reference": {}}'
    for head in (b"{", b"[]", b'{"format": 1}', empty):
        with pytest.raises(UsageError, match="does not say how it was encoded"):
            EncodingsFile.open(rewritten(encodings, whole, head={KEY: head}))
    for column, value, kind in (
        ("metadata", "{", pa.string()),
        ("patch_codes", b"abc", pa.binary()),
    ):
        wrong = rewritten(encodings, whole, **{column: pa.array([value] * rows, kind)})
        with pytest.raises(UsageError, match=r"a\.parquet: image [0-9a-f]{64}: "):
            list(EncodingsFile.open(wrong))
    damaged = bytearray(part.read_bytes())
    damaged[4 : len(damaged) // 2] = bytes(len(damaged) // 2 - 4)  # the footer stays readable
    whole.write_bytes(damaged)
    told = run("import", whole, "--index", tmp_path / "new.index", code=2)
    assert "a.parquet" in told
    assert "expected a whole Parquet file" in told
