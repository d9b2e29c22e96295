"""The plan on paper: what an index of so many images needs, and what it costs.

python -m benchmarks.sizing [--images 1e6 1e8 1e10] [--gpu-hour 2.5] ... [--json]

Every row says what it rests on: what was *measured* for an image (`benchmarks/results/`,
docs/families.md; on the machine named there) in proportion to their number; what is *computed*
from that and from prices; or what is *assumed* (GPUs, and how costs grow beyond what was
measured). Change an assumption by its flag; the table of docs/scale.md is what this prints
without any.
"""

import argparse
import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
MEASURED, COMPUTED, ASSUMED = "measured", "computed", "assumed"
DIM = 256
HOURS = 3_600


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a reader may change: prices in dollars, hardware, and the traffic."""

    gpu_hour: float = 2.50
    core_hour: float = 0.04
    database_gb_month: float = 0.12
    memory_gb_month: float = 3.00
    network_gb: float = 0.01
    gpu_tflops: float = 312.0
    gpu_utilisation: float = 0.30
    gpu_cores: int = 16
    shard_images: float = 1e8
    family_images: float = 1e5


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on the machine of `benchmarks/results/`. Seconds of one core."""

    gflop: float
    encode: float
    feed: float
    image_bytes: float
    truth_bytes: float
    way_bytes: float
    commit: float
    own_bytes: float
    mapped_bytes: float
    query_light: float
    query_heavy: float
    build: float
    request: float
    families: float = 23.6
    families_gb: float = 0.84
    families_growth: float = math.log(23.6 / 3.6, 4)
    """From 25,000 to 100,000 images, docs/families.md."""

    @classmethod
    def load(cls) -> "Measured":
        encode, commit, search, http = (
            json.loads((RESULTS / f"{name}.json").read_text())
            for name in ("encode", "commit", "search", "http")
        )
        rate = encode["images_per_second"]["lineup bf16"]["median"]
        seconds, shares = encode["machine"]["cores"] / rate, encode["shares"]["bf16"]
        by_size = {each["n"]: each for each in search}
        light, heavy = by_size[100_000], by_size[1_000_000]
        return cls(
            gflop=encode["gflop_per_image"],
            encode=seconds,
            feed=seconds * sum(shares[step] for step in ("read", "decode", "prepare", "thumbnail")),
            image_bytes=1000 * encode["kilobytes_per_image"],
            truth_bytes=commit["bytes_per_image"]["whole"],
            way_bytes=commit["bytes_on_the_way_per_image"],
            commit=1 / commit["images_per_second"],
            own_bytes=heavy["own_bytes_per_image"],
            mapped_bytes=heavy["mapped_bytes_per_image"],
            query_light=1 / light["engines"]["lineup"]["queries_per_cpu_second"],
            query_heavy=1 / heavy["engines"]["lineup"]["queries_per_cpu_second"],
            build=heavy["build_cpu_seconds"] / heavy["n"],
            request=1 / http[-1]["requests_per_cpu_second"],
        )


def lists(n: float) -> tuple[int, int]:
    """nlist as `indexer.vectors.choose` takes it, and nprobe: 8 at 1e5 and 16 at 1e6 were tuned;
    that it doubles with each power of ten beyond is assumed."""
    return 1 << round(math.log2(4 * math.sqrt(n))), round(16 * 2 ** (math.log10(n) - 6))


def codes(n: float) -> float:
    """What a search compares, in codes of one byte a value: all centroids, of four bytes each,
    and the visited lists."""
    nlist, nprobe = lists(n)
    return 4 * nlist + nprobe * n / nlist


def search_seconds(n: float, m: Measured, a: Assumed) -> float:
    """Core seconds of one search by vector: the two measured sizes on a line in `codes`; above
    `shard_images`, every shard answers."""
    shards = max(1.0, n / a.shard_images)
    slope = (m.query_heavy - m.query_light) / (codes(1e6) - codes(1e5))
    return shards * (m.query_light + slope * (codes(n / shards) - codes(1e5)))


def sizes(n: float, m: Measured, a: Assumed) -> list[tuple[str, float, str, str]]:
    """(what, value, unit, basis) for an index of n images."""
    gpu_rate = 1000 * a.gpu_tflops * a.gpu_utilisation / m.gflop
    fed_rate = a.gpu_cores / m.feed
    gpu_hours = n / min(gpu_rate, fed_rate) / HOURS
    cpu_hours = n * m.encode / HOURS
    gb = n / 1e9
    truth, memory, mapped = gb * m.truth_bytes, gb * m.own_bytes, gb * m.mapped_bytes
    read, way = gb * m.image_bytes, gb * m.way_bytes
    query = search_seconds(n, m, a)
    clustered = (n / a.family_images) ** m.families_growth
    return [
        ("encoding on CPUs", cpu_hours, "core h", MEASURED),
        ("encoding on GPUs, were they fed", n / gpu_rate / HOURS, "GPU h", ASSUMED),
        (f"encoding on GPUs with {a.gpu_cores} cores each", gpu_hours, "GPU h", COMPUTED),
        ("reading and preparing of it", n * m.feed / HOURS, "core h", MEASURED),
        ("committing, by one driver", n * m.commit / HOURS, "h", MEASURED),
        ("truth", truth, "GB", MEASURED),
        ("images that are read once", read, "GB", MEASURED),
        ("encodings on their way", way, "GB", MEASURED),
        ("known digests, on every node", gb * 32, "GB", COMPUTED),
        ("deriving vectors", n * m.build / HOURS, "core h", MEASURED if n <= 1e6 else ASSUMED),
        ("vectors, in memory", memory, "GB", MEASURED if n <= 1e6 else COMPUTED),
        ("vectors, mapped or on disk", mapped, "GB", MEASURED if n <= 1e6 else COMPUTED),
        ("search by vector", 1e3 * query, "core ms", MEASURED if n <= 1e6 else ASSUMED),
        ("families, one run", clustered * m.families / HOURS, "core h", ASSUMED),
        ("families, memory", n / a.family_images * m.families_gb, "GB", ASSUMED),
        ("encoding a million on CPUs", cpu_hours / n * 1e6 * a.core_hour, "$", COMPUTED),
        ("encoding a million on GPUs", gpu_hours / n * 1e6 * a.gpu_hour, "$", COMPUTED),
        (
            "reading a million from another zone",
            (read + way) / n * 1e6 * a.network_gb,
            "$",
            COMPUTED,
        ),
        ("keeping a million's truth", truth / n * 1e6 * a.database_gb_month, "$ / month", COMPUTED),
        (
            "a million's vectors in memory",
            memory / n * 1e6 * a.memory_gb_month,
            "$ / month",
            COMPUTED,
        ),
        (
            "a million searches over HTTP",
            1e6 * (m.request + max(0.0, query - m.query_light)) / HOURS * a.core_hour,
            "$",
            MEASURED if n <= 1e6 else ASSUMED,
        ),
    ]


def shown(value: float) -> str:
    """Three digits: more would promise too much."""
    if value == 0 or 0.01 <= abs(value) < 1e6:
        digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:,.{digits}f}" if digits else f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.1e}".replace("e+0", "e").replace("e-0", "e-")


def table(counts: list[float], m: Measured, a: Assumed) -> str:
    """Markdown: a row for each figure, a column for each number of images."""
    columns = [sizes(n, m, a) for n in counts]
    lines = [
        "| | " + " | ".join(f"{n:,.0f} images" for n in counts) + " | unit | basis |",
        "|---" * (len(counts) + 3) + "|",
    ]
    for row in zip(*columns, strict=True):
        bases = list(dict.fromkeys(basis for *_, basis in row))
        values = " | ".join(shown(value) for _, value, _, _ in row)
        lines.append(f"| {row[0][0]} | {values} | {row[0][2]} | {', then '.join(bases)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=float, nargs="+", default=[1e6, 1e8, 1e10])
    for field in fields(Assumed):
        flag = "--" + field.name.replace("_", "-")
        parser.add_argument(flag, type=float, default=field.default, help=f"{field.default:g}")
    parser.add_argument("--json", action="store_true")
    options: dict[str, Any] = vars(parser.parse_args())
    counts, as_json = options.pop("images"), options.pop("json")
    measured, assumed = Measured.load(), Assumed(**options)
    if as_json:
        names = ("what", "value", "unit", "basis")
        found = {
            f"{n:.0f}": [dict(zip(names, row, strict=True)) for row in sizes(n, measured, assumed)]
            for n in counts
        }
        print(json.dumps(found, indent=2))
    else:
        print(table(counts, measured, assumed))


if __name__ == "__main__":
    main()
