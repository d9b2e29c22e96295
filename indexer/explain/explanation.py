"""What an explanation consists of, and its words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from indexer.custody import Entry
from indexer.index import Index
from indexer.maps import Faithfulness
from indexer.types import Bool, Encoded, Float32, Masked


class Looker(Protocol):
    """An encoded image, and the model that can look at it again."""

    @property
    def encoded(self) -> Encoded:
        """With its thumbnail."""
        ...

    def vary(self, masks: Bool) -> Masked:
        """Encode it once for each of the masks (n, rows, columns), greyed out where one is true."""
        ...

    def attend(self) -> Float32:
        """(patches,) the rollout of the model's attention."""
        ...


@dataclass(frozen=True, slots=True)
class Explanation:
    """A picture of one kind of map, and what it is worth.

    `picture` is a PNG, `alt` what it shows, `says` whole sentences to read beside it.
    `faithfulness` has a figure for each map in the picture; `missing` says for each that could
    not be given why. `other_sha256` is the image that `query_sha256` was compared with, if any.
    """

    kind: Literal["match", "fake"]
    query_sha256: str
    other_sha256: str | None
    generation: int
    picture: bytes
    alt: str
    says: tuple[str, ...]
    faithfulness: Mapping[str, Faithfulness]
    missing: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the picture."""
        fields = asdict(self)
        del fields["picture"]
        return fields


def record(index: Index, found: Explanation, author: str) -> None:
    """Return when the audit chain durably tells that `author` asked for this."""
    details = {"kind": found.kind, "query": found.query_sha256, "other": found.other_sha256}
    index.store.audit.record(Entry("explain", author, details, found.generation))


def worth(map_name: str, effect: str, figure: Faithfulness) -> str:
    """A sentence on a map: what its strongest patches do, and whether chance does the same."""
    verdict = "better than chance" if figure.better else "no better than chance"
    return (
        f"{map_name} is {verdict} here: {effect} {figure.effect:.3g}, as many patches at random "
        f"{figure.by_chance:.3g} on average ({figure.draws} draws, p = {figure.p_value:.2f})."
    )
