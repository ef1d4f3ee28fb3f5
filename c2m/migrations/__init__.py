"""The schema's history, and bringing a database up to it. Run as a module to write the next step."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from c2m.db import Database

HERE = Path(__file__).parent
TABLES = (
    "c2m.outbox",
    "c2m.jobs",
    "c2m.identity.models",
    "c2m.notices.models",
    "c2m.ledger.models",
    "c2m.design.models",
    "c2m.demand.models",
    "c2m.matching.models",
    "c2m.production.models",
    "c2m.audit.models",
)


def metadata() -> sa.MetaData:
    """Every table of the product."""
    for module in TABLES:
        import_module(module)
    return SQLModel.metadata


def head() -> str:
    """The revision this code was written for.

    Raises:
        RuntimeError: the package carries no migrations.
    """
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError(f"no migrations in {HERE / 'versions'}")
    return revision


def current(database: Database) -> str | None:
    """The revision a database stands at; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database, revision: str = "head") -> None:
    """Bring a database up to a revision."""
    with _configured(database) as config:
        command.upgrade(config, revision)


def downgrade(database: Database, revision: str) -> None:
    """Take a database back to a revision; `base` empties it."""
    with _configured(database) as config:
        command.downgrade(config, revision)


def create(database: Database) -> None:
    """Make every table of an empty database from the models at once, as all migrations together would."""
    metadata().create_all(database.engine)
    with _configured(database) as config:
        command.stamp(config, "head")


def revise(database: Database, message: str, *, now: datetime) -> Path:
    """Write the step that leads from the last migration to the present tables; returns the new file.

    The database is brought to the last migration first and compared with the models.
    """
    migrate(database)
    with _configured(database) as config:
        script = command.revision(config, message=message, autogenerate=True, rev_id=f"{now:%Y%m%d%H%M}")
    if script is None or isinstance(script, list):
        raise RuntimeError("no revision was written")
    return Path(script.path)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


@contextmanager
def _configured(database: Database) -> Iterator[Config]:
    config = _config()
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        with _without_foreign_keys(connection):
            yield config


@contextmanager
def _without_foreign_keys(connection: sa.Connection) -> Iterator[None]:
    # SQLite changes a table by copying it, and dropping the old one must not touch the rows that refer to it.
    # The pragma only works outside a transaction, hence on the driver's own connection.
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.dbapi_connection
    assert driver is not None  # noqa: S101 - the connection is open
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        broken = driver.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"rows refer to nothing: {broken[:10]}")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
