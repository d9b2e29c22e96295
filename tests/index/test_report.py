"""Evidence reports: whole, signed, replayed on a copy of the index, and naming what differs."""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.cli import indexer
from indexer.custody.canonical import canonical
from indexer.custody.package import UNLISTED, pack, unpack
from indexer.custody.signing import SigningKey
from indexer.evidence import Asked, make_report, verify
from indexer.evidence.replay import differences
from indexer.explain import Local
from indexer.filters import parse_filter
from indexer.index import Index, build_index
from indexer.sources import open_source

Make = Callable[..., Index]
KEY = SigningKey.generate()


@pytest.fixture
def index(pictures: Path, make_index: Make) -> Index:
    return make_index(pictures)


def asked(pictures: Path, **options: object) -> Asked:
    return Asked((pictures / "fake/waves/1.png").read_bytes(), "1.png", k=3, **options)


def made(index: Index, question: Asked) -> bytes:
    looker = Local.of(index, question.image)
    return make_report(index, question, looker, KEY, note="Case <17>", author="ann")


def test_a_report_holds_everything_that_it_names(index: Index, pictures: Path) -> None:
    question = asked(pictures, where=parse_filter("label = fake"))
    package = unpack(made(index, question), KEY.public)
    assert package.problems == []
    members = package.members
    report = json.loads(members["report.json"])
    assert canonical(report) == members["report.json"]
    assert report.keys() == {"format", "made", "query", "search", "hits", "gallery", "maps"}
    assert members[report["query"]["member"]] == question.image
    assert report["query"]["facts"]["sha256"] == hashlib.sha256(question.image).hexdigest()
    thumbnails = [hit["thumbnail"] for hit in report["hits"]]
    assert set(thumbnails) == {name for name in members if name.startswith("thumbnails/")}
    for hit in report["hits"]:
        assert members[hit["thumbnail"]] == index.store.thumbnail(hit["sha256"])
    assert [map_["member"] for map_ in report["maps"]["drawn"]] == [
        "maps/fake.png",
        "maps/match.png",
    ]
    assert report["maps"]["missing"] == {}
    nearest = next(h for h in report["hits"] if h["sha256"] != report["query"]["facts"]["sha256"])
    assert report["maps"]["drawn"][1]["other_sha256"] == nearest["sha256"]
    assert members["maps/match.png"].startswith(b"\x89PNG")
    assert report["gallery"]["index"] == index.store.identity
    fit = next(row for row in index.store.audit.rows() if row.kind == "fit")
    assert report["gallery"]["calibration_sha256"] == json.loads(fit.details)["calibration"]
    derived = index.gallery().derived.calibration
    assert json.loads(members["calibration.json"]) == json.loads(derived.to_json())


def test_the_page_needs_nothing_from_elsewhere_and_obeys_no_text(
    index: Index, pictures: Path
) -> None:
    page = unpack(made(index, asked(pictures))).members["report.html"].decode()
    assert "Case &lt;17&gt;" in page
    assert "A similarity is a lead, not proof." in page
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert page.count("data:image/webp;base64,") == 4
    assert page.count("data:image/png;base64,") == 2
    assert "This is not a tamper localisation" in page


def test_what_cannot_be_drawn_is_said(index: Index, pictures: Path) -> None:
    package = unpack(made(index, asked(pictures, where=parse_filter("label = fake and score > 1"))))
    report = json.loads(package.members["report.json"])
    assert [map_["kind"] for map_ in report["maps"]["drawn"]] == ["fake"]
    assert report["maps"]["missing"] == {"match": "no other image was found"}
    assert b"Not drawn: what matched. No other image was found." in package.members["report.html"]


def test_a_report_replays_on_a_copy_with_the_same_json(
    tmp_path: Path, index: Index, pictures: Path
) -> None:
    data = made(index, asked(pictures))
    build_index(index, [open_source(pictures / "real", "auto")])  # labels nothing, adds nothing
    index.close()
    shutil.copytree(index.path, tmp_path / "copy.index")
    with Index.open(tmp_path / "copy.index") as copy:
        found = verify(data, index=copy, author="ben")
        assert (found.problems, found.differences) == ([], [])
        again = json.loads(unpack(made(copy, asked(pictures))).members["report.json"])
    assert {**again, "made": None} == {**found.report, "made": None}


def test_a_report_replays_after_the_gallery_has_changed(index: Index, pictures: Path) -> None:
    data = made(index, asked(pictures))
    with index.store.commit("remove", "ann") as txn:
        txn.remove([hit["sha256"] for hit in verify(data, author="ann").report["hits"]])
    index.fit("ann")
    found = verify(data, index=index, author="ann")
    assert (found.problems, found.differences) == ([], [])


def test_what_the_index_says_otherwise_is_named(index: Index, pictures: Path) -> None:
    data = made(index, asked(pictures))
    members = dict(unpack(data).members)
    report = json.loads(members["report.json"])
    report["search"]["answer"]["hits"][0]["similarity"] = 0.5
    report["hits"].pop()
    for name in ("manifest.json", "signature.json"):
        del members[name]
    forged = pack(members | {"report.json": canonical(report)}, SigningKey.generate())
    found = verify(forged, index=index, author="ann")
    assert found.problems == []
    assert [line.split(":")[0] for line in found.differences] == [
        "search.answer.hits[0].similarity",
        "hits",
    ]
    assert not verify(forged, public_key=KEY.public, author="ann").ok


def test_an_index_whose_chain_was_cut_behind_a_report_is_named(
    index: Index, pictures: Path
) -> None:
    data = made(index, asked(pictures))
    before = next(index.store.audit.rows(last=3)).head
    with closing(sqlite3.connect(index.path / "truth.sqlite")) as connection, connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute(f"DELETE FROM audit WHERE number > {before.number}")
        head = (before.number, before.hash)
        connection.execute("UPDATE audit_head SET number = ?, hash = ?", head)
    assert index.store.audit.faults() == []
    found = verify(data, index=index, author="ann")
    assert found.problems == [
        f"audit: row {before.number + 1} was removed, as the head that was noted says"
    ]


def test_another_index_is_named(index: Index, pictures: Path, make_index: Make) -> None:
    other = make_index(pictures / "real", name="other.index", layout="auto")
    found = verify(made(index, asked(pictures)), index=other, author="ann")
    assert found.problems == [f"the report is about the index {index.store.identity}, not this one"]


def test_flipped_bytes_of_a_report_are_named(index: Index, pictures: Path) -> None:
    """Every byte of a small package is flipped in tests/custody; here one in 499."""
    data = made(index, asked(pictures))
    for place in range(0, len(data), 499):
        altered = bytearray(data)
        altered[place] ^= 1
        assert not verify(bytes(altered), author="ann").ok, f"byte {place}"


def signed(members: Mapping[str, bytes], path: str, value: object) -> bytes:
    """The report among `members` with another value at a path, signed by somebody else."""
    report = json.loads(members["report.json"])
    *parents, last = path.split(".")
    place = report
    for name in parents:
        place = place[name]
    place[last] = value
    kept = {name: data for name, data in members.items() if name not in UNLISTED}
    return pack(kept | {"report.json": canonical(report)}, SigningKey.generate())


HOSTILE = [
    ("format", "lineup-report/9", "report.json: format: Input should be 'lineup-report/1'"),
    ("made", [], "report.json: made: Input should be a valid dictionary"),
    ("made.audit_head", "x", "head 'x'; expected NUMBER:HASH"),
    ("query.member", "manifest.js", "report.json names an image that is missing"),
    ("query.member", "report.html", "no replay: "),
    ("search.k", "3", "report.json: search.k: Input should be a valid integer"),
    ("search.k", 0, "report.json: search.k: Input should be greater than or equal to 1"),
    ("search.where", "(" * 5000, "no replay: filter, position 13"),
    ("search.risk", 7.5, "report.json: search.risk: Input should be less than 1"),
    ("search.answer.generation", 99, "no replay: "),
    ("hits", {}, "report.json: hits: Input should be a valid list"),
]
"""What a report may say instead -> why it is not believed."""


def test_a_hostile_report_is_a_problem_whoever_signed_it(index: Index, pictures: Path) -> None:
    members = unpack(made(index, asked(pictures))).members
    for path, value, problem in HOSTILE:
        found = verify(signed(members, path, value), index=index, author="ann")
        assert not found.ok
        assert found.problems[-1].startswith(problem)
    huge = verify(signed(members, "search.k", 2**53 - 1), index=index, author="ann")
    assert huge.problems == []
    assert huge.differences


@pytest.mark.parametrize("text", [b"", b"[" * 100_000, b"{" * 9, b"9" * 5000, b"[]"])
def test_a_report_that_is_no_json_is_a_problem(text: bytes) -> None:
    found = verify(pack({"report.json": text}, KEY), author="ann")
    assert found.problems[0].startswith("report.json")


def test_differences_name_every_value() -> None:
    then = {"a": [1, {"b": 2}], "c": None, "gone": 1}
    now = {"a": [1, {"b": 3}], "c": None, "new": 2}
    assert list(differences("x", then, now)) == [
        "x.a[1].b: 2 in the report, 3 now",
        "x.gone: 1 in the report, null now",
        "x.new: null in the report, 2 now",
    ]
    assert list(differences("x", then, then)) == []


def test_the_commands_make_verify_and_show_the_key(
    tmp_path: Path, index: Index, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    index.close()

    def run(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(indexer, ["report", *map(str, arguments)])
        return result.exit_code, result.output

    image, out = pictures / "fake/waves/1.png", tmp_path / "report.zip"
    code, told = run(image, "--index", index.path, "--out", out, "--note", "Case 17", "-k", 2)
    assert code == 0, told
    public = told.split()[-1]
    assert run("key") == (0, f"{public}\n")
    code, told = run("verify", out, "--index", index.path, "--public-key", public)
    assert (code, told.splitlines()) == (
        0,
        [
            f"unaltered, signed with the key {public}",
            "replayed: the same hits, the same figures; the audit chain is whole",
        ],
    )
    other = SigningKey.generate().public
    code, told = run("verify", out, "--public-key", other, "--json")
    assert code == 1
    assert json.loads(told)["problems"] == [f"it is signed with the key {public}; expected {other}"]
    package = unpack(out.read_bytes()).members
    out.write_bytes(signed(package, "search.\x1b[2J", 1))
    code, told = run("verify", out, "--index", index.path)
    assert (code, told) == (1, "differs: search.\\x1b[2J: 1 in the report, null now\n")
    out.write_bytes(b"PK" + bytes(9))
    assert run("verify", out) == (
        1,
        "not to be trusted: no ZIP file that can be read: File is not a zip file\n",
    )
