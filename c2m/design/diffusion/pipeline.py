"""The embedded model as one diffusers directory, put together from a training."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTokenizer

from c2m.design.diffusion.card import FIGURES, NOTE, write_card
from c2m.design.diffusion.codec_training import PART as CODEC
from c2m.design.diffusion.codec_training import fitted_codec
from c2m.design.diffusion.parts import denoiser, scheduler, text_encoder
from c2m.design.diffusion.recipe import Recipe
from c2m.design.diffusion.refusals import NotTrained
from c2m.design.diffusion.run import Run
from c2m.design.diffusion.training import PART as DENOISER
from c2m.design.drawings import CATEGORIES


def assembled(recipe: Recipe, run: Run) -> StableDiffusionPipeline:
    """The pipeline from a training's averaged weights as they are now, 32-bit.

    Raises:
        NotTrained
    """
    state = run.load(DENOISER, recipe)
    if state is None or run.load(CODEC, recipe) is None:
        raise NotTrained(folder=str(run.folder))
    tokenizer = CLIPTokenizer.from_pretrained(str(run.folder / "tokenizer"))
    text, unet = text_encoder(recipe, tokenizer), denoiser(recipe)
    average: dict[str, torch.Tensor] = state["average"]
    for name, part in (("text.", text), ("unet.", unet)):
        part.load_state_dict({key.removeprefix(name): value for key, value in average.items() if key.startswith(name)})
    return StableDiffusionPipeline(
        vae=fitted_codec(recipe, run),
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def export(recipe: Recipe, run: Run, folder: Path, *, commit: str) -> dict[str, Any]:
    """Write the model at 16 bits with a note of the recipe, the steps and the commit that made it; that note."""
    pipeline = assembled(recipe, run)
    steps = {part: (run.load(part, recipe) or {})["step"] for part in (CODEC, DENOISER)}
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(str(folder), safe_serialization=True)
    note = {
        "recipe": {part: {"fingerprint": recipe.fingerprint(part), **recipe.settings(part)} for part in steps},
        "steps": steps,
        "samples": steps[DENOISER] * recipe.denoiser.batch,
        "drawings": recipe.denoiser.shards_at(steps[DENOISER]) * recipe.denoiser.shard_drawings,
        "categories": len(CATEGORIES),
        "commit": commit,
    }
    (folder / FIGURES).unlink(missing_ok=True)  # those of other weights
    (folder / NOTE).write_text(json.dumps(note, indent=1) + "\n", "utf-8")
    write_card(folder)
    return note
