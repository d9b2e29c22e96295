"""Statements of the paths that every search takes, compiled once for each engine.

Having SQLAlchemy look up a statement, bind it and wrap its rows costs several times what SQLite
needs to run it.
"""

from typing import Any, cast

from sqlalchemy import ClauseElement, Connection, Dialect

from indexer.store.database import database_of

_Compiled = tuple[str, dict[str, Any]]
"""The text of a statement, and the values that are part of it."""


class Prepared:
    """A statement that SQLAlchemy made and the driver runs.

    It does not begin a transaction: outside one, it is a snapshot of its own.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, connection: Connection, **values: object) -> list[tuple[Any, ...]]:
        """The rows, with these values for the statement's parameters."""
        database = database_of(connection)
        text, constants = self._for(database.dialect)
        driver = cast(Any, connection.connection.driver_connection)
        try:
            cursor = driver.execute(text, constants | values)
            return cursor.fetchall() if cursor.description else []
        except Exception as error:
            raise database.translated(error) or error from error

    def _for(self, dialect: Dialect) -> _Compiled:
        if dialect.name not in self._compiled:
            compiled = dialect.statement_compiler(dialect, self._statement)
            names = compiled.bind_names.items()
            constants = {name: bound.value for bound, name in names if not bound.required}
            self._compiled[dialect.name] = str(compiled), constants
        return self._compiled[dialect.name]
