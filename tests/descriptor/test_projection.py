"""Laws of every projection: unit length, no dependence on the batch, a file that gives it back."""

from pathlib import Path

import numpy as np
import pytest

from indexer.descriptor import Projection, fit_projection
from indexer.errors import IndexDamaged, UsageError


def gallery(images=200, seed=0, taps=3, dim=20):
    rng = np.random.default_rng(seed)
    family = rng.integers(0, 5, images)
    centres = rng.normal(size=(5, taps, dim))
    values = (centres[family] + rng.normal(size=(images, taps, dim))).astype(np.float32)
    return values, [f"f{k}" if k else None for k in family]


def fit(values, families, **options):
    labels = ["fake" if family else "real" for family in families]
    return fit_projection(values, families, labels, [None] * len(families), **options)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("images", [0, 1, 2, 20, 200])
def test_descriptors_are_finite_unit_vectors(images, labelled):
    values, families = gallery(images)
    projection = fit(values, families if labelled else [None] * images, dim=32)
    descriptors = projection.apply(gallery(50, seed=1)[0])
    assert descriptors.shape == (50, 32)
    assert descriptors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1.0, atol=1e-6)


def test_all_equal_images_have_similarity_one():
    values = np.full((300, 3, 20), 0.3, np.float16)
    descriptors = fit(values, ["f"] * 300, dim=16).apply(values)
    np.testing.assert_allclose(descriptors @ descriptors.T, 1.0, atol=1e-6)


def test_apply_does_not_depend_on_the_batch():
    values, families = gallery()
    projection = fit(values, families, dim=32)
    alone = np.concatenate([projection.apply(values[i : i + 1]) for i in range(len(values))])
    np.testing.assert_allclose(projection.apply(values), alone, atol=2e-6)
    np.testing.assert_allclose(projection.apply(values[::-1])[::-1], alone, atol=2e-6)


def test_a_saved_projection_comes_back_byte_for_byte(tmp_path: Path):
    values, families = gallery()
    projection = fit(values, families, dim=32)
    projection.save(tmp_path / "a.safetensors")
    loaded = Projection.load(tmp_path / "a.safetensors")
    loaded.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert loaded.apply(values).tobytes() == projection.apply(values).tobytes()
    assert loaded.fitted_on == projection.fitted_on


def test_a_file_that_is_no_projection_is_refused(tmp_path: Path):
    path = tmp_path / "p.safetensors"
    path.write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ")
    with pytest.raises(IndexDamaged, match="format None"):
        Projection.load(path)
    path.write_bytes(b"not a safetensors file")
    with pytest.raises(IndexDamaged, match="no projection"):
        Projection.load(path)


def test_taps_of_another_shape_or_not_finite_are_refused():
    values, families = gallery()
    projection = fit(values, families, dim=32)
    with pytest.raises(UsageError, match=r"expected \(n, 3, 20\)"):
        projection.apply(values[:, :2])
    values[7, 1, 3] = np.nan
    with pytest.raises(UsageError, match="not finite"):
        projection.apply(values)
