"""`c2m imagine`: pictures from a brief, and making and judging the model that makes them."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, Any

import typer
from PIL import Image
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from c2m.config import Imagination
from c2m.design.categories import CATEGORIES
from c2m.design.diffusion.briefs import UnknownProduct, understand
from c2m.design.diffusion.card import FIGURES, write_card
from c2m.design.diffusion.generator import EMBEDDED, PipelineGenerator, generator_from, require_libraries
from c2m.design.diffusion.recipe import Recipe, quick
from c2m.design.drawings.names import UnknownName
from c2m.design.generation import Brief, Generated
from c2m.design.pictures import PictureRefused, make_safe
from c2m.design.provenance import png
from c2m.design.wording import check_words

if TYPE_CHECKING:
    from c2m.design.diffusion.evaluation import Report

PICTURE = "picture"
PIXELS_BY = 8  # a picture's side is a multiple of it: models work on squares of so many pixels


class Part(StrEnum):
    """What is trained."""

    ALL = "all"
    CODEC = "codec"
    DENOISER = "denoiser"


class BriefOrCommand(TyperGroup):
    """Lets `c2m imagine "a red mug"` stand for `c2m imagine picture "a red mug"`, beside train and evaluate."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [PICTURE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=BriefOrCommand,
    no_args_is_help=True,
    help='Pictures of products that do not exist yet: `c2m imagine "红白条纹帆布托特包" --n 4 --out DIR`; '
    "all its options: `c2m imagine picture --help`.",
)

Folder = Annotated[Path, typer.Option(help="where the training keeps its drawings, log and checkpoints")]
Small = Annotated[bool, typer.Option("--quick", help="the recipe of seconds that only shows that everything runs")]
Device = Annotated[str | None, typer.Option(help="cpu or cuda; the best there is when not given")]
Model = Annotated[Path, typer.Option(help="directory of the model")]


@app.command(PICTURE)
def picture(
    brief: Annotated[str, typer.Argument(help="what to show, in Chinese or English")],
    n: Annotated[int, typer.Option("--n", min=1, max=64, help="how many pictures")] = 4,
    out: Annotated[Path, typer.Option(file_okay=False, help="directory to write them to")] = Path("concepts"),
    seed: Annotated[int, typer.Option(min=0, help="of the first picture; the next ones count on from it")] = 0,
    category: Annotated[str, typer.Option(help="kind of product; wins over the words")] = "",
    primary: Annotated[str, typer.Option(help="first colour; wins over the words")] = "",
    secondary: Annotated[str, typer.Option(help="second colour; wins over the words")] = "",
    pattern: Annotated[str, typer.Option(help="pattern; wins over the words")] = "",
    source: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="sketch or photograph to start from")
    ] = None,
    strength: Annotated[float, typer.Option(min=0.1, max=1, help="how far from it the pictures may go")] = 0.6,
    model: Annotated[
        str | None, typer.Option(help="hub id or directory of any diffusers pipeline; C2M_DESIGN_MODEL, else embedded")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, max=200, help="steps of denoising; embedded: 12")] = None,
    guidance: Annotated[float | None, typer.Option(min=0, max=20, help="how closely words are followed")] = None,
    size: Annotated[int | None, typer.Option(min=16, max=4096, help="pixels a side, by eights; embedded: 256")] = None,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="print files, seconds and provenance as one object")] = False,
) -> None:
    """Make pictures from a brief, and from a picture if one is given; the rest is as C2M_DESIGN_… says."""
    check_words(brief)
    if size is not None and size % PIXELS_BY:
        raise typer.BadParameter(f"{size} is no multiple of {PIXELS_BY}.", param_hint="--size")
    chosen = {"primary": primary, "secondary": secondary, "pattern": pattern}
    attributes = {name: value for name, value in chosen.items() if value}
    asked = {"model": model, "steps": steps, "guidance": guidance, "size": size, "device": device}
    given = {f"design_{name}": value for name, value in asked.items() if value is not None}
    settings = Imagination().model_copy(update=given)
    start = None if source is None else _opened(source)
    whole = Brief(_product(category, brief, attributes), brief, attributes, start, strength)
    _see_that_pictures_can_be_kept(out)
    generator = generator_from(settings)
    told: list[dict[str, Any]] = []
    started = time.monotonic()
    if isinstance(generator, PipelineGenerator):
        generator.prepare(whole)
    loading, started = time.monotonic() - started, time.monotonic()
    if not as_json:
        typer.echo(f"ready after {loading:.2f} s")
    for made in generator.generate(whole, count=n, seed=seed, progress=lambda done, count: None):
        if not told and not as_json:
            _tell_understood(made.provenance)
        out.mkdir(parents=True, exist_ok=True)
        path = _free(out / f"{made.kind}-{made.provenance['seed']}.png")
        save_png(made, path)
        taken, started = time.monotonic() - started, time.monotonic()
        told.append({"file": str(path), "seconds": round(taken, 3), "kind": made.kind, "provenance": made.provenance})
        if not as_json:
            typer.echo(f"{path}  {taken:.2f} s")
    if as_json:
        typer.echo(json.dumps({"loading_seconds": round(loading, 3), "pictures": told}, ensure_ascii=False))


@app.command()
def train(
    folder: Folder = Path("var/training"),
    part: Annotated[Part, typer.Option(help="codec first, then denoiser; both may run at the same time")] = Part.ALL,
    samples: Annotated[
        int | None, typer.Option(min=1, help="drawings the denoiser has seen at its end; else the recipe's")
    ] = None,
    device: Device = None,
    threads: Annotated[int, typer.Option(min=1, help="of the processor")] = 1,
    compiled: Annotated[
        bool, typer.Option("--compile", help="fuse the denoiser's operations first: minutes once, then faster steps")
    ] = False,
    begin_with: Annotated[
        Path | None, typer.Option("--from", help="an exported model to go on from where there is no checkpoint")
    ] = None,
    small: Small = False,
) -> None:
    """Train the embedded model; a run that was stopped goes on where it was, to the bit if it is compiled as before."""
    require_libraries()
    import torch

    from c2m.design.diffusion import codec_training, resuming, training
    from c2m.design.diffusion.compute import Compute
    from c2m.design.diffusion.run import Run

    torch.set_num_threads(threads)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that a stopped training keeps its last step
    recipe, compute, run = _recipe(small), Compute.best(device, compiled=compiled), Run(folder, _say())
    typer.echo(f"{compute}; recipe {recipe.fingerprint('codec')} and {recipe.fingerprint('denoiser')}")
    if begin_with is not None:
        resuming.lay_checkpoints(begin_with, recipe, run)
    if part in (Part.ALL, Part.CODEC):
        codec_training.train_codec(recipe, run, compute)
    if part in (Part.ALL, Part.DENOISER):
        training.train(recipe, run, compute, samples=samples or recipe.denoiser.samples)


@app.command()
def export(
    folder: Folder = Path("var/training"),
    out: Annotated[Path, typer.Option(help="directory of the model to write")] = EMBEDDED,
    small: Small = False,
) -> None:
    """Write the model as trained so far: one diffusers directory at 16 bits."""
    require_libraries()
    from c2m.design.diffusion import pipeline
    from c2m.design.diffusion.run import Run

    note = pipeline.export(_recipe(small), Run(folder, _say()), out, commit=_commit())
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    typer.echo(f"{out}: {size / 1e6:.1f} MB after {note['samples']:,} samples")


@app.command()
def evaluate(
    model: Model = EMBEDDED,
    folder: Annotated[Path, typer.Option(help="where the judges and their drawings are kept")] = Path("var/judges"),
    drawings: Annotated[Path, typer.Option(help="the training's folder")] = Path("var/training"),
    out: Annotated[Path | None, typer.Option(help="write the contact sheet of 66 prompts here, as PNG or JPEG")] = None,
    each: Annotated[int, typer.Option(min=1, help="prompts of each category")] = 14,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")] = False,
    record: Annotated[bool, typer.Option(help="keep the figures beside the weights, in the model card too")] = False,
    small: Small = False,
) -> None:
    """Judge the model on unseen prompts beside real drawings, blobs and empty prompts; exit status 1 below a bar."""
    require_libraries()
    from c2m.design.diffusion.evaluation import Evaluation, Plan, few
    from c2m.design.diffusion.sheet import contact_sheet

    def say(line: str) -> None:
        typer.echo(f"{time.strftime('%H:%M:%S')}  {line}", err=True)

    plan = few() if small else Plan(each=each)
    report = Evaluation(folder, plan, say).evaluate(model, _recipe(small), drawings=drawings)
    if out is not None:
        contact_sheet(report.sheet).save(out, quality=88)
    if record:
        (model / FIGURES).write_text(json.dumps(report.plain(), indent=1, ensure_ascii=False) + "\n", "utf-8")
        write_card(model)
    if as_json:
        typer.echo(json.dumps(report.plain(), indent=1, ensure_ascii=False))
    else:
        Console().print(_table(report))
    if not report.met:
        raise typer.Exit(1)


def save_png(made: Generated, path: Path) -> None:
    """Write the picture with its provenance and, as IPTC asks, that it is media made by a trained algorithm."""
    path.write_bytes(png(made.image, made.kind, made.provenance))


def _see_that_pictures_can_be_kept(folder: Path) -> None:
    """Write into the directory on trial, before anything takes long."""
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
        if is_new:
            folder.rmdir()
    except OSError as unable:
        raise typer.BadParameter(f"{folder}: {unable.strerror}.", param_hint="--out") from unable


def _free(path: Path) -> Path:
    """The path, or the next of its kind where there is a file already: no picture takes another one's place."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(each for each in chain([path], numbered) if not each.exists())


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(io.BytesIO(make_safe(path.read_bytes())))
    except PictureRefused as refused:
        raise typer.BadParameter(str(refused), param_hint="--source") from refused


def _product(category: str, words: str, attributes: dict[str, str]) -> str:
    """The category that was chosen, else the one in the words, if there is one."""
    if category and category not in CATEGORIES:
        raise typer.BadParameter(f"{category!r} is none of: {', '.join(CATEGORIES)}.", param_hint="--category")
    try:
        return understand(words, category=category, attributes=attributes).attributes["category"]
    except UnknownProduct:
        return category
    except UnknownName as unknown:
        raise typer.BadParameter(str(unknown), param_hint=f"--{unknown.kind}") from unknown


def _tell_understood(provenance: dict[str, Any]) -> None:
    if "prompt" in provenance:
        typer.echo(f"prompt: {provenance['prompt']}")
    if provenance.get("ignored"):
        typer.echo(f"not understood: {', '.join(provenance['ignored'])}")


def _table(report: "Report") -> Table:
    table = Table("", "model", "bar", "drawings", "", title=f"{report.prompts} unseen prompts")
    for bar in report.bars:
        sign = "≥" if bar.at_least else "≤"
        drawings = "" if bar.drawings is None else f"{bar.drawings:.3f}"
        table.add_row(bar.name, f"{bar.figure:.3f}", f"{sign} {bar.bar:g}", drawings, "met" if bar.met else "missed")
    for name, figure in report.controls.items():
        table.add_row(name, f"{figure:.3f}", "", "", "control")
    return table


def _recipe(small: bool) -> Recipe:
    return quick() if small else Recipe()


def _say() -> Callable[[str], None]:
    return lambda line: typer.echo(f"{time.strftime('%H:%M:%S')}  {line}")


def _commit() -> str:
    """The commit of the working tree, "unknown" outside of one."""
    asked = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607 - whichever git is installed
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return asked.stdout.strip() if asked.returncode == 0 else "unknown"
