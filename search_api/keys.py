"""API keys: how one is made and recognised.

A key is `lineup_<id>_<secret>`; the secret is 256 random bits. A guess at it is hopeless however
fast it can be checked, so one salted SHA-256 is the right hash: the slow ones (scrypt, argon2)
protect passwords, which people choose, and would cost every request their time.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

from indexer.errors import UsageError
from indexer.store import ApiKey

SCOPES: Final = ("read", "label", "ingest", "admin")
"""What a key can be good for; `admin` includes the others."""

_KEY = re.compile(r"lineup_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def new_key(name: str, scopes: frozenset[str]) -> tuple[str, ApiKey]:
    """A key, to be shown once, and what is kept of it. Raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"the name {name!r}", expected="1 to 64 letters, digits, dots, dashes, underscores"
        )
    if unknown := sorted(scopes - set(SCOPES)):
        raise UsageError(f"the scope {unknown[0]!r}", expected=f"of {', '.join(SCOPES)}")
    key_id, secret, salt = secrets.token_hex(6), secrets.token_urlsafe(32), secrets.token_bytes(16)
    return f"lineup_{key_id}_{secret}", ApiKey(key_id, name, salt, _digest(salt, secret), scopes)


def key_id(key: str) -> str | None:
    """The id within a key; None for text that is no key."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def is_of(key: str, known: ApiKey) -> bool:
    """Whether `key` is the one that `known` was kept of; takes equally long either way."""
    found = _KEY.fullmatch(key)
    return found is not None and hmac.compare_digest(_digest(known.salt, found[2]), known.digest)


def _digest(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode()).digest()
