"""The model card beside the weights: what the model is for, how it was made, what was measured, and its limits."""

import json
from pathlib import Path
from typing import Any

NOTE, FIGURES, CARD = "training.json", "evaluation.json", "README.md"

_TEXT = """---
library_name: diffusers
pipeline_tag: text-to-image
license: apache-2.0
tags: [c2m, product-concepts]
---
# The embedded model of c2m

Draws concepts of products that do not exist yet: {size} × {size} pixels from a few English words, such as
`red and white striped canvas tote bag`; `c2m imagine` also takes Chinese briefs. It needs no network and no GPU.

## What it learned from
Drawings by c2m's own procedural renderer (`c2m.design.drawings`) and nothing else: no photograph, no text and no
picture from the web. {drawings:,} drawings so far, seen {samples:,} times in {steps:,} steps.

## How to make it again
    c2m imagine train --samples {samples}
    c2m imagine export
A training that was interrupted and taken up again comes to other weights of the same recipe; how these came about is in
docs/embedded-model.md. Commit {commit}; recipe {codec} (codec) and {denoiser} (denoiser); every number of both is in
`training.json`.

## Figures
{figures}

## Limits
It knows {categories} kinds of products, 15 colours, 14 patterns, 13 finishes and 6 backgrounds, always from the angle
of the drawings, and no text, logos, people or places. Words outside its vocabulary are left out of the prompt and
named. Its pictures look like renderings, not photographs. A combination of attributes may fail: look at several
seeds. Everything it makes is labelled an AI concept, in the product and in the file.
"""


def write_card(model: Path) -> None:
    """Write README.md from the notes on training and evaluation that lie in the model's directory."""
    note = json.loads((model / NOTE).read_text("utf-8"))
    figures = model / FIGURES
    measured = json.loads(figures.read_text("utf-8")) if figures.exists() else None
    recipe = note["recipe"]
    text = _TEXT.format(
        size=recipe["codec"]["codec"]["size"],
        drawings=note["drawings"],
        samples=note["samples"],
        steps=note["steps"]["denoiser"],
        commit=note["commit"],
        codec=recipe["codec"]["fingerprint"],
        denoiser=recipe["denoiser"]["fingerprint"],
        categories=note["categories"],
        figures="Not evaluated yet: `c2m imagine evaluate --record`." if measured is None else _figures(measured),
    )
    (model / CARD).write_text(text, "utf-8")


def _figures(report: dict[str, Any]) -> str:
    lines = [
        f"On {report['prompts']} prompts that combine colours and pattern as no training drawing did:",
        "",
        "| | model | bar | real drawings |",
        "|---|---|---|---|",
    ]
    for bar in report["bars"]:
        sign = "≥" if bar["at_least"] else "≤"
        drawings = "" if bar["drawings"] is None else f"{bar['drawings']:.3f}"
        missed = "" if bar["met"] else " (missed)"
        lines.append(f"| {bar['name']} | {bar['figure']:.3f} | {sign} {bar['bar']:g}{missed} | {drawings} |")
    lines += [f"| {name} | {figure:.3f} | control | |" for name, figure in report["controls"].items()]
    return "\n".join(lines)
