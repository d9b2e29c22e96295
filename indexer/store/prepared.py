"""Statements of the paths that every search takes, compiled once.

Having SQLAlchemy look up a statement, bind it and wrap its rows costs several times what SQLite
needs to run it.
"""

import sqlite3
from typing import Any, Final, cast

from sqlalchemy import ClauseElement, Connection
from sqlalchemy.dialects import sqlite

from indexer.store.engine import translated

DIALECT: Final = sqlite.dialect(paramstyle="named")


class Prepared:
    """A statement that SQLAlchemy made and the driver runs.

    It does not begin a transaction: outside one, it is a snapshot of its own.
    """

    def __init__(self, statement: ClauseElement) -> None:
        compiled = DIALECT.statement_compiler(DIALECT, statement)
        self._text = str(compiled)
        self._constants = {
            name: bound.value for bound, name in compiled.bind_names.items() if not bound.required
        }

    def __call__(self, connection: Connection, **values: object) -> list[tuple[Any, ...]]:
        """The rows, with these values for the statement's parameters."""
        driver = cast(sqlite3.Connection, connection.connection.driver_connection)
        try:
            return driver.execute(self._text, self._constants | values).fetchall()
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise translated(error) or error from error
