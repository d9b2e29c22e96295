"""The recipe's conversion on a tiny random DINOv2."""

import pytest
import torch
from transformers import Dinov2Config, Dinov2Model, ViTForImageClassification

from recipe.backbone import convert
from recipe.export import export
from recipe.train import hidden_states


@pytest.fixture
def backbone(tmp_path):
    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=70,
        patch_size=14,
    )
    model = Dinov2Model(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn_like(weight) * 0.3)
    model.save_pretrained(tmp_path / "dinov2")
    return model, tmp_path / "dinov2"


@torch.inference_mode()
def test_hidden_states_equal_the_source_at_another_resolution(backbone):
    source, directory = backbone
    vit = convert(directory, layers=2, image_size=56)
    pixels = torch.randn(2, 3, 56, 56)
    expected = source(pixels, output_hidden_states=True).hidden_states
    found = vit.vit(pixels, output_hidden_states=True).hidden_states
    assert len(found) == 3
    for mine, theirs in zip(found, expected[:3], strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_the_training_pass_is_the_models_own_and_a_window_is_a_part_of_it(backbone):
    vit = convert(backbone[1], layers=2, image_size=56)
    pixels = torch.randn(1, 3, 56, 56)
    whole = hidden_states(vit, pixels, torch.tensor([0, 0]))
    own = vit.vit(pixels, output_hidden_states=True).hidden_states
    for mine, theirs in zip(whole, own, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-5)
    window = hidden_states(vit, pixels[..., 14:42, 28:56], torch.tensor([1, 2]))[0]
    expected = whole[0][:, 1:].unflatten(1, (4, 4))[:, 1:3, 2:4].flatten(1, 2)
    torch.testing.assert_close(window[:, 1:], expected, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_an_exported_checkpoint_loads_without_loss_in_half_precision(backbone, tmp_path):
    vit = convert(backbone[1], layers=2, image_size=56)
    export(vit, tmp_path / "out")
    loaded, report = ViTForImageClassification.from_pretrained(
        tmp_path / "out", dtype=torch.float32, output_loading_info=True
    )
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    for name, weight in vit.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], weight.half().float())
