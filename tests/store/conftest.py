"""Where a truth may be: every promise of the store holds at each of them."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from store_samples import PASSPORT

from indexer.store import Store

Place = Path | str


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def new_place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Place]:
    """Makes a path where no file is, or the URL of an empty database."""
    if request.param == "postgresql":
        new: Callable[[], Place] = request.getfixturevalue("postgresql").place
        return new
    folder, numbers = tmp_path_factory.mktemp("truths"), count()
    return lambda: folder / f"{next(numbers)}.sqlite"


@pytest.fixture
def place(new_place: Callable[[], Place]) -> Place:
    return new_place()


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with Store.create(place, PASSPORT) as store:
        yield store
