"""Products by week: methods by their papers, files as people have them, and nothing learned from the future."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from c2m.cli import cli
from c2m.demand.forecasting.baselines import croston, moving_average, naive, sba, seasonal_naive, tsb
from c2m.demand.forecasting.measuring import brier, coverage, log_loss, mase, reliability, wape
from c2m.demand.forecasting.weekly import forecast_weeks, without_gaps


def sold(products: int = 40, weeks: int = 30, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(1.0, 8.0, products)[:, None], (products, weeks)).astype(float)


def saved(path: Path, rows: list[list[object]]) -> Path:
    text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def forecast(path: Path, out: Path, *more: str) -> tuple[int, str, list[dict[str, str]]]:
    said = CliRunner().invoke(cli, ["forecast", str(path), "--out", str(out), *more])
    rows = list(csv.DictReader(out.open())) if out.exists() else []
    return said.exit_code, said.stderr.strip(), rows


def test_croston_smooths_size_and_interval_at_sales_alone() -> None:
    assert croston(np.array([[0, 4, 0, 8.0]]), 2, alpha=0.5).tolist() == [[3.0, 3.0]]
    assert sba(np.array([[0, 4, 0, 8.0]]), 1, alpha=0.5).tolist() == [[2.25]]
    assert croston(np.zeros((1, 5)), 1, alpha=0.5).tolist() == [[0.0]]


def test_tsb_fades_what_stopped_selling() -> None:
    faded = tsb(np.array([[4.0, 4, 4, 4, 0, 0]]), 1, alpha=0.5, beta=0.5)
    assert faded.tolist() == [[1.0]]


def test_plain_methods_repeat_the_last_week_the_mean_and_last_year() -> None:
    year = np.arange(60.0)[None, :]
    assert naive(year, 2).tolist() == [[59, 59]]
    assert moving_average(year, 1, weeks=4).tolist() == [[57.5]]
    assert seasonal_naive(year, 3).tolist() == [[8, 9, 10]]


def test_measures_are_those_of_the_books() -> None:
    actual, said = np.array([[10.0, np.nan, 20]]), np.array([[8.0, 5, 24]])
    assert wape(actual, said) == pytest.approx(6 / 30)
    assert mase(np.array([[1.0, 3, 1]]), np.array([[2.0]]), np.array([[1.0]])) == 0.5
    assert coverage(actual, said - 2, said + 2) == 0.5
    assert brier(np.array([0.8, 0.4]), np.array([1.0, 0])) == pytest.approx(0.1)
    assert log_loss(np.array([0.5]), np.array([1.0])) == pytest.approx(np.log(2))
    assert [(b.count, b.said, b.came) for b in reliability(np.array([0.11, 0.19, 1.0]), np.array([0.0, 1, 1]))] == [
        (2, pytest.approx(0.15), 0.5),
        (1, 1.0, 1.0),
    ]


def test_an_interval_holds_about_four_in_five_and_the_mean_beats_last_week() -> None:
    sales = sold(200, 40)
    found = forecast_weeks(sales[:, :32], 8)
    came = sales[:, 32:]
    assert 0.7 < coverage(came, found.p10, found.p90) < 0.9
    assert wape(came, found.mean) < 0.85 * wape(came, naive(sales[:, :32], 8))
    assert (found.p10 <= found.p50).all()
    assert (found.p50 <= found.p90).all()


def test_what_comes_later_changes_nothing() -> None:
    sales = sold(20, 30)
    poisoned = sales.copy()
    poisoned[:, 24:] = 1e6
    known, same = forecast_weeks(sales[:, :24], 6), forecast_weeks(poisoned[:, :24], 6)
    assert np.array_equal(known.mean, same.mean)
    assert not np.array_equal(known.mean, forecast_weeks(poisoned, 6).mean)


def test_unknown_weeks_are_like_those_around_them() -> None:
    filled = without_gaps(np.array([[np.nan, 2, np.nan, 4, 6], [np.nan] * 5]))
    assert filled[0].tolist() == [3, 2, 4, 4, 6]
    assert filled[1].tolist() == [4, 4, 4, 4, 4]


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 5), (2, 20), (1, 60)])
def test_little_history_is_enough_for_a_forecast(shape: tuple[int, int]) -> None:
    for sales in (sold(*shape), np.zeros(shape), np.full(shape, 1e12)):
        found = forecast_weeks(sales, 5)
        for part in (found.mean, found.p10, found.p50, found.p90):
            assert part.shape == (shape[0], 5)
            assert np.isfinite(part).all()
            assert (part >= 0).all()


def test_a_file_becomes_a_line_for_each_product_and_step(tmp_path: Path) -> None:
    header = ["\ufeffProduct", *(f"2026-W{week:02}" for week in range(20))]
    table = [[f'"P {at}, blue"', *map(int, row)] for at, row in enumerate(sold(5, 20))]
    table[1][3] = table[2][-1] = ""
    status, _, rows = forecast(saved(tmp_path / "s.csv.gz", [header, *table]), tmp_path / "o.csv", "--horizon", "3")
    assert status == 0
    assert list(rows[0]) == ["product", "step", "mean", "p10", "p50", "p90"]
    assert [(row["product"], row["step"]) for row in rows[:4]] == [
        *(("P 0, blue", str(step)) for step in (1, 2, 3)),
        ("P 1, blue", "1"),
    ]
    assert len(rows) == 15


def test_the_same_file_and_seed_give_the_same_forecast(tmp_path: Path) -> None:
    path = saved(tmp_path / "s.csv", [["p", *range(25)], *([at, *row] for at, row in enumerate(sold(30, 25)))])
    first = forecast(path, tmp_path / "a.csv", "--seed", "5")
    assert first[2] == forecast(path, tmp_path / "b.csv", "--seed", "5")[2]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"product,W0\n", "The file has no products below its header."),
        (b"product\nA\n", "The header needs a column for the product and at least one for a week."),
        (b"product,W0\nA,many\n", "Line 2 says 'many' in column W0, which is no number."),
        (b"product,W0\nA,inf\n", "Line 2 says 'inf' in column W0, which is no number of pieces."),
        (b"product,W0\nA,1\nA,2\n", "Product A stands on lines 2 and 3; it may stand on one."),
        (b"product,W0\n,1\n", "Line 2 names no product in its first column."),
        (b"product,W0\nA,1,2\n", "Line 2 has 3 cells where the header has 2."),
        (b"product,W0\n\xff,1\n", "The file is not UTF-8 text."),
        (b"\x1f\x8bgarbage", "The file is not whole: its gzip data breaks off or is damaged."),
        (b"a\0b", "The file is not a CSV: it holds zero bytes."),
    ],
)
def test_a_file_that_cannot_be_forecast_is_refused_in_a_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    path, out = tmp_path / "s.csv", tmp_path / "o.csv"
    path.write_bytes(content)
    assert forecast(path, out)[:2] == (2, f"{path}: {sentence}")
    assert not out.exists()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert forecast(tmp_path / "no.csv", tmp_path / "o.csv")[:2] == (2, f"{tmp_path}/no.csv: No such file or directory")
