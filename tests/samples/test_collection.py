import csv
import hashlib
from collections import Counter, defaultdict

import numpy as np
import pytest

from indexer.samples import FAMILIES, make_collection, photographs
from indexer.samples.codec import decode
from indexer.samples.collection import QUERY_SOURCES, held_out_sources
from indexer.samples.sample import SHORTER_EDGE, Source, make_sample
from indexer.samples.scenes import SCENES


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    directory = tmp_path_factory.mktemp("samples") / "made"
    manifest = make_collection(directory, real=12, per_family=12)
    with manifest.open(newline="") as file:
        return directory, list(csv.DictReader(file))


def digests(directory):
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_the_manifest_lists_every_file_once(collection):
    directory, rows = collection
    images = [path for path in digests(directory) if path != "manifest.csv"]
    assert sorted(row["path"] for row in rows) == sorted(images)
    assert Counter((row["label"], row["family"]) for row in rows) == {
        ("real", ""): 12,
        **{("fake", family): 12 for family in FAMILIES},
    }
    for row in rows:
        assert row["path"].startswith(f"fake/{row['family']}/" if row["family"] else "real/")


def test_no_two_images_are_equal(collection):
    directory, _ = collection
    assert max(Counter(digests(directory).values()).values()) == 1


def test_every_class_comes_from_every_source_and_roles_share_none(collection):
    _, rows = collection
    sources, roles = defaultdict(set), defaultdict(set)
    for row in rows:
        sources[row["family"]].add(row["source"])
        roles[row["source"]].add(row["role"])
    assert {len(names) for names in sources.values()} == {len(held_out_sources())}
    assert {name for name, found in roles.items() if found == {"query"}} == set(QUERY_SOURCES)
    assert {name for name, found in roles.items() if found == {"gallery"}} == (
        set(roles) - set(QUERY_SOURCES)
    )


def test_every_image_has_the_edge_that_the_demo_checkpoint_takes(collection):
    directory, rows = collection
    for row in rows:
        height, width = decode(directory / row["path"]).shape[:2]
        assert min(height, width) == SHORTER_EDGE
        assert max(height, width) <= 1.25 * SHORTER_EDGE


def test_equal_seeds_write_equal_bytes_and_others_do_not(tmp_path):
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        make_collection(tmp_path / name, real=2, per_family=1, seed=seed)
    first, again, other = (digests(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert not set(first.values()) & set(other.values())


def test_an_existing_directory_is_left_alone(tmp_path):
    with pytest.raises(FileExistsError):
        make_collection(tmp_path)


def test_training_and_held_out_share_no_photograph_and_no_scene():
    assert not set(photographs.TRAINING) & set(photographs.HELD_OUT)
    scenes = [Source(name) for name in SCENES]
    for seed in range(3):
        training, held_out = (
            make_sample(scenes, 0, None, split, seed) for split in ("training", "held-out")
        )
        assert training.data != held_out.data


@pytest.mark.parametrize("family", [None, "splice"])
def test_the_mask_of_a_sample_fits_its_image(family):
    sample = make_sample(held_out_sources(), 0, family, "held-out", 4)
    assert sample.mask.shape == sample.pixels.shape[:2]
    assert bool(sample.mask.any()) == (family is not None)


def test_photographs_are_colour_pictures_in_range():
    for name in (*photographs.HELD_OUT, *photographs.TRAINING):
        loaded = photographs.load(name)
        assert loaded.dtype == np.float32
        assert loaded.shape[2] == 3
        assert 0 <= loaded.min() < loaded.max() <= 1
        assert min(loaded.shape[:2]) >= SHORTER_EDGE
