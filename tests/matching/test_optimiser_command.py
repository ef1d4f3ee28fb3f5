"""`c2m match PROBLEM.json` and `c2m match generate` share one command."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from c2m.matching.cli import app
from c2m.matching.optimiser import read_problem

c2m = typer.Typer()
c2m.add_typer(app, name="match")


@c2m.command()
def other() -> None:
    """A second command, so that `match` stays a group of its own."""


def run(*args: str | int | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(c2m, ["match", *map(str, args)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def problem_file(tmp_path: Path) -> Path:
    path = tmp_path / "problem.json"
    assert run("generate", "--sheets", 6, "--factories", 4, "--weeks", 4, "--seed", 3, "--out", path)[0] == 0
    return path


def test_a_random_problem_is_printed() -> None:
    code, out, _ = run("generate", "--sheets", 3, "--factories", 2, "--seed", 1)
    assert code == 0
    assert len(read_problem(out).sheets) == 3


def test_a_file_is_solved_and_summed_up(problem_file: Path) -> None:
    code, out, _ = run(problem_file, "--time-limit", 10)
    assert code == 0
    assert "pieces placed" in out
    assert "gap" in out


def test_options_may_come_before_the_file(problem_file: Path, tmp_path: Path) -> None:
    out_file = tmp_path / "plan.json"
    code, out, _ = run("--json", "--seed", 4, "--out", out_file, problem_file)
    assert code == 0
    printed = json.loads(out)
    assert printed["format"] == "c2m.plan/1"
    assert printed == json.loads(out_file.read_text())


def test_bad_input_ends_with_2_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({"format": "c2m.matching/1", "surprise": 1}))
    code, out, err = run(path)
    assert (code, out) == (2, "")
    assert "/horizon: " in err


def test_a_missing_file_ends_with_2(tmp_path: Path) -> None:
    code, _, err = run(tmp_path / "nowhere.json")
    assert code == 2
    assert "No such file" in err


def test_a_sheet_is_explained_in_words_and_as_json(problem_file: Path) -> None:
    code, out, _ = run(problem_file, "--explain", "S0001")
    assert code == 0
    assert "S0001" in out
    code, out, _ = run(problem_file, "--explain", "S0001", "--json")
    assert code == 0
    document = json.loads(out)
    assert (document["format"], document["sheet"]) == ("c2m.explanation/1", "S0001")
    assert document["offers"]


def test_a_sheet_that_is_not_in_the_problem_ends_with_2(problem_file: Path) -> None:
    code, out, err = run(problem_file, "--explain", "S9999")
    assert (code, out) == (2, "")
    assert "S9999" in err


def test_progress_goes_to_the_error_stream(problem_file: Path) -> None:
    code, out, err = run(problem_file, "--progress", "--json")
    assert code == 0
    assert json.loads(out)["format"] == "c2m.plan/1"
    assert "bound" in err
