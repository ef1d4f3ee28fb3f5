"""A pipeline as it was asked for: device, number format, adapted weights, scheduler; quiet and ready."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForText2Image
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

# diffusers looks for the codec's class among the modules that are loaded, hence this import.
from c2m.design.diffusion import codec as codec
from c2m.design.diffusion.models import folder_of, index, lora_file, weights_gib
from c2m.design.diffusion.refusals import (
    AboveMemoryLimit,
    BrokenModel,
    NoSuchDevice,
    NotFromPictures,
    NotFromWords,
    UnfitLora,
    UnfitScheduler,
)


@dataclass(frozen=True)
class Setup:
    """How a model is loaded; what is empty is chosen by the machine or the model."""

    device: str = ""
    dtype: str = ""
    lora: str = ""
    scheduler: str = ""
    memory_gib: float | None = None

    @property
    def place(self) -> str:
        """The device, the best there is unless one was named."""
        return self.device or ("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def numbers(self) -> torch.dtype:
        """The number format: bfloat16 on an accelerator, 32 bits on a processor, unless one was named."""
        found: torch.dtype = getattr(torch, self.dtype or ("float32" if self.place == "cpu" else "bfloat16"))
        return found


def load(model: str | Path, setup: Setup = Setup()) -> Any:
    """A text-to-image pipeline, quiet and ready to use.

    Raises:
        MissingModel, UnknownModel, HubAway, BrokenModel, NotFromWords, AboveMemoryLimit, NoSuchDevice, UnfitLora,
        UnfitScheduler
    """
    folder, name = folder_of(str(model)), str(model)
    _see_to_memory(folder, name, setup)
    for library in (transformers_logging, diffusers_logging):
        library.disable_progress_bar()
        library.set_verbosity_error()  # they warn of absent torchvision, and of any autoencoder but their own
    pipeline = _read(folder, name, setup)
    if setup.lora:
        _adapt(pipeline, name, setup.lora)
    if setup.scheduler:
        _reschedule(pipeline, name, setup.scheduler)
    pipeline.set_progress_bar_config(disable=True)
    try:
        return pipeline.to(setup.place)
    except (RuntimeError, AssertionError) as absent:  # torch's ways to say that a device isn't there
        raise NoSuchDevice(device=setup.place) from absent


def from_pictures(pipeline: Any, model: str) -> Any:
    """The way from picture to picture, sharing the pipeline's weights.

    Raises:
        NotFromPictures
    """
    try:
        other = AutoPipelineForImage2Image.from_pipe(pipeline)
    except ValueError as unknown:
        raise NotFromPictures(model=model) from unknown
    other.set_progress_bar_config(disable=True)
    return other


def _see_to_memory(folder: Path, name: str, setup: Setup) -> None:
    if setup.memory_gib is None:
        return
    needed = weights_gib(folder, bytes_each=setup.numbers.itemsize)
    if needed > setup.memory_gib:
        raise AboveMemoryLimit(model=name, needed=f"{needed:.2g}", limit=f"{setup.memory_gib:g}")
    if setup.place.startswith("cuda"):
        whole = torch.cuda.get_device_properties(setup.place).total_memory / 2**30
        torch.cuda.set_per_process_memory_fraction(min(1.0, setup.memory_gib / whole), setup.place)


def _read(folder: Path, name: str, setup: Setup) -> Any:
    kind = index(folder).get("_class_name")
    try:
        return AutoPipelineForText2Image.from_pretrained(str(folder), dtype=setup.numbers, local_files_only=True)
    except Exception as broken:
        if "AutoPipeline can't find a pipeline" in str(broken):
            raise NotFromWords(model=name, kind=kind) from broken
        # A stranger's files fail in any way there is; whoever asked needs the first line.
        raise BrokenModel(model=name, reason=(str(broken).strip() or type(broken).__name__).splitlines()[0]) from broken


def _adapt(pipeline: Any, name: str, lora: str) -> None:
    file = lora_file(lora)
    if not hasattr(pipeline, "load_lora_weights"):
        raise UnfitLora(model=name, lora=lora)
    try:
        pipeline.load_lora_weights(str(file.parent), weight_name=file.name, local_files_only=True)
        adapted = pipeline.get_active_adapters()
    except (ValueError, RuntimeError, KeyError, OSError) as unfit:
        raise UnfitLora(model=name, lora=lora) from unfit
    if not adapted:
        raise UnfitLora(model=name, lora=lora)


def _reschedule(pipeline: Any, name: str, asked: str) -> None:
    present = pipeline.scheduler
    known = {type(present).__name__, *(kind.__name__ for kind in present.compatibles)}
    if asked not in known:
        raise UnfitScheduler(model=name, asked=asked, known=", ".join(sorted(known)))
    pipeline.scheduler = getattr(diffusers, asked).from_config(present.config)
