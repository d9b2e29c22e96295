"""How much a key may ask: a token bucket and a count of requests at once."""

import math
from collections import defaultdict
from dataclasses import dataclass

from search_api.problems import TooManyRequests

BURST_SECONDS = 2.0
"""A key that has been quiet may ask what it is allowed in so many seconds at once."""


@dataclass(slots=True)
class _Use:
    tokens: float
    at: float = 0.0
    working: int = 0


class Quotas:
    """Counts the use of every key. Not safe across threads; the event loop is its one user."""

    def __init__(self, rate: float, at_once: int) -> None:
        """`rate` requests a second, `at_once` in work, each for every key."""
        self._rate, self._at_once = rate, at_once
        self._burst = max(1.0, rate * BURST_SECONDS)
        self._policy = f'"key";q={math.floor(self._burst)};w={math.ceil(self._burst / rate)}'
        self._uses: defaultdict[str, _Use] = defaultdict(lambda: _Use(self._burst))

    def enter(self, key_id: str, now: float) -> dict[str, str]:
        """Count a request that begins at `now` (monotonic seconds).

        Returns the RateLimit headers of its answer (draft-ietf-httpapi-ratelimit-headers).
        Raises TooManyRequests, and then counts nothing.
        """
        use = self._uses[key_id]
        use.tokens = min(self._burst, use.tokens + (now - use.at) * self._rate)
        use.at = now
        if use.working >= self._at_once:
            raise TooManyRequests(
                f"{use.working} requests of this key are in work",
                self._headers(use) | {"Retry-After": "1"},
            )
        if use.tokens < 1:
            wait = math.ceil((1 - use.tokens) / self._rate)
            raise TooManyRequests(
                f"more than {self._rate:g} requests a second with this key",
                self._headers(use) | {"Retry-After": str(wait)},
            )
        use.tokens -= 1
        use.working += 1
        return self._headers(use)

    def leave(self, key_id: str) -> None:
        """A request that had entered is done."""
        self._uses[key_id].working -= 1

    def _headers(self, use: _Use) -> dict[str, str]:
        full = math.ceil((self._burst - use.tokens) / self._rate)
        return {
            "RateLimit-Policy": self._policy,
            "RateLimit": f'"key";r={math.floor(use.tokens)};t={full}',
        }
