"""A pipeline from a local directory, quiet and ready to make pictures."""

import os
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

# diffusers looks for the codec's class among the modules that are loaded, hence this import.
from c2m.design.diffusion import codec as codec
from c2m.design.diffusion.card import NOTE
from c2m.design.diffusion.recipe import digest
from c2m.design.diffusion.refusals import MissingModel


def load(model: str | Path, *, device: str | None = None, dtype: torch.dtype = torch.float32) -> Any:
    """A text-to-image pipeline from a local directory, quiet and ready to use.

    Raises:
        MissingModel
    """
    folder = Path(model)
    if not (folder / "model_index.json").is_file():
        raise MissingModel(model=str(model))
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    for library in (transformers_logging, diffusers_logging):
        library.disable_progress_bar()
        library.set_verbosity_error()  # they warn of absent torchvision, and of any autoencoder but their own
    pipeline = DiffusionPipeline.from_pretrained(str(folder), dtype=dtype, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def revision(model: Path) -> str:
    """Twelve hex digits that change with the model's files."""
    index = (model / "model_index.json").read_text("utf-8")
    note = (model / NOTE).read_text("utf-8") if (model / NOTE).exists() else ""
    return digest([index, note])
