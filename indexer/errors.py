"""The errors that a user may see: what was found, what was expected, what to do."""

from typing import ClassVar


class LineupError(Exception):
    """An expected failure, told in one line.

    `code` is a stable slug: the last part of the problem type over HTTP and the `reason`
    of a rejected input. `found` says what is wrong, `expected` what would have been right,
    `do` the next step. The faces translate it once: exit code 1 or problem+json.
    """

    code: ClassVar[str] = "error"

    def __init__(self, found: str, *, expected: str = "", do: str = "") -> None:
        self.found, self.expected, self.do = found, expected, do
        parts = [found, f"expected {expected}" if expected else "", do]
        super().__init__("; ".join(part for part in parts if part))

    def __reduce__(self) -> tuple[object, ...]:
        """So that it can be raised in another process, whatever its class takes."""
        return Exception.__new__, (type(self), *self.args), self.__dict__


class UsageError(LineupError):
    """The request itself is wrong (exit code 2, HTTP 400 or 422)."""

    code = "usage"


class NotFound(LineupError):
    """Something that was named does not exist (HTTP 404)."""

    code = "not-found"


class MissingExtra(LineupError):
    """An optional dependency is not installed; the message names the extra."""

    code = "missing-extra"

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            do=f"pip install 'lineup[{extra}]'",
        )


class ImageRejected(LineupError):
    """Bytes that are no image we can use. `reason` is one of `indexer.images.REASONS`."""

    code = "image-rejected"

    def __init__(self, reason: str, found: str, *, expected: str = "", do: str = "") -> None:
        super().__init__(found, expected=expected, do=do)
        self.reason = reason


class CheckpointError(LineupError):
    """A checkpoint that cannot be found, trusted or loaded without loss."""

    code = "checkpoint"


class EngineRefused(LineupError):
    """An engine whose results are too far from the reference's (`indexer.encoder.gate`)."""

    code = "engine-refused"


class PassportMismatch(LineupError):
    """Encodings that must not be compared (HTTP 409)."""

    code = "passport-mismatch"


class IndexDamaged(LineupError):
    """The truth of an index cannot be read or contradicts itself."""

    code = "index-damaged"


class IndexUnreachable(LineupError):
    """The database of an index does not answer, or lets nobody in (HTTP 503)."""

    code = "index-unreachable"


class IndexBusy(LineupError):
    """Another process holds the index for longer than we wait (HTTP 503)."""

    code = "index-busy"


class VectorsUnavailable(LineupError):
    """The vector database of an index does not answer, or refuses (HTTP 503)."""

    code = "vectors-unavailable"
