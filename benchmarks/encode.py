"""From JPEG files to committed rows, against the transformers image-classification pipeline.

python -m benchmarks.encode [--images 32] [--rounds 5]

ViT-S/16 at 384 pixels with random weights, 2-megapixel JPEGs. In every round each contender
takes the same files once, one after the other, so that a ratio compares neighbours in time; the
ceiling is the best bfloat16 matrix product of the same round. Shares are of processor time.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import pipeline

from benchmarks._encoding import write_checkpoint, write_photographs, write_result
from indexer.encoder import VitEncoder, load_encoder
from indexer.encoder.engine import cores
from indexer.index import Index, Timings, build_index
from indexer.sources import open_source

SIZE, PATCH, HIDDEN, LAYERS = 384, 16, 384, 12
TOKENS = (SIZE // PATCH) ** 2 + 1
GFLOP = LAYERS * (24 * TOKENS * HIDDEN**2 + 4 * TOKENS**2 * HIDDEN) / 1e9
"""Of one image: 2 x multiply-adds of the linear layers and of the attention products."""


def peer(checkpoint: Path, batch: int) -> Callable[[list[Path]], float]:
    classify = pipeline("image-classification", model=str(checkpoint), device="cpu")

    def run(photographs: list[Path]) -> float:
        torch.set_num_threads(cores())
        began = time.perf_counter()
        classify([str(path) for path in photographs], batch_size=batch)
        return time.perf_counter() - began

    return run


def lineup(encoder: VitEncoder, spent: list[dict[str, float]]) -> Callable[[list[Path]], float]:
    def run(photographs: list[Path]) -> float:
        torch.set_num_threads(1)
        timings, committed = Timings(), 0.0

        def note(_: object) -> None:
            nonlocal committed
            committed = time.perf_counter()

        with tempfile.TemporaryDirectory() as folder:
            index = Index.create(Path(folder) / "index", encoder)
            began = time.perf_counter()
            source = open_source(photographs[0].parent)
            with index:
                build_index(index, [source], on_progress=note, timings=timings)
        spent.append(timings.to_dict())
        return committed - began

    return run


def ceiling() -> float:
    """GFLOP/s of the best bfloat16 matrix product, on all cores."""
    torch.set_num_threads(cores())
    best = 0.0
    for rows, inner, columns in ((2308, 384, 1536), (2048, 2048, 2048), (1024, 4096, 1024)):
        left, right = torch.rand(rows, inner).bfloat16(), torch.rand(inner, columns).bfloat16()
        for _ in range(12):
            began = time.perf_counter()
            torch.mm(left, right)
            seconds = time.perf_counter() - began
            best = max(best, 2 * rows * inner * columns / seconds / 1e9)
    return best


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


def shares(runs: list[dict[str, float]]) -> dict[str, float]:
    """Step -> share of the processor time from file to row, without the fit at the end."""
    steps = {name: sum(run[name] for run in runs) for name in runs[0]}
    total = sum(value for name, value in steps.items() if name not in ("clock", "fit"))
    return {n: round(v / total, 4) for n, v in steps.items() if n not in ("clock", "fit")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = write_checkpoint(folder / "vit-s", SIZE, PATCH, HIDDEN, LAYERS)
        photographs = write_photographs(folder / "photographs", options.images, 1224, 1632)
        kilobytes = statistics.mean(path.stat().st_size for path in photographs) / 1000
        spent: dict[str, list[dict[str, float]]] = {"bf16": [], "int8": []}
        contenders = {f"pipeline, batch {n}": peer(checkpoint, n) for n in (1, 8)}
        for precision, times in spent.items():
            encoder = load_encoder(checkpoint, engine="openvino", precision=precision)
            contenders[f"lineup {precision}"] = lineup(encoder, times)
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        ceilings = []
        for round_ in range(options.rounds + 1):
            if round_ == 1:  # the first one only warms up
                rates = {name: [] for name in contenders}
                ceilings.clear()
                for times in spent.values():
                    times.clear()
            ceilings.append(ceiling())
            for contender, run in contenders.items():
                rates[contender].append(options.images / run(photographs))
                print(f"{round_} {contender:20}{rates[contender][-1]:7.2f} images/s", flush=True)
    better = [max(pair) for pair in zip(*(rates[f"pipeline, batch {n}"] for n in (1, 8)))]  # noqa: B905
    ours = {precision: rates[f"lineup {precision}"] for precision in spent}
    result = {
        "images": options.images,
        "rounds": options.rounds,
        "kilobytes_per_image": round(kilobytes),
        "gflop_per_image": round(GFLOP, 2),
        "images_per_second": {name: spread(values) for name, values in rates.items()},
        "ratio_to_better_pipeline": {
            p: spread([mine / theirs for mine, theirs in zip(values, better, strict=True)])
            for p, values in ours.items()
        },
        "bf16_ceiling_gflops": spread(ceilings),
        "bf16_share_of_ceiling": spread(
            [rate * GFLOP / top for rate, top in zip(ours["bf16"], ceilings, strict=True)]
        ),
        "shares": {precision: shares(times) for precision, times in spent.items()},
    }
    for key in (
        "ratio_to_better_pipeline",
        "bf16_ceiling_gflops",
        "bf16_share_of_ceiling",
        "shares",
    ):
        print(f"{key}: {result[key]}")
    write_result("encode", result)


if __name__ == "__main__":
    main()
