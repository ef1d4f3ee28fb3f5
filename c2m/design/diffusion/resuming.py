"""Going on from an exported model where its checkpoints are gone: its weights become the first checkpoints."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from c2m.design.diffusion.card import NOTE
from c2m.design.diffusion.codec_training import PART as CODEC
from c2m.design.diffusion.codec_training import components_path
from c2m.design.diffusion.dataset import write_atomically
from c2m.design.diffusion.loading import Setup, load
from c2m.design.diffusion.recipe import Recipe
from c2m.design.diffusion.refusals import MissingModel, OtherRecipe
from c2m.design.diffusion.run import Run
from c2m.design.diffusion.training import PART as DENOISER


def lay_checkpoints(model: Path, recipe: Recipe, run: Run) -> None:
    """Write the checkpoints of codec and denoiser that a training of the recipe would go on from; none is replaced.

    What the optimiser knew is not part of a model, so the rate warms up again and drawings come into use as at first.

    Raises:
        MissingModel: there is no exported model.
        OtherRecipe: its codec, words or sizes are not the recipe's.
    """
    if not (model / NOTE).is_file():
        raise MissingModel(model=str(model), file=NOTE)
    note = json.loads((model / NOTE).read_text("utf-8"))
    for part in (CODEC, DENOISER):
        if _shapes(note["recipe"][part]) != _shapes(recipe.settings(part)):
            raise OtherRecipe(path=model, found=note["recipe"][part]["fingerprint"], asked=recipe.fingerprint(part))
    pipeline = load(model, Setup(device="cpu"))
    if run.load(CODEC, recipe) is None:
        encoder, decoder = pipeline.vae.encoder, pipeline.vae.decoder.state_dict()
        weight, bias = (tensor.float().numpy() for tensor in (encoder.weight.detach(), encoder.bias.detach()))
        path = components_path(recipe, run)
        write_atomically(path, lambda draft: np.savez(draft, allow_pickle=False, weight=weight, bias=bias))
        codec = {"step": note["steps"][CODEC], "decoder": decoder, "average": decoder, "optimiser": None}
        run.save(CODEC, recipe, codec)
    if run.load(DENOISER, recipe) is None:
        parts = {"text": pipeline.text_encoder, "unet": pipeline.unet}
        weights = {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}
        step = note["steps"][DENOISER]
        begun = {"step": step, "begun": step, "samples": note["samples"], "optimiser": None}
        run.save(DENOISER, recipe, {**begun, "model": weights, "average": weights})


def _shapes(settings: dict[str, Any]) -> dict[str, Any]:
    """What the weights' shapes and meaning depend on."""
    plain = json.loads(json.dumps(settings))
    if "codec" in plain:
        return {name: plain["codec"][name] for name in ("size", "stride", "channels", "whitening", "widths", "steps")}
    sizes = {name: plain["denoiser"][name] for name in ("widths", "heads", "groups", "batch")}
    return {**sizes, **{name: plain[name] for name in ("latents", "words", "text")}}
