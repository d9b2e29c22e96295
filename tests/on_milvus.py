"""Collections in a milvus-lite file, which one process at a time can hold."""

import atexit
import shutil
import tempfile
from functools import cache
from itertools import count

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


def on_milvus(ids, vectors, nlist=0):
    """A collection of its own for every pair of arrays."""
    return MilvusIndex(lite(), fresh("contract"), ids, vectors, unknown, nlist)
