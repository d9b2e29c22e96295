"""Families: how well they are found, whether they stay the same, what they cost.

python -m benchmarks.families                                    # planted, 25k to 100k
python -m benchmarks.families --index build/corpus.index         # real fakes

With an index: the fakes of families with 30 and more images among those of `meta.role`
"gallery", never those that are queries. Methods that are not installed are left out.
"""

import argparse
import importlib.util
import resource
import time
from collections.abc import Callable, Iterator

import numpy as np
from sklearn.cluster import HDBSCAN, AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from indexer.descriptor import fit_projection
from indexer.families.discover import NOBODY, discover
from indexer.families.identity import match
from indexer.families.margin import NEAR
from indexer.filters import parse_filter
from indexer.index import Index
from indexer.types import Float32, Int64
from indexer.vectors import nearest_others

ENOUGH, SPLITS, DRAWS = 30, 5, 10
SIZES, FAMILIES, RELATED, DIM, LOOSE = (25_000, 50_000, 100_000), 500, 5, 256, 0.1

Cluster = Callable[[Float32], Int64]


def kept(vectors: Float32) -> Int64:
    """The method of this project."""
    return discover(nearest_others(vectors, NEAR)).family


def hdbscan(vectors: Float32) -> Int64:
    found = HDBSCAN(min_cluster_size=5, min_samples=2, copy=True).fit(vectors).labels_
    return np.asarray(found, np.int64)


def methods(families: int) -> Iterator[tuple[str, Cluster]]:
    """Every method to compare; two are told the number of families, which nobody knows."""
    yield "kept: shared neighbours, Louvain", kept
    yield "HDBSCAN (scikit-learn)", hdbscan
    if importlib.util.find_spec("fast_hdbscan"):
        import fast_hdbscan

        fast = fast_hdbscan.HDBSCAN(min_cluster_size=5, min_samples=2)
        yield "HDBSCAN (fast-hdbscan)", fast.fit_predict
    if importlib.util.find_spec("evoc"):
        from evoc import EVoC

        yield "EVoC", lambda vectors: EVoC(random_state=0).fit_predict(vectors)
    for linkage, metric in (("average", "cosine"), ("ward", "euclidean")):
        told = AgglomerativeClustering(families, linkage=linkage, metric=metric)
        yield f"{linkage} linkage, told {families}", told.fit_predict


def planted(count: int, seed: int = 0) -> tuple[Float32, Int64]:
    """`count` unit vectors and their families: a tenth lie anywhere (NOBODY), the others in 500
    uneven families, related by fives.

    Two images of a family have a cosine of 0.28 to 0.8, by family; of two related families half
    of that, so the loosest are less alike inside than the tightest are to their relatives.
    """
    rng = np.random.default_rng(seed)

    def directions(many: int) -> Float32:
        return np.asarray(rng.standard_normal((many, DIM)) / DIM**0.5, np.float32)

    parents = np.repeat(directions(FAMILIES // RELATED), RELATED, axis=0)
    centres = 0.5**0.5 * (parents + directions(FAMILIES))
    spread = rng.uniform(0.5, 1.6, FAMILIES).astype(np.float32)
    truth = rng.choice(FAMILIES, count, p=rng.dirichlet(np.full(FAMILIES, 5.0)))
    loose = rng.random(count) < LOOSE
    vectors = centres[truth] + spread[truth, None] * directions(count)
    vectors[loose] = directions(int(loose.sum()))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, np.where(loose, NOBODY, truth)


def scaling(sizes: tuple[int, ...]) -> None:
    """Cost and recovery, then those of a peer at the smallest size, since it takes long."""
    print("  images method                            clock s    cpu s  peak GB  ARI all  in fam.")
    name = "kept: shared neighbours, Louvain"
    runs: list[tuple[int, str, Cluster]] = [(count, name, kept) for count in sizes]
    for count, name, method in [*runs, (min(sizes), "HDBSCAN (scikit-learn)", hdbscan)]:
        vectors, truth = planted(count)
        clock, cpu = time.perf_counter(), time.process_time()
        found = method(vectors)
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        inside = truth != NOBODY
        print(
            f"{count:8d} {name:32} {clock:9.1f} {cpu:8.1f} {peak:8.2f} "
            f"{adjusted_rand_score(truth, found):8.3f} "
            f"{adjusted_rand_score(truth[inside], found[inside]):8.3f}",
            flush=True,
        )


def quality(truth: np.ndarray, family: Int64) -> list[float]:
    """ARI and NMI over all (noise is one cluster), noise, ARI and purity of the assigned, count."""
    inside = family != NOBODY
    numbers = np.unique(family[inside])
    right = sum(np.unique(truth[family == n], return_counts=True)[1].max() for n in numbers)
    return [
        adjusted_rand_score(truth, family),
        normalized_mutual_info_score(truth, family),
        1 - inside.mean(),
        adjusted_rand_score(truth[inside], family[inside]),
        right / max(1, inside.sum()),
        len(numbers),
    ]


def halves(groups: np.ndarray, strata: np.ndarray, seed: int) -> np.ndarray:
    """True for half A: within each stratum every second group of a shuffled list."""
    rng = np.random.default_rng(seed)
    half: dict[str, bool] = {}
    for stratum in np.unique(strata):
        fresh = [g for g in rng.permutation(np.unique(groups[strata == stratum])) if g not in half]
        half.update({group: place % 2 == 0 for place, group in enumerate(fresh)})
    return np.array([half[group] for group in groups])


def corpus(path: str) -> None:
    """Quality by projection and method, then how many members keep their family's id."""
    with Index.open(path) as index:
        ids = index.store.ids(parse_filter("meta.role = 'gallery'"))
        columns, taps = index.store.columns(ids, said=True), index.store.taps(ids)
        pairs = [
            image.metadata.get("pair_group") or image.sha256 for image in index.store.images(ids)
        ]
    label, source = (np.array([x or "" for x in c]) for c in (columns.label, columns.source))
    family = np.where(label == "fake", [name or "" for name in columns.family], "")
    strata = np.where(label == "fake", family, np.char.add("real ", source))
    names, sizes = np.unique(family[family != ""], return_counts=True)
    big = np.isin(family, names[sizes >= ENOUGH])

    def describe(rows: np.ndarray, *, labelled: bool) -> Float32:
        said = [
            [(str(value) or None) if labelled else None for value in values[rows]]
            for values in (family, label, source)
        ]
        return fit_projection(taps[rows], *said).apply(taps)

    sets: dict[str, list[tuple[Float32, np.ndarray]]] = {"labelled half": [], "no labels, half": []}
    for seed in range(SPLITS):
        a = halves(np.array(pairs), strata, seed)
        for kind in sets:
            vectors = describe(a, labelled=kind == "labelled half")
            sets[kind].append((vectors[~a & big], family[~a & big]))
    sets["no labels, whole"] = [
        (describe(np.ones(len(ids), bool), labelled=False)[big], family[big])
    ]
    print(f"{big.sum()} fakes of {(sizes >= ENOUGH).sum()} families; means of {SPLITS} splits")
    print(f"{'projection':16} {'method':33} ARI   NMI   noise  ARI as. purity families  cpu s")
    for kind, data in sets.items():
        for name, cluster in methods(int((sizes >= ENOUGH).sum())):
            start = time.process_time()
            mean = np.mean([quality(truth, cluster(v)) for v, truth in data], axis=0)
            cpu = (time.process_time() - start) / len(data)
            row = " ".join(f"{value:6.3f}" for value in mean[:5])
            print(f"{kind:16} {name:32} {row} {mean[5]:8.1f} {cpu:7.2f}", flush=True)
    for kind, data in sets.items():
        shares = [kept_ids(data[0][0], seed) for seed in range(DRAWS)]
        print(
            f"1% more images, {kind}: {np.mean(shares):.4f} keep their id, least {min(shares):.4f}"
        )


def kept_ids(vectors: Float32, seed: int) -> float:
    """The share of members that keep their family's id when 1% of the images come later."""
    count = len(vectors)
    new = np.random.default_rng(seed).choice(count, max(1, count // 100), replace=False)
    old = np.setdiff1d(np.arange(count), new)
    first = discover(nearest_others(vectors[old], NEAR))
    before = {str(row): f"f{n}" for row, n in zip(old, first.community, strict=True)}
    previous = [before.get(str(row)) for row in range(count)]
    second = discover(nearest_others(vectors, NEAR), previous=previous)
    ids = match(before, {str(row): int(n) for row, n in enumerate(second.community)})
    members = [(r, f"f{n}") for r, n in zip(old, first.family, strict=True) if n != NOBODY]
    now = second.family
    return float(np.mean([now[r] != NOBODY and ids[now[r]] == old_id for r, old_id in members]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", help="an index of the corpus")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args()
    if options.index:
        corpus(options.index)
    else:
        scaling(tuple(options.sizes))


if __name__ == "__main__":
    main()
