"""The small expression that narrows a gallery, the same on every engine."""

from indexer.filters.expression import (
    META,
    OPERATORS,
    And,
    Comparison,
    Filter,
    In,
    IsNull,
    Not,
    Or,
    as_expression,
    as_number,
    as_text,
    fields,
    matches,
)
from indexer.filters.parser import (
    MAX_COMPARISONS,
    MAX_DEPTH,
    MAX_VALUES,
    narrowed,
    parse_filter,
)

__all__ = [
    "MAX_COMPARISONS",
    "MAX_DEPTH",
    "MAX_VALUES",
    "META",
    "OPERATORS",
    "And",
    "Comparison",
    "Filter",
    "In",
    "IsNull",
    "Not",
    "Or",
    "as_expression",
    "as_number",
    "as_text",
    "fields",
    "matches",
    "narrowed",
    "parse_filter",
]
