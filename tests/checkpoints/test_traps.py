"""Every known way to load a checkpoint wrongly ends in an error that names it."""

import json
import shutil
from dataclasses import replace

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file

from indexer.checkpoints import Known, load_registry, pull, resolve
from indexer.errors import CheckpointError, NotFound, UsageError
from indexer.images.recipe import Recipe

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def vit(tmp_path):
    tiny.write_vit(tmp_path / "vit")
    return tmp_path / "vit"


def write_shape(directory, hidden, heads, mlp):
    """A ViT of one layer with these widths, as transformers writes it."""
    from transformers import ViTConfig
    from transformers.models.vit.modeling_vit import ViTForImageClassification

    config = ViTConfig(
        hidden_size=hidden,
        num_attention_heads=heads,
        intermediate_size=mlp,
        num_hidden_layers=1,
        image_size=32,
        patch_size=16,
        id2label={0: "real", 1: "fake"},
    )
    ViTForImageClassification(config).save_pretrained(directory)
    tiny.write_json(directory / "preprocessor_config.json", tiny.PROCESSOR)


def test_a_small_vit_with_the_wide_mlp_is_the_known_bad_port(tmp_path):
    write_shape(tmp_path, 384, 6, 3072)
    with pytest.raises(CheckpointError, match="known-bad port of the Community Forensics"):
        resolve(str(tmp_path))


def test_the_wide_mlp_is_refused_when_only_the_config_states_it(tmp_path):
    write_shape(tmp_path, 384, 6, 1536)
    tiny.edit_config(tmp_path, intermediate_size=3072)
    with pytest.raises(CheckpointError, match="known-bad port"):
        resolve(str(tmp_path))


def test_twelve_heads_on_a_small_vit(tmp_path):
    write_shape(tmp_path, 384, 12, 1536)
    with pytest.raises(CheckpointError, match="12 heads on a width of 384; expected 6 heads"):
        resolve(str(tmp_path))


def test_the_right_small_vit_is_accepted(tmp_path):
    write_shape(tmp_path, 384, 6, 1536)
    assert resolve(str(tmp_path)).architecture.heads == 6


def test_prefixed_weights_beside_a_timm_config(tmp_path):
    tiny.write_community_forensics(tmp_path)
    timm = {"architecture": "vit_small_patch16_224", "pretrained_cfg": {}}
    tiny.write_json(tmp_path / "config.json", timm)
    with pytest.raises(CheckpointError, match=r"timm checkpoint without the tensor vit\.embed"):
        resolve(str(tmp_path))


def test_timm_weights_beside_a_transformers_config(tmp_path, vit):
    tiny.write_timm(tmp_path / "timm")
    shutil.copy(tmp_path / "timm/model.safetensors", vit)
    with pytest.raises(CheckpointError, match="a vit checkpoint without the tensor"):
        resolve(str(vit))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda w: w.pop("vit.layernorm.bias"), r"1 missing \(such as vit.layernorm.bias\)"),
        (lambda w: w.update(more=torch.zeros(1)), r"1 unexpected \(such as more\)"),
        (
            lambda w: w.update({"vit.layernorm.bias": torch.zeros(7)}),
            r"1 mismatched \(such as vit.layernorm.bias \(7,\) instead of \(128,\)\)",
        ),
    ],
)
def test_every_tensor_is_accounted_for(vit, change, text):
    weights = load_file(vit / "model.safetensors")
    change(weights)
    save_file(weights, vit / "model.safetensors")
    with pytest.raises(CheckpointError, match=text):
        resolve(str(vit))


def test_a_config_that_contradicts_the_weights(vit):
    tiny.edit_config(vit, num_hidden_layers=12)
    with pytest.raises(CheckpointError, match="says num_hidden_layers 12; expected 4"):
        resolve(str(vit))


def test_an_unknown_layout(vit):
    tiny.edit_config(vit, model_type="swin")
    with pytest.raises(CheckpointError, match=r"unknown checkpoint layout \(model_type 'swin'\)"):
        resolve(str(vit))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth"])
def test_a_pickle_is_refused_with_the_command_that_converts_it(vit, name):
    (vit / "model.safetensors").rename(vit / name)
    for ref in (vit, vit / name):
        with pytest.raises(CheckpointError, match=f"indexer model convert {vit / name} --to DIR"):
            resolve(str(ref))


@pytest.mark.parametrize("cut", [4, 1000, -1])
def test_damaged_weights(vit, cut):
    weights = vit / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:cut])
    with pytest.raises(CheckpointError, match="copy or pull it again"):
        resolve(str(vit))


def test_labels_that_name_no_fake(vit):
    tiny.edit_config(vit, id2label={"0": "LABEL_0", "1": "LABEL_1"})
    with pytest.raises(CheckpointError, match=r"label order unknown: 0 of the 2 .*--fake-label"):
        resolve(str(vit))
    assert resolve(str(vit), fake_label="LABEL_0").head.fake == 0
    with pytest.raises(CheckpointError, match="are named 'LABEL_7'"):
        resolve(str(vit), fake_label="LABEL_7")


@pytest.mark.parametrize(
    ("labels", "fake"),
    [
        (("real", "fake"), 1),
        (("Deepfake", "Real"), 0),
        (("human", "AI-generated"), 1),
        (("not fake", "fake"), 1),
    ],
)
def test_label_order_comes_from_the_config(tmp_path, labels, fake):
    tiny.write_vit(tmp_path, labels=labels)
    assert resolve(str(tmp_path)).head.fake == fake


def test_two_fake_classes_need_a_word(tmp_path):
    tiny.write_vit(tmp_path, labels=("real", "AI art", "deepfake"))
    with pytest.raises(CheckpointError, match="label order unknown: 2 of the 3"):
        resolve(str(tmp_path))


def test_a_crop_size_without_crop(vit):
    tiny.write_json(vit / "preprocessor_config.json", {**tiny.PROCESSOR, "do_center_crop": False})
    with pytest.raises(CheckpointError, match='set "do_center_crop": true'):
        resolve(str(vit))


def test_no_preprocessing_is_not_guessed(vit):
    (vit / "preprocessor_config.json").unlink()
    with pytest.raises(CheckpointError, match=r"has no preprocessor_config\.json"):
        resolve(str(vit))


def test_a_hub_id_must_be_pinned():
    for ref in ("org/name", "org/name@main"):
        with pytest.raises(UsageError, match="no pinned revision"):
            resolve(ref)


def test_a_name_nobody_knows(tmp_path):
    with pytest.raises(NotFound, match="one of community-forensics, commfor-384, demo"):
        resolve("comunity-forensics")


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """A cache of its own and a hub that nobody can reach: nothing listens on the discard port."""
    monkeypatch.setenv("LINEUP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    return tmp_path / "cache" / "checkpoints"


@pytest.mark.parametrize("ref", ["community-forensics", "OwensLab/commfor-model-384"])
def test_without_a_network_the_error_says_what_to_copy_where(offline, ref):
    with pytest.raises(CheckpointError) as caught:
        resolve(ref)
    told = str(caught.value)
    assert "\n" not in told
    assert "is not on this machine and the hub cannot be reached" in told
    assert "indexer model pull com" in told
    assert "copy model.safetensors, config.json and preprocessor_config.json" in told
    assert str(offline) in told
    assert list(offline.iterdir()) == [], "nothing half-made stays behind"


def test_a_checkpoint_copied_into_the_cache_works_without_a_network(offline, vit):
    offline.mkdir(parents=True)
    shutil.copytree(vit, offline / f"org--name@{REVISION[:12]}")
    checkpoint = resolve(f"org/name@{REVISION}")
    assert (checkpoint.name, checkpoint.revision) == (f"org/name@{REVISION}", REVISION)
    assert pull(f"org/name@{REVISION}").weights_sha256 == checkpoint.weights_sha256


def known_for(directory, **changes):
    plain = resolve(str(directory))
    weights = directory / "model.safetensors"
    entry = Known(
        name="ours",
        summary="",
        note="",
        licence="MIT",
        repository="org/name",
        revision=REVISION,
        sha256=plain.weights_sha256,
        bytes=weights.stat().st_size,
    )
    return replace(entry, **changes)


def test_a_copied_directory_keeps_what_the_registry_says_of_its_weights(vit):
    recipe = Recipe(48, "bicubic", (32, 32), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    entry = known_for(vit, recipe=recipe, fake_class=0, layer_norm_eps=1e-6)
    checkpoint = resolve(str(vit), registry={"ours": entry})
    assert (checkpoint.name, checkpoint.revision, checkpoint.licence) == ("ours", REVISION, "MIT")
    assert checkpoint.recipe == recipe
    assert checkpoint.head.fake == 0
    assert checkpoint.architecture.layer_norm_eps == 1e-6


@pytest.mark.parametrize(("field", "value"), [("sha256", "0" * 64), ("bytes", 7)])
def test_weights_that_are_not_the_pinned_ones(offline, vit, field, value):
    entry = known_for(vit, **{field: value})
    offline.mkdir(parents=True)
    shutil.copytree(vit, offline / f"org--name@{REVISION[:12]}")
    with pytest.raises(CheckpointError, match=f"expected {value}; copy or pull it again"):
        resolve("ours", registry={"ours": entry})


def test_the_registry_pins_the_detector_as_it_was_trained():
    registry = load_registry()
    port = registry["community-forensics"]
    assert port.revision == "ac6ee457bea904a373065754107451793b56db00"
    assert port.bytes == 87_270_764
    assert port.recipe == Recipe(
        440, "bilinear", (384, 384), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    )
    assert {point.grade for point in port.operating_points} <= {"A", "M", "B"}
    assert registry["commfor-384"].recipe == port.recipe
    assert registry["demo"].bundled == "demo"


def test_resolving_needs_no_torch(vit):
    import subprocess
    import sys

    code = (
        "import sys; from indexer.checkpoints import resolve; "
        f"resolve({str(vit)!r}); print(sorted({{'torch', 'transformers'}} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout.replace("'", '"')) == []
