"""Integers as a JSON list: one parameter of a statement, however many they are."""

from sqlalchemy import BigInteger, BindParameter, Select, cast, column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Elements(FunctionElement[str]):
    """The rows, with the one column `value`, that a JSON list holds."""

    name = "elements"
    inherit_cache = True


def integers(text: BindParameter[str]) -> Select[int]:
    """The integers of a JSON list, as rows."""
    return select(cast(column("value"), BigInteger)).select_from(_Elements(text))


@compiles(_Elements, "sqlite")
def _sqlite(element: _Elements, compiler: SQLCompiler, **options: object) -> str:
    return f"json_each{compiler.process(element.clause_expr, **options)}"


@compiles(_Elements, "postgresql")
def _postgresql(element: _Elements, compiler: SQLCompiler, **options: object) -> str:
    return f"json_array_elements_text({compiler.process(element.clause_expr, **options)}::JSON)"
