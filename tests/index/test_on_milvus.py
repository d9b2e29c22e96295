"""An index on Milvus gives the answers of one on FAISS, whatever is done to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from commands import run, run_json
from filter_samples import COMMITS, comparisons
from hypothesis import given, settings
from milvus_filters import COVERED, WORDS, assert_found, expressions, filled, generations
from on_milvus import BOTH, lite
from serving import serving

from indexer.encoder import load_encoder
from indexer.errors import UsageError
from indexer.families.actions import Label, Rename
from indexer.filters import Filter, parse_filter
from indexer.images import sha256
from indexer.index import Index, build_index, narrowing, query_stored, search
from indexer.index.export import export_encodings
from indexer.index.families import build_families, decide
from indexer.index.gallery import Narrowed
from indexer.index.inspect import info
from indexer.sources import open_source
from indexer.store import NewImage
from indexer.types import Annotation, ImageFacts
from indexer.vectors import milvus_index
from indexer.vectors.milvus_index import MilvusIndex

FILTERS = (
    None,
    "label = fake",
    "family = waves and label = fake",
    "not family in (waves, 'case 7')",
    "family is null or width < 96",
    "score >= 0.5 and format = PNG",
    "meta.case = 7 or family = noise",
)


@pytest.fixture(autouse=True)
def expressions_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small these indexes are."""
    monkeypatch.setattr(narrowing, "WORTH", 0)


@pytest.fixture
def pair(tmp_path: Path, pictures: Path, checkpoint: Path) -> Iterator[tuple[Index, Index]]:
    """The same index twice, on FAISS and on Milvus."""
    encoder = load_encoder(checkpoint)
    made = [
        Index.create(tmp_path / name, encoder, vectors=url)
        for name, url in (("faiss.index", None), ("milvus.index", lite().url))
    ]
    for index in made:
        build_index(index, [open_source(pictures, "imagefolder")])
    yield made[0], made[1]
    for index in made:
        index.close()


def hits(index: Index, digest: str, where: str | None, generation: int) -> list[tuple[str, float]]:
    answer = search(
        index,
        query_stored(index, digest, generation),
        12,
        where=None if where is None else parse_filter(where),
        generation=generation,
    )
    return [(hit.sha256, hit.similarity) for hit in answer.hits]


def collections(index: Index) -> list[str]:
    return lite().collections(f"lineup_{index.store.identity[:12]}_")


def aliased(index: Index) -> str | None:
    return lite().aliased(f"lineup_{index.store.identity[:12]}")


def more(index: Index) -> None:
    rng = np.random.default_rng(1)
    shape = (len(index.store.passport.taps), index.store.passport.dim)
    with index.store.commit("test", "test") as txn:
        txn.add(
            [
                NewImage(
                    ImageFacts(sha256(bytes([n])), 1, "PNG", "RGB", 90 + n, 8, 1, animated=False),
                    f"{n}",
                    Annotation("fake", "waves") if n % 2 else Annotation(),
                    {"case": 7},
                    rng.standard_normal(shape).astype(np.float16),
                )
                for n in range(10)
            ]
        )


def remove(index: Index) -> None:
    with index.store.commit("remove", "test") as txn:
        txn.remove(sorted(image.sha256 for image in index.store.images(index.store.ids()))[::7])


def label(index: Index) -> None:
    digests = sorted(image.sha256 for image in index.store.images(index.store.ids()))
    decide(index, Label.of(tuple(digests[:5]), None, "case 7"), "ann")


def rename(index: Index) -> None:
    build_families(index)
    family = next(f for f in index.store.families.named() if f.name == "waves")
    decide(index, Rename(family.family, "ripples"), "ann")


def test_answers_are_equal_at_every_generation(pair: tuple[Index, Index]) -> None:
    one, other = pair
    steps: list[Callable[[Index], object]] = [
        *(label, remove, more, rename, Index.fit, label, remove, Index.refresh)
    ]
    for step in steps:
        for index in pair:
            step(index)
    gallery = other.gallery()
    assert isinstance(gallery.derived.vectors, MilvusIndex)
    evaluated = [
        narrowing.narrowed(other.store, gallery, parse_filter(where)) for where in FILTERS if where
    ]
    assert [isinstance(kept, Narrowed) for kept in evaluated] == [True] * 5 + [False]
    last = one.store.generation
    assert other.store.generation == last
    for generation in {1, 2, *range(4, last + 1)}:
        digests = [i.sha256 for i in one.store.images(one.store.ids(generation=generation))]
        for where in FILTERS:
            for digest in digests[::13]:
                expected = hits(one, digest, where, generation)
                assert hits(other, digest, where, generation) == expected, (generation, where)


def test_a_gallery_that_is_open_answers_on_after_newer_ones(pair: tuple[Index, Index]) -> None:
    _, other = pair
    galleries = []
    for _ in range(3):
        more(other)
        other.fit()
        galleries.append(other.gallery())
        assert aliased(other) == galleries[-1].derived.vectors.name
        remove(other)
    names = [gallery.derived.vectors.name for gallery in galleries]
    assert set(collections(other)) == set(names[1:])
    query = np.array(galleries[0].derived.descriptors[3])
    for gallery in galleries:  # of the first one the collection is written again
        found, _ = gallery.search(query, 1, None)
        assert found.tolist() == [int(gallery.derived.ids[3])]
    assert set(collections(other)) == set(names)
    assert aliased(other) == names[-1]


def test_a_collection_that_is_gone_when_the_index_is_opened(pair: tuple[Index, Index]) -> None:
    one, other = pair
    for name in collections(other):
        lite().drop(name)
    digest = one.store.images(one.store.ids())[0].sha256
    with Index.open(other.path) as again:
        found = hits(again, digest, None, again.store.generation)
    assert found == hits(one, digest, None, one.store.generation)
    assert len(collections(other)) == 1


def test_where_vectors_are_goes_neither_with_encodings_nor_with_the_chain(
    pair: tuple[Index, Index], tmp_path: Path
) -> None:
    one, other = pair
    for index in pair:
        export_encodings(index, tmp_path / "exported" / index.path.name)
    for file in (tmp_path / "exported/faiss.index").iterdir():
        assert file.read_bytes() == (tmp_path / "exported/milvus.index" / file.name).read_bytes()
    assert other.store.audit.faults() == []
    assert info(other)["vectors"]["at"] == lite().url
    assert info(other)["vectors"]["engine"] == "milvus"
    assert info(one)["vectors"]["at"] == info(one)["vectors"]["engine"] == "faiss"


def test_a_place_for_vectors_that_is_none_leaves_no_folder(
    tmp_path: Path, checkpoint: Path
) -> None:
    with pytest.raises(UsageError, match="expected milvus"):
        Index.create(tmp_path / "my.index", load_encoder(checkpoint), vectors="faiss")
    assert not (tmp_path / "my.index").exists()


def test_from_the_command_line_and_over_http(
    tmp_path: Path, pictures: Path, checkpoint: Path
) -> None:
    """Processes one after the other, as milvus-lite wants it."""
    index, url = tmp_path / "my.index", f"milvus+file:{tmp_path}/vectors.db"
    picture = pictures / "fake/waves/3.png"
    build = ("build", pictures, "--index", index, "--layout", "imagefolder")
    run(*build, "--checkpoint", checkpoint, "--vectors", url)
    assert "expected milvus+file:" in run(*build, "--vectors", "milvus+http://other", code=2)
    with (
        serving(index, tmp_path / "log") as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        data = picture.read_bytes()
        digest = sha256(data)
        assert client.delete(f"/v1/images/{digest}").status_code < 300
        asked = {"files": {"image": data}, "data": {"where": "family = waves", "k": "5"}}
        found = client.post("/v1/search", **asked).json()["hits"]
        assert [hit["family"] for hit in found] == ["waves"] * 5
        assert digest not in {hit["sha256"] for hit in found}
        added = {"label": "fake", "family": "waves"}
        assert client.post("/v1/images", files={"image": data}, data=added).status_code == 201
        assert client.post("/v1/search", **asked).json()["hits"][0]["sha256"] == digest
        said = {"images": [found[0]["sha256"]], "label": "fake", "family": "case 7"}
        assert client.post("/v1/labels", json=said).is_success
        again = client.post("/v1/search", **asked).json()["hits"]
        assert found[0]["sha256"] not in {hit["sha256"] for hit in again}
    assert run_json("info", "--index", index)["vectors"]["at"] == url
    answer = run_json("search", picture, "--index", index, "--where", "family = 'case 7'", "-k", 1)
    assert [hit["sha256"] for hit in answer["hits"]] == [found[0]["sha256"]]


@pytest.fixture(scope="module", params=BOTH)
def filtered(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Index]:
    url = request.param().url
    with filled(tmp_path_factory.mktemp("filters") / "my.index", url) as index:
        yield index


@pytest.mark.parametrize("generation", [COVERED + 1, COMMITS + 1])
def test_every_comparison_means_the_same_on_milvus(filtered: Index, generation: int) -> None:
    for where in comparisons(words=WORDS):
        assert_found(filtered, where, generation)


@pytest.mark.parametrize(("few", "most"), [(1000, 16_384), (0, 16_384), (0, 7)])
@settings(max_examples=200, deadline=None, derandomize=True)
@given(where=expressions, generation=generations)
def test_a_filter_means_the_same_on_milvus(
    filtered: Index, few: int, most: int, where: Filter, generation: int
) -> None:
    """Also where one answer of Milvus does not hold all that the filter keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(milvus_index, "FEW", few)
        patch.setattr(milvus_index, "MOST", most)
        assert_found(filtered, where, generation)
