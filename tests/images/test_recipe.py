"""The recipe does to a pixel what the PIL image processors of transformers do."""

import numpy as np
import pytest
from PIL import Image
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from indexer.errors import CheckpointError, ImageRejected
from indexer.images.recipe import Recipe, preprocess

TRAINED = {"size": {"shortest_edge": 440}, "do_center_crop": True, "crop_size": 384}
PROCESSORS = {
    "vit": ViTImageProcessorPil(),
    "as trained": ViTImageProcessorPil(**TRAINED, resample=2),
    "clip": CLIPImageProcessorPil(),
    "dinov2": BitImageProcessorPil(size={"shortest_edge": 256}),
}
MODES = ["RGB", "L", "RGBA", "P", "CMYK"]


def pictures():
    """20 images of varied size and mode: smooth shapes, hard edges and noise."""
    rng = np.random.default_rng(5)
    for number in range(20):
        height, width = (int(edge) for edge in rng.integers(20, 700, 2))
        y, x = np.mgrid[:height, :width]
        smooth = (
            127
            + 90
            * np.sin(x / 17 + number)[..., None]
            * np.cos(y / (9, 13, 21)[number % 3])[..., None]
        )
        noise = rng.normal(0, 25, (height, width, 3))
        edges = 60 * ((x // 11 + y // 7) % 2)[..., None]
        pixels = np.clip(smooth + noise + edges, 0, 255).astype(np.uint8)
        yield Image.fromarray(pixels).convert(MODES[number % len(MODES)])


@pytest.mark.parametrize("name", PROCESSORS)
def test_at_most_one_level_from_the_transformers_processor(name):
    processor = PROCESSORS[name]
    recipe = Recipe.from_processor_config(
        {**processor.to_dict(), "image_processor_type": type(processor).__name__}
    )
    for picture in pictures():
        expected = processor(picture.convert("RGB"), return_tensors="np")["pixel_values"][0]
        rgb = np.asarray(picture.convert("RGB"))
        levels = (preprocess(rgb, recipe) - expected) * np.array(recipe.std)[:, None, None] * 255
        assert np.abs(levels).max() <= 1.0


def test_values_by_hand():
    recipe = Recipe(None, "bilinear", (1, 2), (0.5, 0.0, 0.25), (0.5, 1.0, 0.25))
    rgb = np.array([[[9, 9, 9], [255, 51, 0], [0, 255, 255], [9, 9, 9]]], np.uint8)
    expected = np.array([[[1, -1]], [[0.2, 1]], [[-1, 3]]], np.float32)
    np.testing.assert_allclose(preprocess(rgb, recipe), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(16, 200_000, 3), (200_000, 16, 3)])
def test_a_long_strip_shows_its_centre(shape):
    """Its full resize would have 2.4 billion pixels; a ramp along it shows which part is seen."""
    recipe = Recipe(440, "bilinear", (384, 384), (0.0,) * 3, (1.0,) * 3)
    long = int(np.argmax(shape))
    ramp = np.clip(np.arange(200_000) - 99_900, 0, 255).astype(np.uint8)
    rgb = np.broadcast_to(np.expand_dims(ramp, (1 - long, 2)), shape)
    seen = preprocess(np.ascontiguousarray(rgb), recipe)[0] * 255
    profile = seen.mean(axis=1 - long)
    centres = (np.arange(384) + 0.5 - 192) * 16 / 440 + 100_000 - 0.5 - 99_900
    np.testing.assert_allclose(profile, centres, atol=0.51)


def test_an_image_smaller_than_an_unscaled_crop_is_refused_not_padded():
    recipe = Recipe(None, "bilinear", (32, 32), (0.0,) * 3, (1.0,) * 3)
    with pytest.raises(ImageRejected, match="31x40 pixels; expected at least 32x32") as caught:
        preprocess(np.zeros((40, 31, 3), np.uint8), recipe)
    assert caught.value.reason == "too-small"


def test_legacy_processor_files():
    """An int `size` without type key means a square of that size, halves and bilinear."""
    legacy = Recipe.from_processor_config({"size": 224, "image_mean": [0.5] * 3})
    assert legacy == Recipe((224, 224), "bilinear", None, (0.5,) * 3, (0.5,) * 3)
    clip = {"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224}
    assert Recipe.from_processor_config(clip).resize == 224
    assert Recipe.from_processor_config(clip).resample == "bicubic"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"resize": 440, "crop": None}, "without centre crop"),
        ({"resize": None, "crop": None}, "without centre crop"),
        ({"resize": 200, "crop": (224, 224)}, "would pad"),
        ({"resize": 256, "crop": (224, 224), "resample": "magic"}, "filter 'magic'"),
    ],
)
def test_recipes_that_could_not_be_followed(arguments, text):
    fields = {"resample": "bilinear", "mean": (0.0,) * 3, "std": (1.0,) * 3, **arguments}
    with pytest.raises(CheckpointError, match=text):
        Recipe(**fields)


def test_json_is_canonical():
    recipe = Recipe(440, "bilinear", (384, 384), (0.5,) * 3, (0.25,) * 3, rescale=0.5)
    assert recipe.to_json() == (
        '{"crop":[384,384],"mean":[0.5,0.5,0.5],"resample":"bilinear","rescale":0.5,'
        '"resize":440,"std":[0.25,0.25,0.25]}'
    )
