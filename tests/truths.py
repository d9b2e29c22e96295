"""A truth on either engine, and how somebody would alter it behind Lineup's back."""

from pathlib import Path

from sqlalchemy import create_engine, text


def alter(place: Path | str, *statements: str, **values: object) -> None:
    """As somebody would who can write to it and knows how to get round triggers and keys."""
    if isinstance(place, Path):
        url = f"sqlite:///{place}"
        first = [f"DROP TRIGGER IF EXISTS audit_no_{verb}" for verb in ("update", "delete")]
    else:
        url = place
        first = ["SET session_replication_role = replica"]
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in (*first, *statements):
            connection.execute(text(statement), values)
    engine.dispose()
