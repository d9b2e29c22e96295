"""Claims of work, so that several processes that build one index do nothing twice."""

import hashlib
import threading
from typing import Final, Protocol

from sqlalchemy import BigInteger, Connection, bindparam, func, select

from indexer.store.prepared import Prepared


class Claims(Protocol):
    """What this process has claimed, until it lets it go or ends, however it ends."""

    def take(self, name: str) -> bool:
        """Claim `name`; False where another process has it."""
        ...

    def release(self, name: str) -> None:
        """Let `name` go."""
        ...


class Unshared:
    """Nobody else claims anything."""

    def take(self, name: str) -> bool:  # noqa: ARG002
        return True

    def release(self, name: str) -> None:
        pass


_KEY = bindparam("key", type_=BigInteger)
TAKE: Final = Prepared(select(func.pg_try_advisory_lock(_KEY)))
RELEASE: Final = Prepared(select(func.pg_advisory_unlock(_KEY)))


class AdvisoryLocks:
    """Claims as PostgreSQL's advisory locks on a connection of their own, with which they end.

    May be used from several threads. `scope` tells the claims of one index from another's.
    """

    def __init__(self, connection: Connection, scope: str) -> None:
        self._connection, self._scope = connection, scope
        self._guard = threading.Lock()

    def take(self, name: str) -> bool:
        with self._guard:
            [[taken]] = TAKE(self._connection, key=self._key(name))
        return bool(taken)

    def release(self, name: str) -> None:
        with self._guard:
            RELEASE(self._connection, key=self._key(name))

    def _key(self, name: str) -> int:
        digest = hashlib.sha256(f"{self._scope} {name}".encode()).digest()
        return int.from_bytes(digest[:8], signed=True)
