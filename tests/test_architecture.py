"""The floors hold: import-linter's contracts from pyproject.toml, and the habits that keep files readable."""

from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 420
DRAWERS = {"util", "utils", "helper", "helpers", "common", "misc"}

SOURCES = sorted(path for path in (ROOT / "c2m").rglob("*.py") if "versions" not in path.parts)


def test_every_room_imports_only_from_lower_floors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert status == 0, capsys.readouterr().out


def test_an_import_from_a_higher_floor_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house = tmp_path / "house"
    for room, text in (("cellar", "from house import attic\n"), ("attic", ""), ("shed", "")):
        (house / room).mkdir(parents=True)
        (house / room / "__init__.py").write_text(text)
    (house / "__init__.py").write_text("")
    rules = (ROOT / "pyproject.toml").read_text().partition("[[tool.importlinter.contracts]]")[2]
    assert "exhaustive = true" in rules.partition("[[tool.importlinter.contracts]]")[0]
    config = tmp_path / "rules.toml"
    config.write_text(
        '[tool.importlinter]\nroot_package = "house"\n[[tool.importlinter.contracts]]\nname = "floors"\n'
        'type = "layers"\ncontainers = ["house"]\nexhaustive = true\nlayers = ["attic", "cellar"]\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert lint_imports(config_filename=str(config), no_cache=True, no_logo=True) == 1
    said = capsys.readouterr().out
    assert "house.cellar is not allowed to import house.attic" in said
    assert "shed" in said


def test_no_file_outgrows_one_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): n for path in SOURCES if (n := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_no_module_is_a_drawer() -> None:
    assert [str(path) for path in SOURCES if path.stem in DRAWERS or path.parent.name in DRAWERS] == []
