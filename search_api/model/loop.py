"""The model process's side of the pipes, whatever the work is."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import BinaryIO

from search_api.model import wire
from search_api.model.wire import Outcome, Upload

Work = Callable[[Sequence[Upload], Callable[[], None]], list[Outcome]]
"""Uploads, and what to call at every step -> what came of each."""


def serve(jobs: BinaryIO, replies: BinaryIO, work: Work) -> None:
    """Say that work can begin, then answer batches until `jobs` ends.

    A batch is {"uploads": n} and n uploads; its answer any number of {"step"}, then n outcomes
    after {"outcomes": n}.
    """

    def say(message: bytes) -> None:
        replies.write(message)
        replies.flush()

    def step() -> None:
        say(wire.pack({"step": True}))

    say(wire.pack({"ready": True}))
    while True:
        try:
            count = wire.read(jobs)[0]["uploads"]
            uploads = [wire.to_upload(*wire.read(jobs)) for _ in range(count)]
        except EOFError:
            return
        outcomes = work(uploads, step)
        say(b"".join([wire.pack({"outcomes": count}), *map(wire.pack_outcome, outcomes)]))


def streams() -> tuple[BinaryIO, BinaryIO]:
    """stdin and stdout for messages; what libraries print goes to stderr from now on.

    Signals are for the service, which drains its work and then closes our stdin.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, replies
