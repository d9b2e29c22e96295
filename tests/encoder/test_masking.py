"""Greying out and attention, for every layout of checkpoint and on both engines."""

from pathlib import Path

import numpy as np
import pytest
import tiny
from scipy.special import logit

from indexer.encoder import VitEncoder, load_encoder
from indexer.types import RGB

WRITERS = {
    "vit": tiny.write_vit,
    "one logit": lambda to: tiny.write_vit(to, labels=["fake"]),
    "three classes": lambda to: tiny.write_vit(to, labels=["real", "fake", "cat"]),
    "dinov2": tiny.write_dinov2,
    "timm": tiny.write_timm,
    "clip": tiny.write_clip,
    "community-forensics": tiny.write_community_forensics,
}


def picture(seed: int) -> RGB:
    return np.random.default_rng(seed).integers(0, 256, (90, 70, 3), np.uint8)


@pytest.fixture(scope="module", params=WRITERS)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VitEncoder:
    directory = tmp_path_factory.mktemp("masking") / "checkpoint"
    WRITERS[request.param](directory)
    return load_encoder(directory, engine="torch", views=2)


def test_nothing_greyed_out_is_the_image_and_everything_is_grey(encoder: VitEncoder) -> None:
    image, grey = picture(0), np.full((90, 70, 3), 128, np.uint8)
    prepared = encoder.prepare(image)
    nothing = np.zeros((1, *encoder.grid), bool)
    found = encoder.encode_masked(prepared, np.concatenate([nothing, ~nothing]))
    expected = encoder.encode([image, grey])
    views = len(encoder.passport.taps) // 2
    np.testing.assert_array_equal(found.taps[0], expected.taps[0])
    np.testing.assert_allclose(found.taps[1, :views], expected.taps[1, :views], atol=1e-5)
    np.testing.assert_array_equal(found.taps[1, views:], expected.taps[0, views:])
    if expected.scores is None:
        assert found.evidence is None
    else:
        assert found.evidence is not None
        np.testing.assert_allclose(found.evidence, logit(expected.scores), atol=1e-3)


def test_only_the_marked_patches_are_greyed_out(encoder: VitEncoder) -> None:
    prepared = encoder.prepare(picture(1))
    patch = encoder.checkpoint.architecture.patch
    mask = np.zeros((1, *encoder.grid), bool)
    mask[0, 1, 2] = True
    by_hand = prepared.copy()
    part = by_hand[0, :, patch : 2 * patch, 2 * patch : 3 * patch]
    part[:] = encoder.prepare(np.full((90, 70, 3), 128, np.uint8))[0, :, :1, :1]
    found = encoder.encode_masked(prepared, mask)
    np.testing.assert_array_equal(found.taps, encoder.encode_prepared([by_hand]).taps)


def test_attention_is_a_mean_of_shares(encoder: VitEncoder) -> None:
    steps = []
    found = encoder.attention(encoder.prepare(picture(2)), lambda: steps.append(1))
    tokens = 1 + encoder.grid[0] * encoder.grid[1]
    assert found.shape == (encoder.checkpoint.architecture.layers, tokens, tokens)
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-5)
    assert found.std() > 0
    assert steps


def test_attention_comes_whatever_the_engine_is(tmp_path: Path) -> None:
    tiny.write_vit(tmp_path / "checkpoint")
    torch, openvino = (
        load_encoder(tmp_path / "checkpoint", engine=engine, precision="fp32")
        for engine in ("torch", "openvino")
    )
    prepared, mask = torch.prepare(picture(3)), np.eye(4, dtype=bool)[None]
    np.testing.assert_array_equal(torch.attention(prepared), openvino.attention(prepared))
    found, reference = (each.encode_masked(prepared, mask) for each in (openvino, torch))
    np.testing.assert_allclose(found.taps, reference.taps, atol=1e-4)
