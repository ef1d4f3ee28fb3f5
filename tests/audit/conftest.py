"""A market that lived, on both databases, and a copy of it on tables that refuse nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from c2m import migrations
from c2m.db import Database
from tests.audit.market import Life, a_market_that_lived


@dataclass(frozen=True)
class Lived:
    """The market as it came about, and the copy to plant faults in."""

    life: Life
    database: Database
    unguarded: Database


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """The market, lived through once on each database."""
    if request.param == "sqlite":
        addresses = _files(tmp_path_factory.mktemp("audit"))
    else:
        addresses = _databases(request.getfixturevalue("postgres_server"))
    database, unguarded = (Database(address) for address in addresses)
    migrations.create(database)
    life = a_market_that_lived(database)
    _without_guards(migrations.metadata()).create_all(unguarded.engine)
    _copy(database, unguarded)
    yield Lived(life, database, unguarded)
    database.dispose()
    unguarded.dispose()


def _files(folder: Path) -> list[str]:
    return [f"sqlite:///{folder / name}.sqlite3" for name in ("lived", "unguarded")]


def _databases(server: str) -> list[str]:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    names = [f"c2m_{uuid4().hex}" for _ in range(2)]
    with engine.connect() as connection:
        for name in names:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return [sa.make_url(server).set(database=name).render_as_string(hide_password=False) for name in names]


def _without_guards(metadata: sa.MetaData) -> sa.MetaData:
    """The same tables and indexes with their primary keys alone: no CHECK, UNIQUE or foreign key."""
    bare = sa.MetaData()
    for table in metadata.sorted_tables:
        copy = table.to_metadata(bare)
        copy.constraints = {copy.primary_key}
    return bare


def _copy(source: Database, target: Database) -> None:
    with source.engine.connect() as reading, target.engine.begin() as writing:
        for table in migrations.metadata().sorted_tables:
            if rows := [dict(row._mapping) for row in reading.execute(sa.select(table))]:
                writing.execute(sa.insert(table), rows)
