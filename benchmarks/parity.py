"""Do engines and precisions agree on real images, and does retrieval move between them?

python -m benchmarks.parity --corpus ../shared/corpus \\
    --checkpoint ../shared/models/dinov2-small-probe [--images 200]

Cosine of every tap to torch fp32 on images of the corpus, and family mAP of the whole gallery
asked for its own images (`indexer evaluate`, cross-fitted), once for each class of arithmetic.
The query half is not read.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from benchmarks._encoding import write_result
from indexer.encoder import load_encoder
from indexer.filters import parse_filter
from indexer.images import decode
from indexer.index import Index, build_index
from indexer.index.evaluate import evaluate_index
from indexer.sources import open_source

CLASSES = {"fp32": "torch", "bf16": "openvino", "int8": "openvino"}


def cosines(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """(n, taps)."""
    lengths = np.linalg.norm(found, axis=-1) * np.linalg.norm(expected, axis=-1)
    return (found * expected).sum(axis=-1) / lengths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    gallery = open_source(options.corpus / "manifest.csv").select(
        parse_filter("meta.role = 'gallery'")
    )
    items = list(gallery)
    chosen = np.random.default_rng(0).choice(len(items), options.images, replace=False)
    images = [decode(items[int(row)].read()).rgb for row in sorted(chosen)]
    encoders = {
        precision: load_encoder(options.checkpoint, engine=engine, precision=precision)
        for precision, engine in CLASSES.items()
    }
    encoded = {precision: encoder.encode(images) for precision, encoder in encoders.items()}
    reference = encoded["fp32"]
    result: dict[str, object] = {"images": options.images}
    for precision in ("bf16", "int8"):
        found = cosines(encoded[precision].taps, reference.taps)
        worst = dict(zip(encoders[precision].passport.taps, found.min(axis=0), strict=True))
        result[precision] = {
            "least_cosine": round(float(found.min()), 6),
            "median_of_least": round(float(np.median(found.min(axis=1))), 6),
            "by_tap": {tap: round(float(value), 6) for tap, value in worst.items()},
        }
        if reference.logits is not None:
            off = np.abs(encoded[precision].logits - reference.logits).max()
            result[precision]["largest_logit_deviation"] = round(float(off), 4)
    found_map = {}
    with tempfile.TemporaryDirectory() as folder:
        for precision, encoder in encoders.items():
            with Index.create(Path(folder) / precision, encoder) as index:
                build_index(index, [gallery], thumbnails=False)
                evaluation, _ = evaluate_index(index)
                found_map[precision] = round(evaluation.family.map.value, 4)
                print(f"{precision}: family mAP {found_map[precision]}", flush=True)
    result["family_map"] = found_map
    print(json.dumps(result, indent=1))
    write_result("parity", result)


if __name__ == "__main__":
    main()
