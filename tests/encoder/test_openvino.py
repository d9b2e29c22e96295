"""OpenVINO computes what torch computes, in every layout, and is refused where it does not."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tiny

from indexer.checkpoints import resolve
from indexer.encoder import load_encoder, openvino_engine
from indexer.encoder.graph import Graph
from indexer.errors import EngineRefused, MissingExtra, UsageError
from indexer.precision import BOUNDS

LAYOUTS = {
    "vit": (tiny.write_vit, {}),
    "one logit": (tiny.write_community_forensics, {}),
    "timm": (tiny.write_timm, {}),
    "dinov2 at another size": (tiny.write_dinov2, {"image_size": 56}),
    "clip, no head": (tiny.write_clip, {}),
}
ARRAYS = ("taps", "patches", "logits", "scores")


def pictures(count=3, seed=0):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(40, 90, (count, 2))
    return [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in sizes]


def cosines(found, expected):
    lengths = np.linalg.norm(found, axis=-1) * np.linalg.norm(expected, axis=-1)
    return (found * expected).sum(axis=-1) / lengths


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    directory = tmp_path_factory.mktemp("vit")
    tiny.write_vit(directory)
    return directory


@pytest.fixture(scope="module")
def reference(checkpoint):
    return load_encoder(checkpoint, engine="torch", device="cpu", precision="fp32")


@pytest.mark.parametrize("case", LAYOUTS)
def test_every_layout_yields_what_torch_yields(tmp_path, case):
    write, arguments = LAYOUTS[case]
    write(tmp_path, seed=3, **arguments)
    mine = load_encoder(tmp_path, engine="openvino", precision="fp32").encode(pictures())
    torchs = load_encoder(tmp_path, engine="torch", device="cpu").encode(pictures())
    for name in ARRAYS:
        found, expected = getattr(mine, name), getattr(torchs, name)
        assert (found is None) == (expected is None)
        if expected is not None:
            np.testing.assert_allclose(found, expected, atol=1e-4)
            assert found.dtype == np.float32


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_a_class_keeps_its_bounds_on_images_the_gate_has_not_seen(checkpoint, reference, precision):
    encoder = load_encoder(checkpoint, engine="openvino", precision=precision)
    found, expected = (e.encode(pictures(20, seed=8)) for e in (encoder, reference))
    assert encoder.passport.precision == precision
    assert cosines(found.taps, expected.taps).min() >= BOUNDS[precision].cosine
    scale = np.abs(expected.logits).max(initial=1)
    assert np.abs(found.logits - expected.logits).max() <= BOUNDS[precision].logits * scale


def test_an_encoding_does_not_depend_on_its_batch(checkpoint):
    encoder = load_encoder(checkpoint, engine="openvino")
    images = pictures(7)
    together = encoder.encode(images)
    for index in range(len(images)):
        alone = encoder.encode([images[index]])
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[index])
    assert encoder.encode([]).taps.shape == (0, 13, tiny.HIDDEN)


WARM = """
import sys
import numpy as np
from indexer.encoder import load_encoder
image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
taps = load_encoder(sys.argv[1], engine="openvino").encode([image]).taps
print(taps.tobytes().hex(), *(name for name in ("torch", "transformers") if name in sys.modules))
"""


def test_a_second_start_needs_no_torch_and_yields_the_same_bits(checkpoint):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    first = load_encoder(checkpoint, engine="openvino").encode([image]).taps
    command = [sys.executable, "-c", WARM, str(checkpoint)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.split() == [first.tobytes().hex()]


def test_a_damaged_conversion_is_made_again(tmp_path, monkeypatch, checkpoint):
    monkeypatch.setenv("LINEUP_CACHE", str(tmp_path))
    first = load_encoder(checkpoint, engine="openvino").encode(pictures()).taps
    [binary] = tmp_path.glob("engines/*/model.bin")
    whole = binary.read_bytes()
    binary.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    second = load_encoder(checkpoint, engine="openvino").encode(pictures()).taps
    np.testing.assert_array_equal(first, second)
    assert binary.read_bytes() == whole


def test_a_cache_that_cannot_be_written_costs_time_only(
    tmp_path, monkeypatch, caplog, checkpoint, reference
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LINEUP_CACHE", str(tmp_path / "file"))
    encoder = load_encoder(checkpoint, engine="openvino", precision="fp32")
    expected = reference.encode(pictures()).taps
    np.testing.assert_allclose(encoder.encode(pictures()).taps, expected, atol=1e-4)
    assert "it is converted again at each start" in caplog.text


def test_the_gate_refuses_a_conversion_of_other_weights(tmp_path, monkeypatch, checkpoint):
    """One matrix of the last block, whose outputs only some taps see."""
    monkeypatch.setenv("LINEUP_CACHE", str(tmp_path))
    convert = openvino_engine.convert

    def convert_wrongly(graph: Graph, *rest):
        weights = dict(graph.named_parameters())
        name = next(n for n in weights if n.endswith("3.mlp.fc2.weight"))
        weights[name].mul_(1.2)
        return convert(graph, *rest)

    monkeypatch.setattr(openvino_engine, "convert", convert_wrongly)
    with pytest.raises(EngineRefused, match=r"tap (4\.\w+|final\.cls) has cosine 0\.9\d+, log"):
        load_encoder(checkpoint, engine="openvino")
    assert not list(tmp_path.glob("engines/*"))


def test_a_published_conversion_says_what_the_gate_found(tmp_path, monkeypatch, checkpoint):
    monkeypatch.setenv("LINEUP_CACHE", str(tmp_path))
    load_encoder(checkpoint, engine="openvino", precision="fp32")
    [manifest] = tmp_path.glob("engines/*/manifest.json")
    written = json.loads(manifest.read_text())
    assert written["key"]["weights"] == resolve(str(checkpoint)).weights_sha256
    assert written["gate"]["cosine"] >= BOUNDS["fp32"].cosine
    assert written["files"].keys() == {"model.xml", "model.bin"}


def test_nothing_reports_home():
    code = (
        "import sys, indexer.encoder.compress, indexer.encoder.openvino_engine\n"
        "from openvino.tools.ovc import telemetry\n"
        "print(sys.modules['openvino_telemetry'], type(telemetry).__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "openvino.tools.ovc.telemetry_stub"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"engine": "abacus"}, "engine 'abacus'"),
        ({"engine": "openvino", "device": "cuda"}, "openvino on device 'cuda'"),
        ({"engine": "openvino", "precision": "fp16"}, "'fp16' with the engine openvino"),
        ({"engine": "torch", "precision": "int8"}, "precision 'int8'"),
    ],
)
def test_engines_that_are_not_there(checkpoint, arguments, text):
    with pytest.raises(UsageError, match=text):
        load_encoder(checkpoint, **arguments)


def test_without_openvino_torch_computes_and_who_asks_for_it_is_told_the_extra(
    checkpoint, monkeypatch
):
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "indexer.encoder.openvino_engine")
    monkeypatch.delattr("indexer.encoder.openvino_engine")
    assert load_encoder(checkpoint, device="cpu").engine.name == "torch"
    for arguments in ({"engine": "openvino"}, {"precision": "int8"}):
        with pytest.raises(MissingExtra, match=r"lineup\[openvino\]"):
            load_encoder(checkpoint, **arguments)
