"""Each layout, with random weights on disk, says what its source model says."""

import json

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file

from indexer.encoder import load_encoder
from indexer.errors import CheckpointError
from indexer.images.recipe import preprocess


def pictures(count=3, seed=0):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(40, 90, (count, 2))
    return [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in sizes]


def pixels(encoder, images):
    recipe = encoder.checkpoint.recipe
    return torch.from_numpy(np.stack([preprocess(image, recipe) for image in images]))


def logits_of(model, batch):
    with torch.inference_mode():
        output = model(batch)
    return getattr(output, "logits", output).numpy()


LAYOUTS = {
    "vit classic keys": (tiny.write_vit, {}, "vit"),
    "vit v5 keys": (tiny.write_vit, {"v5_keys": True}, "vit"),
    "vit one logit": (tiny.write_vit, {"labels": ["LABEL_0"]}, "vit"),
    "timm": (tiny.write_timm, {}, "timm"),
    "community forensics": (tiny.write_community_forensics, {}, "community-forensics"),
    "dinov2": (tiny.write_dinov2, {}, "dinov2"),
    "dinov2 at another size": (tiny.write_dinov2, {"image_size": 56}, "dinov2"),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_logits_equal_those_of_the_source_model(tmp_path, case):
    write, arguments, layout = LAYOUTS[case]
    model = write(tmp_path / "checkpoint", seed=3, **arguments)
    encoder = load_encoder(tmp_path / "checkpoint", engine="torch", device="cpu")
    images = pictures()
    encodings = encoder.encode(images)
    expected = logits_of(model, pixels(encoder, images))
    assert encoder.checkpoint.layout == layout
    np.testing.assert_allclose(encodings.logits, expected, atol=1e-5)
    assert np.ptp(expected, axis=0).min() > 1e-2, "the images must tell the models apart"


def test_the_two_key_generations_are_different_files_with_one_meaning(tmp_path):
    tiny.write_vit(tmp_path / "classic")
    tiny.write_vit(tmp_path / "v5", v5_keys=True)
    assert "vit.encoder.layer.0.output.dense.bias" in load_file(
        tmp_path / "classic/model.safetensors"
    )
    assert "vit.layers.0.mlp.fc2.bias" in load_file(tmp_path / "v5/model.safetensors")
    images = pictures()
    first, second = (
        load_encoder(tmp_path / name, engine="torch").encode(images) for name in ("classic", "v5")
    )
    np.testing.assert_array_equal(first.taps, second.taps)


@pytest.mark.parametrize("with_text", [False, True])
def test_clip_gives_a_cls_after_the_last_norm_and_no_score(tmp_path, with_text):
    tower = tiny.write_clip(tmp_path, with_text=with_text)
    encoder = load_encoder(tmp_path, engine="torch")
    images = pictures()
    encodings = encoder.encode(images)
    with torch.inference_mode():
        output = tower(pixels(encoder, images), output_hidden_states=True)
        cls = tower.post_layernorm(output.last_hidden_state)[:, 0].numpy()
        patches = output.hidden_states[4][:, 1:].unflatten(1, (4, 4)).numpy()
    assert encodings.logits is None
    assert encodings.scores is None
    np.testing.assert_allclose(encodings.taps[:, -1], cls, atol=1e-5)
    np.testing.assert_allclose(encodings.patches, patches, atol=1e-5)


def test_a_tower_without_head_is_an_encoder_without_score(tmp_path):
    model = tiny.write_vit(tmp_path)
    model.vit.save_pretrained(tmp_path)
    encodings = load_encoder(tmp_path, engine="torch").encode(pictures())
    assert encodings.scores is None
    tiny.write_vit(tmp_path)
    np.testing.assert_array_equal(
        encodings.taps, load_encoder(tmp_path, engine="torch").encode(pictures()).taps
    )


def test_half_precision_weights_run_as_fp32_on_a_cpu(tmp_path):
    model = tiny.write_vit(tmp_path)
    model.half().save_pretrained(tmp_path)
    encoder = load_encoder(tmp_path, engine="torch", device="cpu")
    images = pictures()
    expected = logits_of(model.float(), pixels(encoder, images))
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "float16"
    assert encoder.passport.precision == "fp32"
    np.testing.assert_allclose(encoder.encode(images).logits, expected, atol=1e-5)


def test_sigmoid_and_softmax_scores(tmp_path):
    tiny.write_vit(tmp_path / "one", labels=["LABEL_0"])
    tiny.write_vit(tmp_path / "reversed", labels=["Deepfake", "Real"])
    one = load_encoder(tmp_path / "one", engine="torch").encode(pictures())
    np.testing.assert_allclose(one.scores, 1 / (1 + np.exp(-one.logits[:, 0])), atol=1e-6)
    two = load_encoder(tmp_path / "reversed", engine="torch").encode(pictures())
    odds = np.exp(two.logits[:, 0] - two.logits[:, 1])
    np.testing.assert_allclose(two.scores, odds / (1 + odds), atol=1e-6)


def test_timm_layer_norm_epsilon_matters_and_is_used(tmp_path):
    """With the default of transformers (1e-12) the same weights give other features."""
    tiny.write_timm(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["patch_embed.proj.weight"] *= 1e-3
    weights["patch_embed.proj.bias"] *= 1e-3
    weights["pos_embed"] *= 1e-3
    weights["cls_token"] *= 1e-3
    save_file(weights, tmp_path / "model.safetensors")
    reference = tiny.TimmViT(2, tiny.SIZE, tiny.PATCH).eval()
    reference.load_state_dict(weights)
    encoder = load_encoder(tmp_path, engine="torch")
    images = pictures()
    expected = logits_of(reference, pixels(encoder, images))
    np.testing.assert_allclose(encoder.encode(images).logits, expected, atol=1e-5)
    for module in reference.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = 1e-12
    assert np.abs(logits_of(reference, pixels(encoder, images)) - expected).max() > 1e-3


@pytest.mark.parametrize(
    ("drop", "fault"), [("vit.layernorm.bias", "1 missing"), (None, "1 unexpected")]
)
def test_a_tensor_too_few_or_too_many_is_refused(tmp_path, drop, fault):
    tiny.write_vit(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    if drop:
        del weights[drop]
    else:
        weights["vit.extra.weight"] = torch.zeros(1)
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=fault):
        load_encoder(tmp_path, engine="torch")
