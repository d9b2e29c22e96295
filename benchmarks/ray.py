"""What Ray costs: the same photographs encoded in this process and on Ray, with 1 and 2 actors.

python -m benchmarks.ray [--images 64] [--rounds 3]

ViT-S/16 at 384 pixels with random weights, 2-megapixel JPEGs. In every round each contender takes
the same files once. "whole" is the rate of the whole build, "running" from the first commit to
the last one, so without the start of the cluster and of its encoders.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks._encoding import write_checkpoint, write_photographs, write_result
from indexer.encoder import VitEncoder, load_encoder
from indexer.encoder.engine import cores
from indexer.index import BuildSummary, Index, build_index, ray_runner
from indexer.index import runner as local_runner
from indexer.index.ray_runner import RayRunner, Room
from indexer.index.runner import LocalRunner, Runner
from indexer.sources import open_source

PART = 8


def run(runner: Runner, encoder: VitEncoder, photographs: Path, to: Path) -> dict[str, float]:
    commits: list[tuple[float, int]] = []

    def note(summary: BuildSummary) -> None:
        commits.append((time.perf_counter(), summary.done))

    with Index.create(to, encoder) as index:
        began = time.perf_counter()
        build_index(index, [open_source(photographs)], runner=runner, on_progress=note)
    (first, some), (last, images) = commits[0], commits[-1]
    return {
        "whole": images / (last - began),
        "running": (images - some) / (last - first),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ray_runner.PART = local_runner.COMMIT_IMAGES = PART
    contenders: dict[str, Runner] = {
        "local": LocalRunner(),
        "ray, 1 actor": RayRunner(room=Room(1, cores())),
        "ray, 2 actors": RayRunner(room=Room(2, max(1, cores() // 2))),
    }
    rates: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = write_checkpoint(folder / "vit-s", 384, 16, 384, 12)
        write_photographs(folder / "photographs", options.images, 1224, 1632)
        encoder = load_encoder(checkpoint)
        for round_ in range(options.rounds):
            for contender, runner in contenders.items():
                to = folder / f"{contender}-{round_}.index"
                found = run(runner, encoder, folder / "photographs", to)
                rates[contender].append(found)
                print(round_, contender, {k: round(v, 2) for k, v in found.items()}, flush=True)
    median: dict[str, dict[str, Any]] = {
        contender: {k: round(statistics.median(run[k] for run in runs), 2) for k in runs[0]}
        for contender, runs in rates.items()
    }
    for contender in median:
        median[contender]["running_to_local"] = round(
            statistics.median(
                mine["running"] / theirs["running"]
                for mine, theirs in zip(rates[contender], rates["local"], strict=True)
            ),
            3,
        )
        print(contender, median[contender])
    write_result("ray", {**vars(options), "median": median})


if __name__ == "__main__":
    main()
