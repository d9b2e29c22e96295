"""Ed25519 signatures (RFC 8032) and the file that the key is kept in."""

import os
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from indexer.errors import LineupError, NotFound

OTHERS = 0o077
"""Permission bits of everybody but the owner."""


class SigningKey:
    """A private key that signs; `public` is what others check its signatures with."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> Self:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> Self:
        """The key in a PEM file. Raises NotFound where there is none and LineupError when it is
        no Ed25519 key or others may read it."""
        if not path.is_file():
            raise NotFound(f"no signing key at {path}")
        if os.name == "posix" and (mode := path.stat().st_mode & OTHERS):
            raise LineupError(
                f"others may use the signing key {path} (permissions ...{mode:03o})",
                expected="a key that only its owner can read",
                do=f"chmod 600 {path}, or make a new key if somebody may have read it",
            )
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError) as error:
            raise _not_ed25519(path) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _not_ed25519(path)
        return cls(key)

    @classmethod
    def load_or_make(cls, path: Path) -> Self:
        """The key in a PEM file; made there on first use, readable by its owner only.

        Raises LineupError, also where none can be made.
        """
        if path.exists():
            return cls.load(path)
        made = cls.generate()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # made by another process in this moment
            return cls.load(path)
        except OSError as error:
            raise LineupError(
                f"no signing key can be made at {path}: {error.strerror}",
                expected="a place that can be written to",
                do="name another: --key of indexer report, --signing-key of search-api",
            ) from error
        with os.fdopen(file, "wb") as out:
            out.write(made.to_pem())
        return made

    @property
    def public(self) -> str:
        """The public key, 64 hex digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> str:
        """The signature over `data`, 128 hex digits."""
        return self._key.sign(data).hex()

    def to_pem(self) -> bytes:
        """The private key as PKCS #8 in PEM, unencrypted."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def is_signed(public: str, signature: str, data: bytes) -> bool:
    """Whether `signature` is that of `data` by the holder of the key, both in lower-case hex;
    False for what is no key or no signature at all."""
    try:
        key_bytes, signed = bytes.fromhex(public), bytes.fromhex(signature)
        Ed25519PublicKey.from_public_bytes(key_bytes).verify(signed, data)
    except (ValueError, InvalidSignature):
        return False
    return (key_bytes.hex(), signed.hex()) == (public, signature)


def _not_ed25519(path: Path) -> LineupError:
    return LineupError(
        f"{path} is no Ed25519 key", expected="a PEM file from: openssl genpkey -algorithm ed25519"
    )
