"""Is a report what was signed, and does the index still say the same?"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from indexer.custody import Head
from indexer.custody.package import Package, unpack
from indexer.errors import ImageRejected, NotFound, UsageError
from indexer.evidence.gather import Asked, gather
from indexer.evidence.shape import read_report
from indexer.filters import parse_filter
from indexer.index import Index, query_bytes

REPLAYED = ("query", "search", "hits", "gallery")
"""The parts of a report that its index gives again; the rest tells how the report was made."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `problems`: why the report is not to be trusted; `differences`: where the
    replay on an index, if there was one, says something else. `ok` when both are empty."""

    public_key: str
    report: dict[str, Any]
    problems: list[str]
    replayed: bool = False
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and not self.differences

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the report."""
        fields = asdict(self)
        del fields["report"]
        return {"ok": self.ok, **fields}


def verify(
    data: bytes, *, public_key: str | None = None, index: Index | None = None, author: str
) -> Verification:
    """Check signature, hashes and the ZIP around them; with an index, that its audit chain still
    holds the head of the report, and that the search on that generation says the same.

    An altered report is not replayed.
    """
    package = unpack(data, public_key)
    if package.problems:
        return Verification(package.public_key, {}, package.problems)
    try:
        report = read_report(package.members)
    except UsageError as error:
        return Verification(package.public_key, {}, [str(error)])
    if index is None:
        return Verification(package.public_key, report, [])
    problems = _custody(report, index)
    try:
        differences = list(_replay(report, package, index, author))
    except (UsageError, NotFound, ImageRejected, RecursionError) as error:
        return Verification(package.public_key, report, [*problems, f"no replay: {error}"])
    return Verification(package.public_key, report, problems, True, differences)


def _custody(report: dict[str, Any], index: Index) -> list[str]:
    """Faults of the audit chain, against the head that the report has kept."""
    if report["gallery"]["index"] != index.store.identity:
        return [f"the report is about the index {report['gallery']['index']}, not this one"]
    return [f"audit: {found}" for found in index.store.audit.faults(_head(report))]


def _head(report: dict[str, Any]) -> Head:
    return Head.parse(report["made"]["audit_head"])


def _replay(report: dict[str, Any], package: Package, index: Index, author: str) -> Iterator[str]:
    asked, query = report["search"], report["query"]
    image = package.members[query["member"]]
    again = Asked(
        image,
        query["name"],
        asked["k"],
        None if asked["where"] is None else parse_filter(asked["where"]),
        asked["answer"]["generation"],
        asked["risk"],
    )
    gathered = gather(index, again, query_bytes(index, image), author)
    for part in REPLAYED:
        yield from differences(part, report[part], gathered.facts[part])
    for name, member in gathered.members.items():
        if package.members.get(name) != member:
            yield f"{name}: other bytes"


def differences(place: str, then: Any, now: Any) -> Iterator[str]:  # noqa: ANN401 JSON values
    """One line for each value of two JSON trees that is not the same."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            yield from differences(f"{place}.{key}", then.get(key), now.get(key))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for number, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from differences(f"{place}[{number}]", one, other)
    elif then != now:
        yield f"{place}: {json.dumps(then)} in the report, {json.dumps(now)} now"
