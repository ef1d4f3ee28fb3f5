"""Image generators on diffusers pipelines: a brief to pictures, each with what makes it again."""

import hashlib
import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from c2m.config import Imagination
from c2m.design.diffusion.card import NOTE
from c2m.design.diffusion.models import folder_of, revision
from c2m.design.diffusion.prompts import Ask, Prompt, in_a_sentence, in_own_words
from c2m.design.diffusion.refusals import MissingLibraries, OutOfMemory, PictureWithheld
from c2m.design.diffusion.starting import in_colour
from c2m.design.generation import USUAL_STRENGTH, Brief, Generated, ImageGenerator, Progress, SketchGenerator
from c2m.design.models import PictureKind

if TYPE_CHECKING:
    from c2m.design.diffusion.loading import Setup

EMBEDDED = Path(__file__).parents[1] / "model"
EMBEDDED_STEPS, EMBEDDED_GUIDANCE = 12, 3.0
LIBRARIES = ("torch", "diffusers", "transformers")
SKETCH = "sketch"
USUAL_SIZE = 1024  # of models that don't say theirs


def generator_from(settings: Imagination) -> ImageGenerator:
    """The generator that the settings choose; nothing heavy is loaded before its first picture."""
    if settings.design_model == SKETCH:
        return SketchGenerator()
    return PipelineGenerator.of(settings)


def see_that_model_is_there(settings: Imagination) -> None:
    """Find the model that is chosen, without loading it.

    Raises:
        MissingLibraries, MissingModel, UnknownModel, HubAway
    """
    generator = generator_from(settings)
    if isinstance(generator, PipelineGenerator):
        require_libraries()
        folder_of(str(generator.model))


@dataclass
class PipelineGenerator:
    """Makes concept pictures with a diffusers pipeline; loads it, and torch, with the first picture."""

    model: str | Path = EMBEDDED
    ask: Ask = in_own_words
    name: str = "embedded"
    steps: int | None = EMBEDDED_STEPS
    guidance: float | None = EMBEDDED_GUIDANCE
    side: int | None = None  # pixels; the model's own when not given
    batch: int = 1  # pictures at once
    device: str = ""
    dtype: str = ""
    lora: str = ""
    scheduler: str = ""
    memory_gib: float | None = None
    threads: int | None = None  # of the processor; as many as torch likes when not given

    @classmethod
    def of(cls, settings: Imagination) -> "PipelineGenerator":
        """The embedded model, or the one that is named; steps and guidance are the model's own unless set."""
        machine: dict[str, Any] = {
            "side": settings.design_size,
            "batch": settings.design_batch,
            "device": settings.design_device,
            "dtype": settings.design_dtype,
            "lora": settings.design_lora,
            "scheduler": settings.design_scheduler,
            "memory_gib": settings.design_memory_gib,
        }
        model, steps, guidance = settings.design_model or EMBEDDED, settings.design_steps, settings.design_guidance
        if (Path(model) / NOTE).is_file() or model == EMBEDDED:  # trained by us, wherever it lies
            usual = EMBEDDED_GUIDANCE if guidance is None else guidance
            threads = None if "OMP_NUM_THREADS" in os.environ else 1  # more of them mostly wait for each other
            own_steps = steps or EMBEDDED_STEPS
            return cls(model, in_own_words, "embedded", own_steps, usual, threads=threads, **machine)
        return cls(model, in_a_sentence, "diffusers", steps, guidance, **machine)

    def generate(self, brief: Brief, *, count: int, seed: int, progress: Progress) -> Iterator[Generated]:
        """Pictures as they are made; the same brief, seed and model give the same pictures on the same machine.

        Raises:
            UnknownProduct: the embedded model doesn't know what it is.
            MissingLibraries, OutOfMemory, PictureWithheld; and see loading.load.
        """
        prompt = self.ask(brief)
        recoloured = self._recoloured(brief, prompt)
        source = recoloured or brief.source
        for first in range(0, count, self.batch):
            seeds = [seed + number for number in range(first, min(first + self.batch, count))]
            steps = _Steps(progress, done=first, now=len(seeds), count=count)
            images = self.pictures(prompt.text, seeds=seeds, source=source, strength=brief.strength, steps=steps)
            for image, its_seed in zip(images, seeds, strict=True):
                made = self._provenance(brief, prompt, its_seed)
                if recoloured is not None:
                    made["start_recoloured"] = prompt.attributes["primary"]
                yield Generated(image, PictureKind.CONCEPT, made)

    def _recoloured(self, brief: Brief, prompt: Prompt) -> Image.Image | None:
        """The start picture in the colour that the brief asks for, where it lacks it; a chosen strength goes before.

        Only for the embedded model, on which it was measured.
        """
        colour = prompt.attributes.get("primary")
        if brief.source is None or colour is None or brief.strength != USUAL_STRENGTH or self.ask is not in_own_words:
            return None
        return in_colour(_fitted(brief.source, self.size), colour)

    def prepare(self, brief: Brief) -> None:
        """Read the brief, then libraries and weights: what a first picture waits for; raises as `generate` does."""
        self.ask(brief)
        _ = self._pipeline if brief.source is None else self._from_pictures

    def picture(self, prompt: str, *, seed: int) -> Image.Image:
        """One picture for a prompt in the model's own words."""
        return self.pictures(prompt, seeds=[seed])[0]

    def pictures(
        self,
        prompt: str,
        *,
        seeds: list[int],
        source: Image.Image | None = None,
        strength: float = 1.0,
        steps: "_Steps | None" = None,
    ) -> list[Image.Image]:
        """A picture for each seed, made together, from noise or from a picture mixed with it."""
        pipeline = self._pipeline if source is None else self._from_pictures
        import torch

        asked = {
            "prompt": [prompt] * len(seeds),
            "generator": [torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "callback_on_step_end": steps,
        }
        if source is not None:
            asked |= {"image": [_fitted(source, self.size)] * len(seeds), "strength": strength}
        if source is not None or self.side is not None:
            asked |= {"height": self.size, "width": self.size}
        known = inspect.signature(pipeline.__call__).parameters
        try:
            made = pipeline(**{name: value for name, value in asked.items() if name in known and value is not None})
        except RuntimeError as error:  # torch.OutOfMemoryError too
            if "out of memory" in str(error) or "can't allocate memory" in str(error):
                raise OutOfMemory(device=str(pipeline.device)) from error
            raise
        finally:
            self._clean_up()
        if any(getattr(made, "nsfw_content_detected", None) or ()):
            raise PictureWithheld()
        images: list[Image.Image] = made.images
        return images

    @property
    def codec(self) -> Any:
        """What turns pictures to latents and back."""
        return self._pipeline.vae

    @property
    def size(self) -> int:
        """Pixels along a picture's side."""
        if self.side is not None:
            return self.side
        core = getattr(self._pipeline, "unet", None)
        sample = core.config.sample_size if core is not None else getattr(self._pipeline, "default_sample_size", None)
        return int(sample * self._pipeline.vae_scale_factor) if sample else USUAL_SIZE

    @cached_property
    def _pipeline(self) -> Any:
        require_libraries()
        folder_of(str(self.model))  # a missing model is told before torch is read
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # of torchvision, which isn't needed
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin take the processor from the site
        import torch

        if self.threads is not None:
            torch.set_num_threads(self.threads)
        from c2m.design.diffusion.loading import load

        return load(self.model, self._setup())

    @cached_property
    def _from_pictures(self) -> Any:
        pipeline = self._pipeline
        from c2m.design.diffusion.loading import from_pictures

        return from_pictures(pipeline, str(self.model))

    def _setup(self) -> "Setup":
        from c2m.design.diffusion.loading import Setup

        return Setup(self.device, self.dtype, self.lora, self.scheduler, self.memory_gib)

    def _clean_up(self) -> None:
        """Give back what an accelerator keeps of a call, also of one that was stopped."""
        if self._pipeline.device.type == "cuda":
            import torch

            torch.cuda.empty_cache()

    @cached_property
    def _revision(self) -> str:
        return revision(folder_of(str(self.model)))

    def _provenance(self, brief: Brief, prompt: Prompt, seed: int) -> dict[str, Any]:
        made = {
            "generator": self.name,
            "model": "c2m-embedded" if self.model == EMBEDDED else _short(self.model),
            "revision": self._revision,
            "brief": brief.words,
            "prompt": prompt.text,
            "attributes": dict(prompt.attributes),
            "ignored": list(prompt.ignored),
            "seed": seed,
            "steps": self._used("num_inference_steps", self.steps, brief),
            "guidance": self._used("guidance_scale", self.guidance, brief),
        }
        if self.lora:
            made["lora"] = _short(self.lora)
        if self.scheduler:
            made["scheduler"] = self.scheduler
        if brief.source is not None:
            made |= {"strength": brief.strength, "source_sha256": fingerprint(brief.source)}
        return made

    def _used(self, name: str, chosen: float | None, brief: Brief) -> Any:
        """What was chosen, else what the pipeline does by itself."""
        pipeline = self._pipeline if brief.source is None else self._from_pictures
        parameter = inspect.signature(pipeline.__call__).parameters.get(name)
        return chosen if chosen is not None or parameter is None else parameter.default


@dataclass(frozen=True)
class _Steps:
    """Counts a pipeline's steps among those of all pictures; what `progress` raises ends the pipeline's work."""

    progress: Progress
    done: int  # pictures
    now: int  # pictures under way
    count: int

    def __call__(self, pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        each = pipeline.num_timesteps
        self.progress(self.done * each + (step + 1) * self.now, self.count * each)
        return tensors


def require_libraries() -> None:
    """See that pictures can be made at all.

    Raises:
        MissingLibraries
    """
    missing = [library for library in LIBRARIES if find_spec(library) is None]
    if missing:
        raise MissingLibraries(missing=", ".join(missing))


def fingerprint(source: Image.Image) -> str:
    """SHA-256 of a picture's size and RGB pixels, whatever file they came in."""
    rgb = source.convert("RGB")
    return hashlib.sha256(f"{rgb.width}x{rgb.height} ".encode() + rgb.tobytes()).hexdigest()


def _fitted(source: Image.Image, side: int) -> Image.Image:
    """The picture as a square, filled up with the colour at its edge."""
    rgb = source.convert("RGB")
    corners = [rgb.getpixel((x, y)) for x in (0, rgb.width - 1) for y in (0, rgb.height - 1)]
    edge = tuple(int(median(values)) for values in zip(*corners, strict=True))
    return ImageOps.pad(rgb, (side, side), Image.Resampling.LANCZOS, color=edge)


def _short(model: str | Path) -> str:
    """A hub id as it is, of a directory its name."""
    return Path(model).name if Path(model).exists() else str(model)
