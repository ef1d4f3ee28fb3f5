"""`python -m c2m.migrations "Add what changed"`: write the next migration; `--fresh` writes the first one anew."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from c2m.db import Database
from c2m.migrations import HERE, revise


def main(
    message: Annotated[str, typer.Argument(help="What the step does, as one sentence.")],
    fresh: Annotated[bool, typer.Option(help="Drop every migration and begin with one that makes all tables.")] = False,
) -> None:
    """Compare the tables with the last migration and write the step between them."""
    if fresh:
        for path in (HERE / "versions").glob("*.py"):
            path.unlink()
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'revise.sqlite3'}")
        typer.echo(str(revise(database, message, now=datetime.now(UTC))))
        database.dispose()


if __name__ == "__main__":
    typer.run(main)
