"""Taps, tokens, devices and determinism on the reference engine."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from PIL import Image

from indexer.encoder import load_encoder
from indexer.encoder.device import choose
from indexer.encoder.taps import default_layers, default_patch_layer
from indexer.errors import UsageError
from indexer.images.recipe import preprocess
from indexer.images.residual import residual


def pictures(count, seed=1):
    rng = np.random.default_rng(seed)
    return [
        rng.integers(0, 256, (*rng.integers(30, 120, 2), 3), dtype=np.uint8) for _ in range(count)
    ]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    directory = tmp_path_factory.mktemp("vit")
    return directory, tiny.write_vit(directory)


@pytest.fixture(scope="module")
def encoder(checkpoint):
    return load_encoder(checkpoint[0], engine="torch", device="cpu")


def test_taps_equal_a_hand_computation_from_hidden_states(checkpoint):
    directory, model = checkpoint
    encoder = load_encoder(directory, engine="torch", device="cpu", layers=(2, 4))
    images = pictures(2)
    batch = np.stack([preprocess(image, encoder.checkpoint.recipe) for image in images])
    with torch.inference_mode():
        output = model.vit(torch.from_numpy(batch), output_hidden_states=True)
    second, fourth = (output.hidden_states[layer].numpy() for layer in (2, 4))
    expected = np.stack(
        [
            second[:, 0],
            second[:, 1:].sum(axis=1) / 16,
            np.sqrt(
                ((second[:, 1:] - second[:, 1:].mean(axis=1, keepdims=True)) ** 2).mean(axis=1)
            ),
            fourth[:, 0],
            fourth[:, 1:].sum(axis=1) / 16,
            np.sqrt(
                ((fourth[:, 1:] - fourth[:, 1:].mean(axis=1, keepdims=True)) ** 2).mean(axis=1)
            ),
            output.last_hidden_state[:, 0].numpy(),
        ],
        axis=1,
    )
    encodings = encoder.encode(images)
    names = ("2.cls", "2.mean", "2.std", "4.cls", "4.mean", "4.std", "final.cls")
    assert encoder.passport.taps == names
    np.testing.assert_allclose(encodings.taps, expected, atol=1e-5)
    assert encoder.passport.patch_layer == 4
    patches = fourth[:, 1:].reshape(2, 4, 4, tiny.HIDDEN)
    np.testing.assert_allclose(encodings.patches, patches, atol=1e-5)
    assert (output.hidden_states[4] - output.last_hidden_state).abs().max() > 0.1


@pytest.mark.parametrize(("depth", "layer"), [(12, 4), (8, 4), (24, 8), (3, 3)])
def test_patches_come_from_a_third_of_the_depth(depth, layer):
    assert default_patch_layer(depth) == layer


@pytest.mark.parametrize(
    ("depth", "layers"),
    [
        (12, (2, 4, 6, 8)),
        (8, (1, 3, 4, 5)),
        (24, (4, 8, 12, 16)),
        (4, (1, 2, 3, 4)),
        (3, (1, 2, 3)),
    ],
)
def test_four_evenly_spaced_layers(depth, layers):
    assert default_layers(depth) == layers


@pytest.mark.parametrize("layers", [(0,), (5,), (2, 1), (2, 2)])
def test_layers_that_are_not_there(checkpoint, layers):
    with pytest.raises(UsageError, match="tapped layers"):
        load_encoder(checkpoint[0], engine="torch", layers=layers)


def test_an_encoding_does_not_depend_on_its_batch(encoder):
    """The stated tolerance on a CPU is zero."""
    images = pictures(7)
    together = encoder.encode(images)
    for index in range(len(images)):
        alone = encoder.encode([images[index]])
        for name in ("taps", "patches", "logits", "scores"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[index])
    backwards = encoder.encode(images[::-1])
    np.testing.assert_array_equal(backwards.taps[::-1], together.taps)


def test_filled_up_micro_batches_change_nothing_beyond_rounding(encoder, checkpoint):
    """What an accelerator does: parts of a fixed size, the last one filled up."""
    images = pictures(5)
    expected = encoder.encode(images)
    wide = load_encoder(checkpoint[0], engine="torch", device="cpu")
    wide.engine._micro_batch = 4
    np.testing.assert_allclose(wide.encode(images).taps, expected.taps, atol=1e-5)
    np.testing.assert_allclose(wide.encode(images).logits, expected.logits, atol=1e-5)


def test_no_images_give_empty_arrays(encoder):
    encodings = encoder.encode([])
    assert encodings.taps.shape == (0, 13, tiny.HIDDEN)
    assert encodings.patches.shape == (0, 4, 4, tiny.HIDDEN)
    assert encodings.logits.shape == (0, 2)
    assert encodings.scores.shape == (0,)


def test_arrays_have_the_stated_types(encoder):
    encodings = encoder.encode(pictures(1))
    arrays = (encodings.taps, encodings.patches, encodings.logits, encodings.scores)
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    assert encoder.grid == (4, 4)
    assert 0 <= encodings.scores[0] <= 1


def test_the_passport_holds_everything_that_changes_a_number(encoder, checkpoint):
    directory, _ = checkpoint
    passport = encoder.passport
    assert passport.weights_sha256 == encoder.checkpoint.weights_sha256
    assert passport.preprocessing == encoder.checkpoint.recipe.to_json()
    assert (passport.dim, passport.precision) == (tiny.HIDDEN, "fp32")
    half = load_encoder(directory, engine="torch", device="cpu", precision="bf16", layers=(4,))
    assert half.passport.precision == "bf16"
    assert passport.differences(half.passport).keys() == {"taps"}


@pytest.mark.parametrize(
    ("one", "other", "mix"),
    [
        ("fp32", "bf16", True),
        ("fp16", "bf16", True),
        ("int8", "int8", True),
        ("int8", "fp32", False),
        ("bf16", "int8", False),
        ("fp32", "fp4", False),
    ],
)
def test_classes_mix_where_the_gate_holds_both_near_fp32(encoder, one, other, mix):
    mine, theirs = (replace(encoder.passport, precision=name) for name in (one, other))
    assert mine.differences(theirs) == ({} if mix else {"precision": (one, other)})


def test_bf16_is_near_fp32_and_not_equal(encoder, checkpoint):
    images = pictures(2)
    half = (
        load_encoder(checkpoint[0], engine="torch", device="cpu", precision="bf16")
        .encode(images)
        .taps
    )
    full = encoder.encode(images).taps
    cosine = (half * full).sum(-1) / np.linalg.norm(half, axis=-1) / np.linalg.norm(full, axis=-1)
    assert not np.array_equal(half, full)
    assert cosine.min() > 0.999


def test_position_embeddings_are_resampled_when_the_crop_is_larger(tmp_path):
    model = tiny.write_vit(tmp_path)
    processor = {**tiny.PROCESSOR, "size": {"shortest_edge": 48}, "crop_size": 48}
    tiny.write_json(tmp_path / "preprocessor_config.json", processor)
    encoder = load_encoder(tmp_path, engine="torch", device="cpu")
    image = np.asarray(Image.effect_noise((48, 48), 80).convert("RGB"))
    batch = torch.from_numpy(preprocess(image, encoder.checkpoint.recipe))[None]
    with torch.inference_mode():
        expected = model(batch, interpolate_pos_encoding=True).logits.numpy()
    assert encoder.grid == (6, 6)
    np.testing.assert_allclose(encoder.encode([image]).logits, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("device", "precision", "text"),
    [
        ("abacus", "auto", "device 'abacus' is not available"),
        ("xla", "auto", "without torch_xla"),
        ("cpu", "fp64", "precision 'fp64'"),
        ("cpu", "fp16", "fp16 on a CPU"),
    ],
)
def test_engines_that_are_not_there(device, precision, text):
    with pytest.raises(UsageError, match=text):
        choose(device, precision)


def test_a_cpu_computes_in_fp32_by_itself():
    assert choose("cpu").precision == "fp32"


def test_a_second_view_adds_taps_of_the_residual_and_changes_nothing_else(checkpoint, encoder):
    both = load_encoder(checkpoint[0], engine="torch", device="cpu", views=2)
    images = pictures(3)
    one, two = encoder.encode(images), both.encode(images)
    names = encoder.passport.taps
    assert both.passport.taps == (*names, *(f"residual.{name}" for name in names))
    np.testing.assert_array_equal(two.taps[:, : len(names)], one.taps)
    np.testing.assert_array_equal(two.patches, one.patches)
    inputs = [residual(image, encoder.checkpoint.recipe)[None] for image in images]
    np.testing.assert_array_equal(two.taps[:, len(names) :], encoder.encode_prepared(inputs).taps)
    assert both.encode([]).taps.shape == (0, 2 * len(names), tiny.HIDDEN)
    again = load_encoder(**both.reference, engine="torch")
    assert again.passport == both.passport


def test_a_third_view_is_refused(checkpoint):
    with pytest.raises(UsageError, match="3 views; expected 1 or 2"):
        load_encoder(checkpoint[0], views=3)
