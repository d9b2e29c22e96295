"""The photographs that come with scikit-image and scikit-learn and are free to use.

Only those whose licence is stated without doubt and that show no private person:

- scikit-image (docstrings of `skimage.data`): astronaut (NASA, public domain), rocket
  (SpaceX, public domain), chelsea, coffee, camera, brick, grass, gravel (CC0).
- scikit-learn (`sklearn/datasets/images/README.txt`): china (danielbuechele, CC BY 2.0),
  flower (vultilion, CC BY 2.0).
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

from indexer.samples.codec import decode
from indexer.samples.pixels import to_picture
from indexer.types import Float32

HELD_OUT = (
    "skimage/astronaut.png",
    "skimage/chelsea.png",
    "skimage/coffee.png",
    "skimage/rocket.jpg",
    "sklearn/china.jpg",
    "sklearn/flower.jpg",
)
"""Never seen in the training of the demo checkpoint; the sample collection is made of them."""

TRAINING = (
    "skimage/brick.png",
    "skimage/camera.png",
    "skimage/grass.png",
    "skimage/gravel.png",
)
"""Seen in training, with the wallpapers that the recipe takes from a folder."""

_FOLDERS = {"skimage": ("skimage", "data"), "sklearn": ("sklearn.datasets", "images")}


@cache
def load(name: str) -> Float32:
    """The picture of this name ("package/file"). Treat it as read-only: it is kept."""
    package, file = name.split("/")
    module, folder = _FOLDERS[package]
    return to_picture(decode(Path(str(files(module))) / folder / file))
