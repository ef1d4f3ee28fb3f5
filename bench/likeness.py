"""Image search by its own features: how often what is found is of the same kind and colour, and how fast it is.

    python bench/likeness.py --images DIR [--quick] [--json]

DIR holds images.tar (or <id>.jpg files) and styles.csv.gz with the columns id, articleType and baseColour. Each picture
is searched among all the others (leave-one-out): P@5 is the share of the five nearest that have its articleType,
colour@5 the share that have its baseColour, each with a bootstrap interval (95 %, over the pictures searched for). The
features are fitted to nothing; their few numbers were chosen on the pictures whose id's hash is even. The halves stand
beside, searched among their own (half as many to find) and among all.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import os
import statistics
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from c2m.design.likeness import SHAPE_AND_COLOUR, Neighbours

NEAREST = 5
LARGE = 100_000
QUERIES = 20
RESAMPLES = 1_000
BARS = {"precision": 0.73, "colour": 0.30}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    usual = os.environ.get("C2M_DATA")
    arguments.add_argument("--images", type=Path, default=Path(usual) / "fashion_images" if usual else None)
    arguments.add_argument("--quick", action="store_true", help="500 pictures, 20,000 items")
    arguments.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = arguments.parse_args()
    if chosen.images is None or not (chosen.images / "styles.csv.gz").is_file():
        sys.stdout.write(f"skipped: there are no pictures at {chosen.images}; name them with --images or C2M_DATA\n")
        return
    rows = styles(chosen.images)[: 500 if chosen.quick else None]
    started = time.perf_counter()
    vectors = described(chosen.images, rows)
    each_ms = (time.perf_counter() - started) / len(rows) * 1000
    even, odd = (half(rows, which) for which in (0, 1))
    everything = np.ones(len(rows), dtype=bool)
    figures = {
        "pictures": len(rows),
        "numbers": vectors.shape[1],
        "describing_ms": round(each_ms, 1),
        **judged(rows, vectors, everything, everything),
        "chosen_on": judged(rows, vectors, even, even),
        "unseen_by_choice": judged(rows, vectors, odd, odd),
        "chosen_on_among_all": judged(rows, vectors, even, everything),
        "unseen_by_choice_among_all": judged(rows, vectors, odd, everything),
        **speed(vectors, 20_000 if chosen.quick else LARGE),
    }
    if chosen.json:
        print(json.dumps(figures))
        return
    print(f"{len(rows)} pictures, {vectors.shape[1]} numbers each, {each_ms:.0f} ms to describe one")
    for name, judge in (
        ("all among all", figures),
        ("even ids among even", figures["chosen_on"]),
        ("odd ids among odd", figures["unseen_by_choice"]),
        ("even ids among all", figures["chosen_on_among_all"]),
        ("odd ids among all", figures["unseen_by_choice_among_all"]),
    ):
        told = "  ".join(
            f"{said} {judge[key]:.3f} ({judge[key + '_from']:.3f} to {judge[key + '_to']:.3f})"
            for said, key in (("P@5", "precision"), ("colour@5", "colour"))
        )
        print(f"{name:20s} {told}  {judge['searched']} in {judge['among']}")
    print(f"bars (all among all): P@5 {BARS['precision']}, colour@5 {BARS['colour']}")
    told = f"{figures['items']} items: {figures['query_ms']} ms a query, the first {figures['first_query_ms']} ms"
    beside = f"{figures['over_plain']:.2f} of plain numpy ({figures['plain_ms']} ms)"
    print(f"{told}, {figures['memory_mb']} MB; {beside}")


def styles(folder: Path) -> list[dict[str, str]]:
    """The pictures' rows."""
    with gzip.open(folder / "styles.csv.gz", "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def described(folder: Path, rows: Sequence[dict[str, str]]) -> Any:
    """A vector a row."""
    wanted = {f"{row['id']}.jpg": number for number, row in enumerate(rows)}
    vectors: list[Any] = [None] * len(rows)
    for name, content in contents(folder):
        if name in wanted:
            with Image.open(io.BytesIO(content)) as image:
                vectors[wanted[name]] = SHAPE_AND_COLOUR.of(image)
    absent = [row["id"] for row, vector in zip(rows, vectors, strict=True) if vector is None]
    if absent:
        sys.exit(f"{len(absent)} pictures named in styles.csv.gz are missing, such as {absent[0]}.jpg")
    return np.stack(vectors)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the pictures, from the archive or from the folder and those in it."""
    archive = folder / "images.tar"
    if archive.is_file():
        with tarfile.open(archive) as packed:
            for member in packed:
                if (file := packed.extractfile(member)) is not None:
                    yield Path(member.name).name, file.read()
        return
    for path in folder.rglob("*.jpg"):
        yield path.name, path.read_bytes()


def half(rows: Sequence[dict[str, str]], which: int) -> Any:
    """Where the ids' hashes are even (0) or odd (1)."""
    return np.array([int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % 2 == which for row in rows])


def judged(rows: Sequence[dict[str, str]], vectors: Any, searched: Any, among: Any) -> dict[str, Any]:
    """How often what is found agrees, each of the pictures searched for left out of those it is searched among."""
    known: Neighbours[int] = Neighbours()
    known.add(np.flatnonzero(among).tolist(), vectors[among])
    agreeing: dict[str, list[float]] = {"precision": [], "colour": []}
    for number in np.flatnonzero(searched).tolist():
        near = [rows[key] for key, _ in known.nearest(vectors[number], NEAREST + 1) if key != number][:NEAREST]
        for name, column in (("precision", "articleType"), ("colour", "baseColour")):
            agreeing[name].append(statistics.fmean(other[column] == rows[number][column] for other in near))
    told: dict[str, Any] = {"searched": int(searched.sum()), "among": int(among.sum())}
    for name, shares in agreeing.items():
        low, high = interval(np.array(shares))
        told |= {name: round(statistics.fmean(shares), 4), f"{name}_from": low, f"{name}_to": high}
    return told


def interval(shares: Any) -> tuple[float, float]:
    """A bootstrap interval of their mean, 95 %."""
    rng = np.random.default_rng(7)
    means = [shares[rng.integers(0, len(shares), len(shares))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def speed(vectors: Any, items: int) -> dict[str, Any]:
    """How long a search takes among so many items, the pictures again and again, each a little different; beside
    numpy's plain differences, squared, summed and sorted."""
    rng = np.random.default_rng(1)
    known: Neighbours[int] = Neighbours()
    for first in range(0, items, len(vectors)):
        rows = vectors[: min(len(vectors), items - first)]
        noise = rng.normal(0, 0.01, rows.shape).astype(np.float32)
        known.add(range(first, first + len(rows)), rows + noise)
    every = np.stack([known[key] for key in range(items)])
    taken, plainly = [], []
    for vector in vectors[: QUERIES + 1]:
        started = time.perf_counter()
        known.nearest(vector, 24)
        taken.append((time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        np.argsort(((every - vector) ** 2).sum(axis=1))[:24]
        plainly.append((time.perf_counter() - started) * 1000)
    query_ms, plain_ms = statistics.median(taken[1:]), statistics.median(plainly[1:])
    return {
        "items": items,
        "first_query_ms": round(taken[0]),
        "query_ms": round(query_ms, 1),
        "plain_ms": round(plain_ms, 1),
        "over_plain": round(query_ms / plain_ms, 3),
        "memory_mb": round(items * vectors.shape[1] * 4 / 2**20),
    }


if __name__ == "__main__":
    main()
