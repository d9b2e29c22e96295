"""Where the time of a build goes."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Timings:
    """Seconds of processor time by step, summed over all threads of this process.

    What no step accounts for is the encoder's, which computes in threads of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: defaultdict[str, float] = defaultdict(float)
        self._began, self._clock = time.process_time(), time.perf_counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what this thread does within as `name`."""
        began = time.thread_time()
        try:
            yield
        finally:
            with self._lock:
                self._steps[name] += time.thread_time() - began

    def to_dict(self) -> dict[str, float]:
        """Step -> seconds so far, "encode" being the rest, and "clock" the time that passed."""
        spent = time.process_time() - self._began
        seconds = {**self._steps, "encode": spent - sum(self._steps.values())}
        seconds["clock"] = time.perf_counter() - self._clock
        return {name: round(value, 3) for name, value in seconds.items()}
