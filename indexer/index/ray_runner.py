"""Encoding on a Ray cluster; the one door to ray.

The inputs go out in parts, to a pool of actors that grows and shrinks with what there is to do.
Each actor has an encoder of its own, reads the bytes itself and leaves what became of a part in
a file whose name is the part's: whoever dies, a part that is done is not done again. The driver
takes the files as they come and removes each when it is committed.
"""

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from types import ModuleType
from typing import Any, Final

from indexer.errors import LineupError, MissingExtra, UsageError
from indexer.index.core import Index
from indexer.index.incoming import Incoming
from indexer.index.part_worker import Digests, Order, Worker, digests
from indexer.index.runner import COMMIT_IMAGES, Batch
from indexer.index.timings import Timings
from indexer.index.watch import refusal, watched
from indexer.sources.storage import Place
from indexer.store import Claims, NewImage
from indexer.types import ImageSource

PART: Final = COMMIT_IMAGES
"""Inputs of a part, where they are files of their own; a shard is one part."""
WAVE: Final = 4_096
"""Parts that are listed and known to the cluster at a time; each wave has actors of its own."""
QUEUED: Final = 2
"""Parts that an actor has before it, the one that it encodes among them."""
AGAIN: Final = "build again; what is done is not done again"


@dataclass(frozen=True, slots=True)
class Room:
    """What encoding may take of a cluster: at most `actors` at a time (None: as many as there
    is room for), each with `cpus` cores and `gpus`, which may be a share of one (None: one
    where the cluster has any, else none)."""

    actors: int | None = None
    cpus: int = 1
    gpus: float | None = None


class RayRunner:
    """Encodes on a Ray cluster.

    `address` is "host:port" of a cluster that this machine is a node of; without one,
    RAY_ADDRESS, else a cluster of its own on this machine. `shared` is a folder or URL that
    every node reaches, for what is on its way into the index; by default one of this machine,
    beside what else the index keeps. `load` says more of how encoders are loaded, as
    `load_encoder` takes it.
    """

    def __init__(
        self,
        address: str | None = None,
        shared: str | None = None,
        room: Room = Room(),
        load: Mapping[str, Any] | None = None,
    ) -> None:
        self._address, self._shared, self._room, self._load = address, shared, room, load or {}

    def run(
        self,
        index: Index,
        sources: Iterable[ImageSource],
        claims: Claims,  # noqa: ARG002 one build at a time uses a shared folder
        *,
        thumbnails: bool,
        timings: Timings,  # noqa: ARG002 of this process, which encodes nothing
    ) -> Iterator[Batch]:
        """See `indexer.index.runner.Runner`. First comes what an earlier run left behind.

        Raises MissingExtra, UsageError where the cluster or the shared folder is out of reach,
        and what workers raise.
        """
        shared = self._shared or str(index.home.kept / "incoming")
        incoming = Incoming(Place.of(shared).child(index.store.identity), index.store.passport)
        taken: set[str] = set()
        for batch in incoming.left_behind():
            taken |= {made.facts.sha256 for made in batch.outcomes if isinstance(made, NewImage)}
            yield batch
        order = Order.of(index, thumbnails, **self._load)
        parts = chain.from_iterable(source.parts(PART) for source in sources)
        named = zip(parts, incoming.files(), strict=False)
        with _cluster(self._address) as ray:
            while wave := list(islice(named, WAVE)):
                known = taken | set(index.store.columns(index.store.ids()).sha256)
                for file in _encoded(ray, wave, order, digests(known), self._room):
                    yield from incoming.received(file)


class _Actor:
    """A worker as Ray Data wants it: called with a row that has the number of a part."""

    def __init__(self, order: Order, cores: int, known: Any, wave: Any) -> None:  # noqa: ANN401
        import ray

        os.environ["LINEUP_CORES"] = str(cores)  # others are on the same machine
        found, self._wave = ray.get([known, wave])
        try:
            self._worker: Worker | LineupError = Worker(order, found)
        except LineupError as error:  # an actor that cannot be made would be tried for ever
            self._worker = error

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "error": self._encode(row["part"])}

    def _encode(self, part: int) -> LineupError | None:
        """Encode a part. Errors are returned, since what is raised arrives as text."""
        if isinstance(self._worker, LineupError):
            return self._worker
        try:
            self._worker.encode(*self._wave[part])
        except LineupError as error:
            return error
        except OSError as error:
            found = f"a worker on {socket.gethostname()} cannot leave encodings: {error}"
            return UsageError(found, do="correct --shared, or who may write there")
        return None


def _encoded(
    ray: ModuleType,
    wave: Sequence[tuple[ImageSource, Place]],
    order: Order,
    known: Digests,
    room: Room,
) -> Iterator[Place]:
    """The files of the parts of a wave, each when it is there."""
    pool = ray.data.ActorPoolStrategy(
        min_size=1,  # a fixed pool, as large as the cluster, hung when a node died
        max_size=room.actors,
        max_tasks_in_flight_per_actor=QUEUED,
    )
    # items, not a range: that is read by tasks, for which actors may have left no core
    rows = [{"part": number} for number in range(len(wave))]
    done = ray.data.from_items(rows, override_num_blocks=len(wave)).map(
        _Actor,
        fn_constructor_args=(order, room.cpus, ray.put(known), ray.put(wave)),
        compute=pool,
        num_cpus=room.cpus,
        num_gpus=_gpus(ray, room),
    )
    head = ray.get_runtime_context().gcs_address
    # Ray itself would wait a minute for a dead head, and then end this process without a word.
    dead = LineupError(f"the head of the Ray cluster, {head}, is dead", do=AGAIN)
    for row in watched(done.iter_rows(), head, dead):
        if row["error"] is not None:
            raise row["error"]
        yield wave[row["part"]][1]


def _gpus(ray: ModuleType, room: Room) -> float:
    """GPUs of an actor. Raises UsageError where no node has what one needs."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = room.gpus
    if gpus is None:
        gpus = 1.0 if any(node.get("GPU") for node in nodes) else 0.0
    if not any(n.get("CPU", 0) >= room.cpus and n.get("GPU", 0) >= gpus for n in nodes):
        found = "; ".join(f"{n.get('CPU', 0):g} and {n.get('GPU', 0):g}" for n in nodes)
        raise UsageError(
            f"the nodes of the cluster have {found} cores and GPUs",
            expected=f"one with {room.cpus} and {gpus:g}, which an actor is to have",
        )
    return gpus


@contextmanager
def _cluster(address: str | None) -> Iterator[ModuleType]:
    """ray, connected; what goes wrong with it within is told as a LineupError."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # it would report to its makers
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtra("ray", "ray", "the runner ray") from error
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    ray.data.DataContext.get_current().enable_progress_bars = False
    own = not ray.is_initialized()
    if own:
        _connect(ray, address or os.environ.get("RAY_ADDRESS", "local"))
    try:
        yield ray
    except ray.exceptions.RayTaskError:
        raise  # a fault of ours, with where it happened
    except ray.exceptions.RayError as error:
        raise LineupError(f"the Ray cluster failed: {error}", do=AGAIN) from error
    finally:
        if own:
            ray.shutdown()


def _connect(ray: ModuleType, address: str) -> None:
    if address not in ("local", "auto"):
        if "://" in address or not address.rpartition(":")[2].isdigit():
            raise UsageError(
                f"the Ray address {address}",
                expected="host:port of its head, or auto",
                do="Ray Data has no remote clients: run this on a node of the cluster",
            )
        if refused := refusal(address):  # Ray itself would wait for minutes
            raise UsageError(
                f"no Ray cluster answers at {address}: {refused}", do="check the address"
            )
    try:
        ray.init(address, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError) as error:
        raise UsageError(
            f"the Ray cluster at {address} is not for this machine: {error}",
            do="make it a node (ray start --address=...), with RAY_AUTH_MODE and RAY_AUTH_TOKEN "
            "as the cluster's other nodes have them",
        ) from error
