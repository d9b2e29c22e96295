"""Pickles become safetensors without running what they carry."""

import json
import os
import pickle

import numpy as np
import pytest
import tiny
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from indexer.cli.model import model as command
from indexer.encoder import load_encoder
from indexer.encoder.convert import convert
from indexer.errors import CheckpointError, UsageError


def test_a_compiled_training_checkpoint_of_the_authors(tmp_path):
    tiny.write_community_forensics(tmp_path / "source")
    weights = load_file(tmp_path / "source/model.safetensors")
    training = {
        "model": {f"_orig_mod.{name}": tensor for name, tensor in weights.items()},
        "optimizer": {"state": {}},
        "epoch": 3,
    }
    torch.save(training, tmp_path / "model_v11.pt")
    ran = CliRunner().invoke(
        command, ["convert", str(tmp_path / "model_v11.pt"), "--to", str(tmp_path / "converted")]
    )
    assert ran.exit_code == 0, ran.output
    images = [np.random.default_rng(0).integers(0, 256, (300, 280, 3), dtype=np.uint8)]
    first, second = (
        load_encoder(tmp_path / name, engine="torch").encode(images).logits
        for name in ("source", "converted")
    )
    np.testing.assert_array_equal(first, second)


def test_configuration_beside_the_pickle_is_kept(tmp_path):
    tiny.write_vit(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    torch.save(weights, tmp_path / "pytorch_model.bin")
    written = convert(tmp_path / "pytorch_model.bin", tmp_path / "converted")
    assert json.loads((written / "config.json").read_text())["model_type"] == "vit"
    assert load_encoder(written, engine="torch").encode([]).taps.shape == (0, 13, tiny.HIDDEN)


class Payload:
    def __reduce__(self):
        return (os.mkdir, ("owned",))


def test_code_in_a_pickle_never_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"model": Payload()}, protocol=2))
    with pytest.raises(CheckpointError, match="does not load as weights only"):
        convert(tmp_path / "evil.pt", tmp_path / "converted")
    assert not (tmp_path / "owned").exists()
    assert not (tmp_path / "converted").exists()


def test_what_cannot_be_converted(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "bare.pt")
    with pytest.raises(CheckpointError, match=r"has no config\.json beside it"):
        convert(tmp_path / "bare.pt", tmp_path / "converted")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(CheckpointError, match="holds no state dict"):
        convert(tmp_path / "list.pt", tmp_path / "converted")
    tiny.write_vit(tmp_path / "full")
    with pytest.raises(UsageError, match="exists"):
        convert(tmp_path / "bare.pt", tmp_path / "full")
