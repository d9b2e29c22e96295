"""An index is measured on its own images or on queries; poor galleries get reasons."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import UsageError
from indexer.index import Index, query_bytes, query_stored, search
from indexer.index.evaluate import evaluate_index
from indexer.sources import open_source

Make = Callable[..., Index]


def manifest(path: Path, rows: list[tuple[Path, str, str, str]]) -> Path:
    lines = ["path,label,family,source", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines))
    return path


def labelled(pictures: Path, seeds: range) -> list[tuple[Path, str, str, str]]:
    rows = [
        (pictures / "fake" / family / f"{seed}.png", "fake", family, f"s{seed % 2}")
        for family in ("waves", "blocks", "noise")
        for seed in seeds
    ]
    return rows + [
        (pictures / "real" / f"{seed}.png", "real", "", f"s{seed % 2}") for seed in seeds
    ]


def test_precision_of_queries_equals_a_count_over_the_search_answers(
    tmp_path: Path, pictures: Path, make_index: Make
) -> None:
    index = make_index(manifest(tmp_path / "g.csv", labelled(pictures, range(8))), layout="auto")
    asked = labelled(pictures, range(8, 12))
    queries = open_source(manifest(tmp_path / "q.csv", asked))
    evaluation, rejects = evaluate_index(index, [queries])
    assert rejects == []
    at_1, at_10 = [], []
    for path, label, family, _ in asked:
        if label == "fake":
            answer = search(index, query_bytes(index, path.read_bytes()), 10)
            right = [hit.family == family for hit in answer.hits]
            at_1.append(right[0])
            at_10.append(np.mean(right))
    assert evaluation.family.p_at_1.value == pytest.approx(np.mean(at_1))
    assert evaluation.family.p_at_10.value == pytest.approx(np.mean(at_10))
    assert evaluation.queries["images"] == 16
    assert evaluation.gallery["images"] == 32


def test_an_index_measures_itself_the_same_way_twice(pictures: Path, make_index: Make) -> None:
    index = make_index(pictures)
    once, again = (json.loads(evaluate_index(index)[0].to_json()) for _ in range(2))
    assert once == again
    assert once["queries"]["images"] == 48
    assert set(once["baselines"]) == {"last_layer_cls", "pdq"}
    assert once["family"]["n"] == 36
    assert once["family"]["p_at_1"] > once["baselines"]["pdq"]["family"]["p_at_1"]


def test_bad_queries_are_told_and_the_rest_is_measured(
    tmp_path: Path, pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    rows = [*labelled(pictures, range(3)), (tmp_path / "absent.png", "fake", "waves", "s0")]
    evaluation, rejects = evaluate_index(index, [open_source(manifest(tmp_path / "q.csv", rows))])
    assert [error.reason for error in rejects] == ["missing"]
    assert evaluation.queries["images"] == 12


def test_nothing_labelled_is_refused(pictures: Path, make_index: Make) -> None:
    with pytest.raises(UsageError, match="no image has a known family"):
        evaluate_index(make_index(pictures, layout="auto"))


@pytest.mark.parametrize("case", ["unlabelled", "one family", "two images", "all equal"])
def test_poor_galleries_answer_with_nulls_and_reasons(
    case: str, tmp_path: Path, pictures: Path, make_index: Make
) -> None:
    fakes = [row for row in labelled(pictures, range(12)) if row[1] == "fake"]
    if case == "unlabelled":
        index = make_index(pictures, layout="auto")
    elif case == "all equal":
        index = make_index(manifest(tmp_path / "m.csv", fakes[:1]), layout="auto")
        image = index.store.image(next(iter(index.store.columns(index.store.ids()).sha256)))
        assert image.id == 1
    else:
        chosen = fakes[:12] if case == "one family" else fakes[:2]
        index = make_index(manifest(tmp_path / "m.csv", chosen), layout="auto")
    digest = index.store.columns(index.store.ids()).sha256[0]
    answer = search(index, query_stored(index, digest), 5)
    assert len(answer.hits) == min(5, len(index.store.ids()) - 1)
    assert answer.conclusion.verdict == "inconclusive"
    assert answer.families == []
    assert set(answer.missing) == {
        "false_match_rate",
        "likelihood_ratio",
        "families",
        "probability_fake",
    }
    assert all(hit.false_match_rate is None for hit in answer.hits)
    json.dumps(answer.to_dict(), allow_nan=False)
