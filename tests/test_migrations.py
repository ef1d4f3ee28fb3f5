"""`upgrade head` equals the models, there and back, on both databases."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from c2m import migrations
from c2m.db import Database
from tests.conftest import database_url, on_server

Shape = dict[str, dict[str, Any]]


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'bare.sqlite3'}")
        yield database
        database.dispose()
        return
    server, name = sa.make_url(request.getfixturevalue("postgres_server")), f"c2m_{uuid4().hex}"
    on_server(server, f"CREATE DATABASE {name}")
    database = Database(database_url(server, name))
    yield database
    database.dispose()
    on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


def shape_of(database: Database) -> Shape:
    """Tables, columns, keys, indexes and checks as the database itself reports them."""
    inspector = sa.inspect(database.engine)
    dialect = database.engine.dialect
    return {
        table: {
            "columns": {
                column["name"]: (column["type"].compile(dialect), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": sorted(
                (key["name"], key["constrained_columns"], key["referred_table"], key["referred_columns"])
                for key in inspector.get_foreign_keys(table)
            ),
            "uniques": sorted(
                (unique["name"], unique["column_names"]) for unique in inspector.get_unique_constraints(table)
            ),
            "indexes": sorted(
                (
                    index["name"],
                    index["column_names"],
                    bool(index["unique"]),
                    str(index.get("dialect_options", {}).get(f"{dialect.name}_where")),
                )
                for index in inspector.get_indexes(table)
            ),
            "checks": sorted(
                (check["name"], re.sub(r"\s+", " ", check["sqltext"]))
                for check in inspector.get_check_constraints(table)
            ),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_upgrading_to_head_gives_the_models_tables_and_going_down_leaves_none(bare: Database) -> None:
    migrations.migrate(bare)
    assert migrations.current(bare) == migrations.head()
    upgraded = shape_of(bare)
    migrations.downgrade(bare, "base")
    assert shape_of(bare) == {}
    assert migrations.current(bare) is None
    migrations.create(bare)
    modelled = shape_of(bare)
    assert sorted(upgraded) == sorted(modelled) == sorted(migrations.metadata().tables)
    for table, shape in modelled.items():
        assert upgraded[table] == shape, table


def test_the_comparison_sees_differences_and_upgrading_again_changes_nothing(bare: Database) -> None:
    migrations.migrate(bare)
    before = shape_of(bare)
    migrations.migrate(bare)
    assert shape_of(bare) == before
    with bare.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE organisation ADD COLUMN motto TEXT"))
        connection.execute(sa.text("CREATE INDEX ix_motto ON organisation (motto)"))
    after = shape_of(bare)
    assert after["organisation"]["columns"] != before["organisation"]["columns"]
    assert after["organisation"]["indexes"] != before["organisation"]["indexes"]
    assert after["user_account"] == before["user_account"]


def test_checks_and_keys_are_there_and_hold(bare: Database) -> None:
    migrations.migrate(bare)
    shape = shape_of(bare)
    assert any(name == "ck_organisation_role" for name, _ in shape["organisation"]["checks"])
    assert shape["user_account"]["uniques"] == [("uq_user_account_email", ["email"])]
    assert shape["user_account"]["foreign keys"] == [
        ("fk_user_account_organisation_id", ["organisation_id"], "organisation", ["id"])
    ]
    grant = sa.text("INSERT INTO role_grant (user_id, role) VALUES (:user_id, 'buyer')")
    with pytest.raises(sa.exc.IntegrityError), bare.engine.begin() as connection:
        connection.execute(grant, {"user_id": uuid4().hex})


def test_migrating_makes_the_folder_of_an_sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite:///var/c2m.sqlite3")
    migrations.migrate(database)
    assert migrations.current(database) == migrations.head()
    database.dispose()


def test_alembic_finds_nothing_left_to_do(bare: Database) -> None:
    migrations.migrate(bare)
    with bare.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, migrations.metadata()) == []
