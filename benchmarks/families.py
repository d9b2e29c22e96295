"""`python -m benchmarks.families [--corpus DIR --taps FILE]`: cost and quality of families.

Without arguments: planted families at 25k, 50k and 100k descriptors. With a corpus folder
(its manifest.csv) and an .npz of its taps (`taps` (n, T, D) in the manifest's order):
quality on the gallery's fakes, never looking at the images whose role is query.
"""

import argparse
import csv
import resource
import time
from pathlib import Path

import numpy as np
from sklearn.cluster import HDBSCAN, AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from indexer.descriptor import fit_projection
from indexer.families.discover import NOISE, discover
from indexer.families.neighbours import shared_neighbours

SIZES = (25_000, 50_000, 100_000)
FAMILIES, DIM, LOOSE = 500, 256, 0.1
ENOUGH, SPLITS = 30, 5


def planted(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """`count` unit vectors: a tenth lie anywhere (noise), the others in 500 uneven families.

    Two images of a family have a cosine of 0.4 to 0.8, by family; of two, about 0.
    """
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((FAMILIES, DIM)) / DIM**0.5
    spread = rng.uniform(0.5, 1.22, FAMILIES)  # cosine = 1 / (1 + spread^2)
    share = rng.dirichlet(np.full(FAMILIES, 5.0))
    truth = rng.choice(FAMILIES, count, p=share)
    noise = rng.standard_normal((count, DIM)) / DIM**0.5
    loose = rng.random(count) < LOOSE
    vectors = np.where(loose[:, None], noise, centres[truth] + spread[truth, None] * noise)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), np.where(loose, NOISE, truth)


def scaling() -> None:
    """ARI over planted images that are in a family, their share, and the noise kept as noise."""
    print("  images  graph s    all s  peak GB    ARI  in families  noise kept  families")
    for count in SIZES:
        vectors, truth = planted(count)
        start = time.perf_counter()
        graph = shared_neighbours(vectors)
        middle = time.perf_counter()
        found = discover(graph)
        end = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        inside, assigned = truth != NOISE, found.family != NOISE
        both = inside & assigned
        print(
            f"{count:8d} {middle - start:8.1f} {end - start:8.1f} {peak:8.2f} "
            f"{adjusted_rand_score(truth[both], found.family[both]):6.3f} "
            f"{assigned[inside].mean():12.3f} "
            f"{(found.family[~inside] == NOISE).mean():11.3f} {found.count:9d}",
            flush=True,
        )


def halves(groups: np.ndarray, strata: np.ndarray, seed: int) -> np.ndarray:
    """True for half A: within each stratum every second pair group of a shuffled list."""
    rng = np.random.default_rng(seed)
    half: dict[str, bool] = {}
    for stratum in np.unique(strata):
        fresh = [g for g in rng.permutation(np.unique(groups[strata == stratum])) if g not in half]
        half.update({group: place % 2 == 0 for place, group in enumerate(fresh)})
    return np.array([half[group] for group in groups])


def quality(truth: np.ndarray, family: np.ndarray) -> list[float]:
    """ARI and NMI over all (noise is one cluster), noise, ARI and purity of the assigned, count."""
    inside = family != NOISE
    right = sum(
        np.unique(truth[family == number], return_counts=True)[1].max()
        for number in np.unique(family[inside])
    )
    return [
        adjusted_rand_score(truth, family),
        normalized_mutual_info_score(truth, family),
        1 - inside.mean(),
        adjusted_rand_score(truth[inside], family[inside]),
        right / max(1, inside.sum()),
        len(np.unique(family[inside])),
    ]


def plain(vectors: np.ndarray) -> np.ndarray:
    return HDBSCAN(min_cluster_size=5, min_samples=2, copy=True).fit(vectors).labels_


def told(vectors: np.ndarray, count: int) -> np.ndarray:
    return AgglomerativeClustering(count, linkage="average", metric="cosine").fit_predict(vectors)


def corpus(folder: Path, taps_file: Path) -> None:
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    taps = np.load(taps_file)["taps"]
    if taps.shape[1] == 36:  # all twelve layers: keep 3, 6, 9, 12
        taps = taps[:, [3 * (layer - 1) + part for layer in (3, 6, 9, 12) for part in range(3)]]
    gallery = np.array([i for i, row in enumerate(rows) if row["role"] == "gallery"])
    taps, rows = taps[gallery], [rows[i] for i in gallery]
    label = np.array([row["label"] for row in rows])
    family = np.where(label == "fake", [row["family"] for row in rows], "")
    source = np.array([row["source"] for row in rows])
    group = np.array([row["pair_group"] or row["path"] for row in rows])
    strata = np.where(label == "fake", family, np.char.add("real ", source))
    names, sizes = np.unique(family[family != ""], return_counts=True)
    big = np.isin(family, names[sizes >= ENOUGH])
    unknown = [None] * len(rows)

    sets: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {
        "labelled half": [],
        "label-free half": [],
    }
    for seed in range(SPLITS):
        a = halves(group, strata, seed)
        b = ~a & big
        known = [name or None for name in family[a]]
        none = unknown[: a.sum()]
        fitted = fit_projection(taps[a], known, list(label[a]), list(source[a]))
        sets["labelled half"].append((fitted.apply(taps[b]), family[b]))
        fitted = fit_projection(taps[a], none, none, none)
        sets["label-free half"].append((fitted.apply(taps[b]), family[b]))
    fitted = fit_projection(taps, unknown, unknown, unknown)
    sets["label-free, whole gallery"] = [(fitted.apply(taps[big]), family[big])]

    print(f"{big.sum()} fakes of {(sizes >= ENOUGH).sum()} families; mean of the splits")
    print(
        f"{'projection':26} {'method':22} {'ARI':>6} {'NMI':>6} {'noise':>6} "
        f"{'ARI as.':>7} {'purity':>6} count"
    )
    methods = {
        "families": lambda x: discover(shared_neighbours(x)).family,
        "HDBSCAN": plain,
        "average, count told": lambda x: told(x, int((sizes >= ENOUGH).sum())),
    }
    for name, data in sets.items():
        for method, cluster in methods.items():
            m = np.mean([quality(truth, cluster(vectors)) for vectors, truth in data], axis=0)
            print(
                f"{name:26} {method:22} {m[0]:6.3f} {m[1]:6.3f} {m[2]:6.2f} {m[3]:7.3f} "
                f"{m[4]:6.3f} {m[5]:.1f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, help="folder with manifest.csv")
    parser.add_argument("--taps", type=Path, help=".npz with the corpus's taps")
    options = parser.parse_args()
    if options.corpus:
        if not options.taps:
            parser.error("--corpus needs --taps")
        corpus(options.corpus, options.taps)
    else:
        scaling()


if __name__ == "__main__":
    main()
