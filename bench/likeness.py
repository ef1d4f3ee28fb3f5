"""Image search by its own features: how often what is found is of the same kind and colour, and how fast it is.

    python bench/likeness.py --images DIR [--quick] [--json]

DIR holds images.tar (or <id>.jpg files) and styles.csv.gz with the columns id, articleType and baseColour. Each picture
is searched among all the others (leave-one-out): P@5 is the share of the five nearest that have its articleType,
colour@5 the share that have its baseColour. The features are fitted to nothing; their few numbers were chosen on the
pictures whose id's hash is even, and the odd ones stand beside.
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
    figures = {
        "pictures": len(rows),
        "numbers": vectors.shape[1],
        "describing_ms": round(each_ms, 1),
        **judged(rows, vectors),
        "chosen_on": judged(*part(rows, vectors, 0)),
        "unseen_by_choice": judged(*part(rows, vectors, 1)),
        **speed(vectors, 20_000 if chosen.quick else LARGE),
    }
    if chosen.json:
        print(json.dumps(figures))
        return
    print(f"{len(rows)} pictures, {vectors.shape[1]} numbers each, {each_ms:.0f} ms to describe one")
    for name, judge in (("all", figures), ("even ids", figures["chosen_on"]), ("odd ids", figures["unseen_by_choice"])):
        print(f"{name:9s} P@5 {judge['precision']:.3f}  colour@5 {judge['colour']:.3f}  ({judge['among']} pictures)")
    print(f"bars (all): P@5 {BARS['precision']}, colour@5 {BARS['colour']}")
    told = f"{figures['items']} items: {figures['query_ms']} ms a query, the first {figures['first_query_ms']} ms"
    print(f"{told}, {figures['memory_mb']} MB")


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


def part(rows: Sequence[dict[str, str]], vectors: Any, which: int) -> tuple[list[dict[str, str]], Any]:
    """The rows whose id's hash is even or odd."""
    hashed = [int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % 2 for row in rows]
    at = [number for number, parity in enumerate(hashed) if parity == which]
    return [rows[number] for number in at], vectors[at]


def judged(rows: Sequence[dict[str, str]], vectors: Any) -> dict[str, Any]:
    """Leave-one-out among these rows."""
    known: Neighbours[int] = Neighbours()
    known.add(range(len(rows)), vectors)
    kinds, colours = [], []
    for number, row in enumerate(rows):
        near = [rows[key] for key, _ in known.nearest(vectors[number], NEAREST + 1) if key != number][:NEAREST]
        kinds.append(statistics.fmean(other["articleType"] == row["articleType"] for other in near))
        colours.append(statistics.fmean(other["baseColour"] == row["baseColour"] for other in near))
    precision, colour = statistics.fmean(kinds), statistics.fmean(colours)
    return {"among": len(rows), "precision": round(precision, 4), "colour": round(colour, 4)}


def speed(vectors: Any, items: int) -> dict[str, Any]:
    """How long a search takes among so many items: the pictures again and again, each a little different."""
    rng = np.random.default_rng(1)
    known: Neighbours[int] = Neighbours()
    for first in range(0, items, len(vectors)):
        rows = vectors[: min(len(vectors), items - first)]
        noise = rng.normal(0, 0.01, rows.shape).astype(np.float32)
        known.add(range(first, first + len(rows)), rows + noise)
    taken = []
    for vector in vectors[: QUERIES + 1]:
        started = time.perf_counter()
        known.nearest(vector, 24)
        taken.append((time.perf_counter() - started) * 1000)
    return {
        "items": items,
        "first_query_ms": round(taken[0]),
        "query_ms": round(statistics.median(taken[1:]), 1),
        "memory_mb": round(items * vectors.shape[1] * 4 / 2**20),
    }


if __name__ == "__main__":
    main()
