"""Collections in a milvus-lite file, which one process at a time can hold, or on a real server."""

import atexit
import shutil
import tempfile
from contextlib import ExitStack
from functools import cache
from itertools import count

import pytest
from milvus_server import Unavailable, milvus_server

from indexer.vectors.milvus import Milvus, checked_url
from indexer.vectors.milvus_index import MilvusIndex

numbers = count()


def fresh(what):
    """A name that no collection has."""
    return f"{what}_{next(numbers)}"


def unknown(ids):
    """Nothing is known of any image."""
    return [{}] * len(ids)


@cache
def lite():
    folder = tempfile.mkdtemp(prefix="lineup-milvus-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Milvus(checked_url(f"milvus+file:{folder}/lite.db"))


@cache
def server():
    """One server for all tests; they are skipped where there is none."""
    stack = ExitStack()
    atexit.register(stack.close)
    try:
        return Milvus(stack.enter_context(milvus_server()))
    except Unavailable as reason:
        pytest.skip(f"no Milvus server: {reason}")


BOTH = [
    pytest.param(lite, id="milvus-lite"),
    pytest.param(server, id="milvus", marks=[pytest.mark.scale, pytest.mark.timeout(1800)]),
]
"""What gives a connection."""


def on_lite(ids, vectors, nlist=0):
    """A collection of its own for every pair of arrays."""
    return MilvusIndex(lite(), fresh("contract"), ids, vectors, unknown, nlist)


def on_server(ids, vectors, nlist=0):
    """As `on_lite`."""
    return MilvusIndex(server(), fresh("contract"), ids, vectors, unknown, nlist)
