"""`c2m cluster`: a CSV in, ids and groups out, and one sentence for what can't be read."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from c2m.cli import cli

Run = Callable[..., tuple[int, str, str]]
ROWS = '\ufeffsku,name,price\r\nA1,Canvas tote bag with logo,3\r\nA2,帆布托特包 logo,3\r\nB1,"Mug, white",2\r\n'


@pytest.fixture
def run() -> Run:
    """Arguments → exit status, what was said, what was complained about."""

    def invoke(*arguments: object) -> tuple[int, str, str]:
        done = CliRunner().invoke(cli, ["cluster", *map(str, arguments)])
        return done.exit_code, done.stdout, done.stderr

    return invoke


def test_groups_are_written_in_the_order_of_the_rows(tmp_path: Path, run: Run) -> None:
    titles, out = tmp_path / "t.csv", tmp_path / "out.csv"
    titles.write_text(ROWS, encoding="utf-8")
    status, said, _ = run(titles, "--id", "sku", "--text", "name", "--out", out, "--json")
    assert status == 0
    assert out.read_text() == "id,group\nA1,1\nA2,1\nB1,2\n"
    figures = json.loads(said)
    assert (figures["rows"], figures["groups"], figures["alone"], figures["largest"]) == (3, 2, 1, 2)


def test_gzip_goes_in_and_comes_out_and_semicolons_are_seen(tmp_path: Path, run: Run) -> None:
    titles, out = tmp_path / "t.csv.gz", tmp_path / "out.csv.gz"
    titles.write_bytes(gzip.compress(b"id;title\n1;mug\n2;\n3;mug\n"))
    assert run(titles, "--out", out)[0] == 0
    assert gzip.decompress(out.read_bytes()) == b"id,group\n1,1\n2,2\n3,1\n"


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (b"id,title\n1,x\n", ["--id", "sku"], "There is no column “sku” for --id; the columns are: id, title."),
        (b"id,title\n1,x\n", ["--text", "name"], "There is no column “name” for --text; the columns are: id, title."),
        (b"", [], "There is no column “id” for --id; the columns are: none."),
        (b"id,title\n", [], "The file has no rows below its header."),
        (b"\xff\xfe\x00", [], "The file is not UTF-8 text."),
        (b"id,title\n1,\0\n", [], "The file is not a CSV: it holds zero bytes."),
        (b"\x1f\x8b\x08\x00broken", [], "The file is not whole: its gzip data breaks off or is damaged."),
        (b"title,id\nmug\n", [], "Row 1 has no column “id”."),
    ],
)
def test_what_cant_be_read_is_one_sentence_and_writes_nothing(
    tmp_path: Path, run: Run, content: bytes, options: list[str], sentence: str
) -> None:
    titles, out = tmp_path / "t.csv", tmp_path / "out.csv"
    titles.write_bytes(content)
    assert run(titles, "--out", out, *options) == (2, "", f"{titles}: {sentence}\n")
    assert not out.exists()


def test_a_missing_file_is_one_sentence(tmp_path: Path, run: Run) -> None:
    missing = tmp_path / "missing.csv"
    assert run(missing, "--out", tmp_path / "out.csv") == (2, "", f"{missing}: No such file or directory\n")


def test_help_names_the_columns(run: Run) -> None:
    said = run("--help")[1]
    assert "columns id and group" in " ".join(said.split())
