"""JSON in one form only, so that equal values have equal bytes and equal hashes."""

from typing import Any

import rfc8785

from indexer.errors import UsageError


def canonical(value: Any) -> bytes:  # noqa: ANN401 any JSON value
    """`value` by the JSON Canonicalization Scheme (RFC 8785), UTF-8.

    Raises UsageError on what JSON has no canonical form for: NaN, infinity, whole numbers
    beyond 2^53, half characters.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise UsageError(f"a value without canonical JSON: {error}") from error
