"""What is so of a truth on a server: who may connect, what it stores, what it promises."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from postgresql_server import USER, Server
from psycopg import errors
from sqlalchemy import make_url, text
from store_samples import PASSPORT, new_image, sha

from indexer.custody import Entry
from indexer.errors import IndexBusy, IndexDamaged, IndexUnreachable, LineupError, UsageError
from indexer.store import Store, postgresql
from indexer.store.postgresql import PostgreSQL
from indexer.types import Annotation


@pytest.fixture
def url(postgresql: Server) -> str:
    return postgresql.place()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://u@h/d", "an index at mysql://"),
        ("postgresql://u@h/d", "an index at postgresql://"),
        ("postgresql+psycopg://u:secret@h/d", "carries a password"),
        ("postgresql+psycopg://u@h/d?password=secret", "carries a password"),
        ("://", "an index at unknown://"),
    ],
)
def test_other_urls_are_refused_and_no_password_is_told(url: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        Store.open(url)
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)


def test_who_cannot_be_reached_is_told(postgresql: Server) -> None:
    with pytest.raises(IndexUnreachable, match="Connection refused") as caught:
        Store.open("postgresql+psycopg://u@127.0.0.1:1/d")
    assert "PGPASSWORD" in str(caught.value)
    with pytest.raises(IndexUnreachable, match=r'database "none" does not exist.*createdb'):
        Store.open(postgresql.url("none"))


def test_another_encoding_is_refused(postgresql: Server) -> None:
    order = "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
    postgresql.sql(f"CREATE DATABASE latin {order}")
    with pytest.raises(UsageError, match="LATIN1; expected UTF8"):
        Store.create(postgresql.url("latin"), PASSPORT)


def test_a_role_that_may_only_read_is_told(postgresql: Server, url: str) -> None:
    schema = make_url(url).query["options"].split("=")[1]
    Store.create(url, PASSPORT).close()
    postgresql.sql("CREATE ROLE reader LOGIN")
    postgresql.sql(f"GRANT USAGE ON SCHEMA {schema} TO reader")
    postgresql.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader")
    with Store.open(url.replace(f"//{USER}@", "//reader@")) as store:
        assert store.generation == 0
        with pytest.raises(LineupError, match=r"permission denied.*expected a role"):
            store.audit.record(Entry("query", "ann", {}, 0))
    postgresql.sql("DROP OWNED BY reader")
    postgresql.sql("DROP ROLE reader")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.DeadlockDetected, IndexBusy),
        (errors.SerializationFailure, IndexBusy),
        (errors.AdminShutdown, IndexUnreachable),
        (errors.InvalidPassword, IndexUnreachable),
        (errors.DiskFull, LineupError),
        (errors.TooManyConnections, LineupError),
        (errors.ReadOnlySqlTransaction, LineupError),
        (errors.DataCorrupted, IndexDamaged),
    ],
)
def test_what_the_server_says_is_told_with_what_to_do(
    error: type[errors.Error], kind: type[LineupError]
) -> None:
    told = PostgreSQL("postgresql+psycopg://u@h/d").translated(error("as it says"))
    assert type(told) is kind
    assert "as it says" in str(told)
    assert told.expected or told.do


@pytest.mark.parametrize(
    "bad",
    [
        new_image("b", "x:a\0b"),
        new_image("b", annotation=Annotation(family="a\0b")),
        new_image("b", metadata={"k": "a\0b"}),
    ],
)
def test_a_nul_character_is_refused(url: str, bad: object) -> None:
    with Store.create(url, PASSPORT) as store:
        with pytest.raises(UsageError, match="no NUL character"), store.commit("b", "a") as txn:
            txn.add([new_image("a"), bad])
        assert store.ids().tolist() == []


def test_a_server_that_would_lose_commits_is_told(postgresql: Server, url: str) -> None:
    with Store.create(url, PASSPORT) as store:
        assert store.check() == []
        postgresql.sql("ALTER SYSTEM SET full_page_writes = off")
        postgresql.sql("SELECT pg_reload_conf()")
        try:
            found: list[str] = []
            while not found:  # the server reads its settings a moment later
                found = store.check()
            assert found[0].startswith("server: full_page_writes is off")
        finally:
            postgresql.sql("ALTER SYSTEM RESET full_page_writes")
            postgresql.sql("SELECT pg_reload_conf()")


def test_who_waits_too_long_is_told_that_the_index_is_busy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "SETTINGS", ("SET lock_timeout = '50ms'",))
    Store.create(url, PASSPORT).close()
    with Store.open(url) as one, Store.open(url) as other, one.commit("build", "ann") as txn:
        txn.add([new_image("a")])
        with pytest.raises(IndexBusy), other.commit("build", "ben"):
            pass


def test_commits_of_others_hold_up_no_record_of_a_query(url: str) -> None:
    Store.create(url, PASSPORT).close()
    with Store.open(url) as one, Store.open(url) as other:
        with one.commit("build", "ann") as txn:
            txn.add([new_image("a")])
            other.audit.record(Entry("query", "ben", {}, 0))
        assert [row.kind for row in one.audit.rows()] == ["create", "query", "build"]
        assert one.audit.faults() == []


def test_a_read_sees_one_snapshot(url: str) -> None:
    with Store.create(url, PASSPORT) as store:
        with store._reading(None) as (connection, at):
            with store.commit("build", "ann") as txn:
                txn.add([new_image("a")])
            images = connection.scalar(text("SELECT count(*) FROM images"))
            assert (images, at) == (0, 0)
        assert store.known([sha("a")]) == {sha("a")}


def test_several_make_one_index_and_one_succeeds(url: str) -> None:
    barrier = threading.Barrier(4)

    def create(_: int) -> bool:
        barrier.wait()
        try:
            Store.create(url, PASSPORT).close()
        except UsageError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(4))) == [False, False, False, True]


@pytest.fixture
def own_server(postgresql: Server) -> Iterator[Server]:
    with Server(postgresql.bin) as server:
        yield server


@pytest.mark.parametrize("mode", ["immediate", "kill"])
def test_what_was_told_outlives_the_server(own_server: Server, mode: str) -> None:
    url = own_server.place()
    with Store.create(url, PASSPORT) as store:
        for name in "ab":
            with store.commit("build", "ann") as txn:
                txn.add([new_image(name)])
        store.audit.record(Entry("query", "ann", {}, 2))
        own_server.kill() if mode == "kill" else own_server.stop(mode)
        with pytest.raises(IndexUnreachable):
            store.audit.record(Entry("query", "ann", {}, 2))
        own_server.start()
        assert store.ids().tolist() == [1, 2]
        assert (store.audit.head.number, store.audit.faults(), store.check()) == (4, [], [])
