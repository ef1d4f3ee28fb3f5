"""The database: one engine, one session a unit of work, the column types every table uses."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID, SafeUUID

import sqlalchemy as sa
import uuid_utils.compat
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import declared_attr
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Field, Session, SQLModel

from c2m.clock import Clock, SystemClock
from c2m.config import see_to_folder, sqlalchemy_url

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """The base of every table: named like its class, in snake case."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 - a declared attribute receives the class
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


READ_ONLY = {"c2m_read_only": True}
PARAMETERS_PER_STATEMENT = 500
POOL = 20  # connections a process keeps
IDLE_SECONDS = 2.0
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U

T = TypeVar("T")


def uuid7() -> UUID:
    """A new id, made by the client and ordered by time (RFC 9562)."""
    return uuid_utils.compat.uuid7()


def number_of(prefix: str, row_id: UUID) -> str:
    """A number people can read out, such as `C-7K2M0QX4VD`: the random end of the row's id in base 32."""
    digits, rest = "", row_id.int & (1 << 50) - 1
    for _ in range(10):
        digits, rest = _BASE32[rest & 31] + digits, rest >> 5
    return f"{prefix}-{digits}"


class HexUuid(sa.Uuid[UUID]):
    """How SQLite keeps ids: 32 hexadecimal digits, read back without the checks that a stranger's text would need."""

    def bind_processor(self, dialect: Dialect) -> Callable[[UUID | None], str | None]:
        return lambda value: None if value is None else value.hex

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], UUID | None]:
        return lambda digits: None if digits is None else _uuid_of(int(digits, 16))


_FROM_US = SafeUUID.unknown


def _uuid_of(number: int) -> UUID:
    # What UUID.__init__ does once it has found its argument in order; reading ids is a tenth of a large read.
    found = object.__new__(UUID)
    object.__setattr__(found, "int", number)
    object.__setattr__(found, "is_safe", _FROM_US)
    return found


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware instant in, the same aware UTC instant out, on both databases; naive times are refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: times are aware UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JsonType = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def enum_type(enum: type[StrEnum]) -> sa.Enum:
    """A text column that holds the enum's values and, by CHECK, nothing else."""
    return sa.Enum(
        enum,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=24,
        name=enum.__name__.lower(),
    )


def id_field() -> Any:
    """The primary key of every table of its own: a UUIDv7."""
    return Field(default_factory=uuid7, primary_key=True)


def time_field(*, nullable: bool = False, index: bool = False) -> Any:
    """A UTC instant."""
    if nullable:
        return Field(default=None, sa_type=UtcDateTime, nullable=True, index=index)
    return Field(sa_type=UtcDateTime, nullable=False, index=index)


def enum_field(enum: type[StrEnum], default: StrEnum | None = None, *, index: bool = False) -> Any:
    """A status or kind, stored by value."""
    if default is None:
        return Field(sa_type=enum_type(enum), nullable=False, index=index)
    return Field(default=default, sa_type=enum_type(enum), nullable=False, index=index)


def json_field(default_factory: type[dict[str, Any]] | type[list[Any]] = dict) -> Any:
    """A JSON document, replaced as a whole, never edited in place."""
    return Field(default_factory=default_factory, sa_type=JsonType, nullable=False)


def amount_field(default: int | None = None, *, nullable: bool = False) -> Any:
    """Money in minor units, or any count that may exceed 32 bits."""
    if nullable:
        return Field(default=None, sa_type=sa.BigInteger, nullable=True)
    if default is None:
        return Field(sa_type=sa.BigInteger, nullable=False)
    return Field(default=default, sa_type=sa.BigInteger, nullable=False)


class Database:
    """One engine and the two kinds of unit of work: reading and writing."""

    def __init__(self, url: str, *, echo: bool = False) -> None:
        self.url = url
        self.engine = _create_engine(url, echo=echo)
        self._reading = self.engine.execution_options(**READ_ONLY)
        alone = {} if self.dialect == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._alone = self._reading.execution_options(**alone)

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A unit of work that writes: committed at the end, rolled back when it raises."""
        with self.writing() as session:
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A unit of work that only reads."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """For a single statement that reads: without a session's bookkeeping or a transaction's round trips."""
        with self._alone.connect() as connection:
            yield connection

    def writing(self) -> Session:
        """A session that takes the write lock at its first statement; the caller commits."""
        return Session(self.engine, expire_on_commit=False)

    def dispose(self) -> None:
        """Close every connection (after a fork, and at the end)."""
        self.engine.dispose()


def _create_engine(address: str, *, echo: bool) -> sa.Engine:
    url = sqlalchemy_url(address)
    if url.get_backend_name() != "sqlite":
        engine = sa.create_engine(url, echo=echo, pool_size=POOL, max_overflow=0)
        _try_idle_connections(engine)
        return engine
    if (name := url.database) and name != ":memory:":
        see_to_folder(Path(name).parent)
    files = {"timeout": 30, "check_same_thread": False}
    engine = sa.create_engine(url, echo=echo, connect_args=files, pool_size=POOL)
    engine.dialect.colspecs = {**engine.dialect.colspecs, sa.Uuid: HexUuid}

    @event.listens_for(engine, "connect")
    def prepare(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = dbapi_connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("c2m_read_only")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _try_idle_connections(engine: sa.Engine) -> None:
    """Have a connection that lay idle tried before it is used, as the server may be gone; a busy one needs no test."""

    @event.listens_for(engine, "checkin")
    def laid_down(_dbapi_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["laid_down"] = monotonic()

    @event.listens_for(engine, "checkout")
    def taken_up(dbapi_connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if monotonic() - record.info.get("laid_down", monotonic()) > IDLE_SECONDS:
            try:
                engine.dialect.do_ping(dbapi_connection)
            except engine.dialect.loaded_dbapi.Error as gone:
                raise sa.exc.DisconnectionError from gone


def insert_rows(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of one table in one statement; all name the same columns, and column defaults apply."""
    if rows:
        connection = session.connection()
        _insert(table_of(model), tuple(rows[0]), connection.dialect, False).run(connection, rows)


def insert_missing(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose unique keys are still free and pass over the others; drivers don't agree on how many."""
    if not rows:
        return
    connection = session.connection()
    _insert(table_of(model), tuple(rows[0]), connection.dialect, True).run(connection, rows)


def update_rows(
    session: Session,
    model: type[SQLModel],
    rows: Sequence[Mapping[str, Any]],
    *,
    by: Sequence[str] = ("id",),
    add: Sequence[str] = (),
) -> int:
    """Change many rows of one table in one statement; return how many were found.

    All rows name the same columns: those in `by` find the row, those in `add` are added to, all others are set.
    """
    if not rows:
        return 0
    connection = session.connection()
    return _update(table_of(model), tuple(rows[0]), tuple(by), tuple(add), connection.dialect).run(connection, rows)


@dataclass(frozen=True)
class _Parameter:
    """Where a parameter of a statement comes from: a row's column or a default, and how the driver wants it."""

    name: str
    column: str
    default: Callable[[], Any] | None
    process: Callable[[Any], Any] | None

    def values(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        make = self.default
        found = [row[self.column] for row in rows] if make is None else [make() for _ in rows]
        return found if self.process is None else list(map(self.process, found))


@dataclass(frozen=True)
class _ForManyRows:
    """A compiled statement that is run once for each row: SQLAlchemy's own way takes twice the time."""

    sql: str
    parameters: tuple[_Parameter, ...]
    positional: bool

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it for all rows; return how many rows it changed."""
        given = list(zip(*(parameter.values(rows) for parameter in self.parameters), strict=True))
        if self.positional:
            return max(connection.exec_driver_sql(self.sql, given).rowcount, 0)
        names = [parameter.name for parameter in self.parameters]
        named = [dict(zip(names, values, strict=True)) for values in given]
        return max(connection.exec_driver_sql(self.sql, named if len(named) > 1 else named[0]).rowcount, 0)


@lru_cache(maxsize=512)
def _insert(table: sa.Table, columns: tuple[str, ...], dialect: Dialect, missing_only: bool) -> _ForManyRows:
    defaults = {c.name: _default(c) for c in table.c if c.name not in columns and c.default is not None}
    names = [*columns, *defaults]
    values = {name: sa.bindparam(name, type_=table.c[name].type) for name in names}
    if missing_only:
        dialect_insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        statement: sa.Insert = dialect_insert(table).on_conflict_do_nothing()
    else:
        statement = sa.insert(table)
    sources = {name: (table.c[name], defaults.get(name)) for name in names}
    return _compiled(statement.values(values), sources, dialect)


@lru_cache(maxsize=512)
def _update(
    table: sa.Table, columns: tuple[str, ...], by: tuple[str, ...], add: tuple[str, ...], dialect: Dialect
) -> _ForManyRows:
    values = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in columns if name not in by}
    found = [table.c[name] == sa.bindparam(f"old_{name}", type_=table.c[name].type) for name in by]
    changes = {name: table.c[name] + value if name in add else value for name, value in values.items()}
    sources = {f"{'old' if name in by else 'new'}_{name}": (table.c[name], None) for name in columns}
    return _compiled(sa.update(table).where(*found).values(changes), sources, dialect)


def _compiled(
    statement: sa.Insert | sa.Update,
    sources: Mapping[str, tuple[sa.Column[Any], Callable[[], Any] | None]],
    dialect: Dialect,
) -> _ForManyRows:
    compiled = statement.compile(dialect=dialect)
    parameters = []
    for name in compiled.positiontup or sources:
        column, default = sources[name]
        process = column.type.dialect_impl(dialect).bind_processor(dialect)
        if process is not None and isinstance(column.type, sa.Enum | UtcDateTime | sa.Date):
            process = lru_cache(maxsize=1024)(process)  # many rows share few states and instants
        parameters.append(_Parameter(name, column.name, default, process))
    return _ForManyRows(str(compiled), tuple(parameters), compiled.positiontup is not None)


def _default(column: sa.Column[Any]) -> Callable[[], Any]:
    """What makes the value of a column that a row leaves out."""
    default = column.default
    if isinstance(default, sa.ColumnDefault) and default.is_scalar:
        return lambda: default.arg
    if isinstance(default, sa.ColumnDefault) and default.is_callable:
        return lambda: default.arg(None)
    raise TypeError(f"{column}: no default that can be made row by row")


def table_of(model: type[SQLModel]) -> sa.Table:
    """The Core table behind a model, for set-based statements."""
    table: sa.Table = model.__table__  # type: ignore[attr-defined]
    return table


def chunks(items: Sequence[T], size: int = PARAMETERS_PER_STATEMENT) -> Iterator[Sequence[T]]:
    """Slices short enough for one IN list."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def lock_rows(session: Session, model: type[SQLModel], ids: Sequence[UUID]) -> None:
    """Lock rows in id order until the unit of work ends (SQLite already holds its one write lock)."""
    if session.get_bind().dialect.name != "postgresql":
        return
    table = table_of(model)
    for part in chunks(sorted(ids)):
        session.execute(sa.select(table.c.id).where(table.c.id.in_(part)).order_by(table.c.id).with_for_update())


@dataclass(frozen=True)
class Locked:
    """Rows by id now that they are locked, and the time once all of them were, by the server's clock if it has one."""

    rows: dict[UUID, dict[str, Any]]
    instant: datetime | None

    def time_by(self, clock: Clock) -> datetime:
        """What time it is: by the server, unless the clock is moved by hand."""
        return self.instant if self.instant is not None and isinstance(clock, SystemClock) else clock.now()


def lock_and_read(session: Session, model: type[SQLModel], names: Sequence[str], ids: Sequence[UUID]) -> Locked:
    """Lock rows in id order until the unit of work ends and read some of their columns, the id among them."""
    connection = session.connection()
    statement = _lock_and_read(table_of(model), tuple(names), connection.dialect.name)
    found = [row for part in chunks(sorted(ids)) for row in connection.execute(statement, {"ids": part})]
    rows = [dict(zip(names, row, strict=False)) for row in found]
    return Locked({row["id"]: row for row in rows}, found[-1][-1] if found else None)


@lru_cache(maxsize=64)
def _lock_and_read(table: sa.Table, names: tuple[str, ...], dialect: str) -> sa.Select[Any]:
    asked = sa.select(*(table.c[name] for name in names)).where(table.c.id.in_(sa.bindparam("ids", expanding=True)))
    if dialect != "postgresql":
        return asked.add_columns(sa.null())
    # A row leaves the CTE when it is locked, so the last one carries a time at which all of them were.
    locked = asked.order_by(table.c.id).with_for_update().cte("locked")
    instant = sa.type_coerce(sa.func.clock_timestamp(), UtcDateTime)
    return sa.select(*(locked.c[name] for name in names), instant)
