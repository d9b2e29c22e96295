"""Peak memory of a build: 500 images against 50,000.

python -m benchmarks.memory [--few 500] [--many 50000]

Small JPEGs and a tiny checkpoint, so that the long run fits into minutes; each build in a
process of its own. The fit at the end is reported apart: it reads all taps.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._encoding import write_checkpoint, write_photographs, write_result

BUILD = """
import resource, sys
from pathlib import Path
from indexer.encoder import load_encoder
from indexer.index import Index, build_index
from indexer.sources import open_source
checkpoint, photographs, to = sys.argv[1:]
peaks = []
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
with Index.create(to, load_encoder(checkpoint)) as index:
    summary = build_index(index, [open_source(Path(photographs))],
                          on_progress=lambda _: peaks.append(peak()))
print(summary.added, round(peaks[-1]), round(peak()), round(summary.seconds, 1))
"""


def build(checkpoint: Path, photographs: Path, to: Path) -> dict[str, float]:
    command = [sys.executable, "-c", BUILD, str(checkpoint), str(photographs), str(to)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    added, encoding, whole, seconds = printed.split()
    return {
        "images": int(added),
        "peak_mib": int(encoding),
        "peak_with_fit_mib": int(whole),
        "seconds": float(seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=500)
    parser.add_argument("--many", type=int, default=50_000)
    options = parser.parse_args()
    result = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = write_checkpoint(folder / "tiny", 32, 8, 64, 4)
        write_photographs(folder / "warm", 1, 48, 64)
        build(checkpoint, folder / "warm", folder / "warm.index")  # converts the model
        for label, count in (("few", options.few), ("many", options.many)):
            write_photographs(folder / label, count, 48, 64)
            result[label] = build(checkpoint, folder / label, folder / f"{label}.index")
            print(label, result[label], flush=True)
    ratio = result["many"]["peak_mib"] / result["few"]["peak_mib"]
    print(f"{result['many']['images']} images need {ratio:.3f} times the memory of the few")
    write_result("memory", {**result, "ratio": round(ratio, 4)})


if __name__ == "__main__":
    main()
