"""Every error has its problem, and an unforeseen one does not show its inside."""

from http import HTTPStatus

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import indexer.errors
from indexer.errors import IndexBusy, LineupError, MissingExtra
from search_api import problems


def kinds_of(error: type[LineupError]) -> set[type[LineupError]]:
    return {error}.union(*(kinds_of(kind) for kind in error.__subclasses__()))


def test_every_public_error_has_a_status_and_a_title() -> None:
    public = {
        kind.code
        for kind in kinds_of(LineupError)
        if kind.__module__ in (indexer.errors.__name__, problems.__name__)
    }
    assert public <= problems.KINDS.keys()


def ask(error: Exception) -> "tuple[int, dict[str, object], dict[str, str]]":
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def fail() -> None:
        raise error

    response = TestClient(app, raise_server_exceptions=False).get("/")
    return response.status_code, response.json(), dict(response.headers)


def test_a_busy_index_is_told_with_what_to_do_and_when() -> None:
    status, problem, headers = ask(IndexBusy("held", expected="patience", do="wait"))
    assert (status, headers["retry-after"]) == (503, "1")
    assert problem == {
        "type": "urn:lineup:problem:index-busy",
        "title": "The index is held by another process",
        "status": 503,
        "detail": "held; expected patience; wait",
        "expected": "patience",
        "do": "wait",
    }


@pytest.mark.parametrize("error", [KeyError("secret"), RuntimeError("/secret/path")])
def test_an_unforeseen_error_keeps_its_inside(error: Exception) -> None:
    status, problem, headers = ask(error)
    assert problem == {
        "type": "urn:lineup:problem:error",
        "title": "The service failed",
        "status": status,
        "detail": "an unforeseen error; the service's log has more",
    }
    assert status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert headers["x-content-type-options"] == "nosniff"


def test_a_missing_package_is_the_services_fault() -> None:
    assert ask(MissingExtra("plotly", "evaluate", "a plot"))[0] == 500
