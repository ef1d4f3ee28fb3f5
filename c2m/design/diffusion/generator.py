"""The image generator on the embedded model: a brief to pictures, each with what makes it again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from c2m.config import Imagination
from c2m.design.diffusion.briefs import Understood, understand
from c2m.design.diffusion.refusals import MissingLibraries
from c2m.design.generation import Brief, Generated, ImageGenerator, Progress, SketchGenerator
from c2m.design.models import PictureKind

EMBEDDED = Path(__file__).parents[1] / "model"
LIBRARIES = ("torch", "diffusers", "transformers")
SKETCH = "sketch"
StepEnd = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]


def generator_from(settings: Imagination) -> ImageGenerator:
    """The generator that the settings choose; nothing heavy is loaded before its first picture."""
    return SketchGenerator() if settings.design_model == SKETCH else EmbeddedGenerator()


@dataclass(frozen=True)
class _Steps:
    """Counts a pipeline's steps among those of all pictures."""

    pictures_done: int
    pictures: int
    progress: Progress

    def __call__(self, pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        each = pipeline.num_timesteps
        self.progress(self.pictures_done * each + step + 1, self.pictures * each)
        return tensors


@dataclass
class EmbeddedGenerator:
    """Makes concept pictures with the model that ships with c2m; loads it, and torch, with the first picture."""

    name: str = "embedded"
    model: Path = field(default=EMBEDDED)
    steps: int = 12
    guidance: float = 3.0
    device: str | None = None

    def generate(self, brief: Brief, *, count: int, seed: int, progress: Progress) -> Iterator[Generated]:
        """Pictures as they are made; the same brief, seed and model give the same pictures on the same machine.

        Raises:
            UnknownProduct, MissingModel, MissingLibraries
        """
        understood = understand(brief.words, category=brief.category, attributes=brief.attributes)
        for number in range(count):
            steps = _Steps(number, count, progress)
            image = self.picture(
                understood.prompt, seed=seed + number, source=brief.source, strength=brief.strength, steps=steps
            )
            yield Generated(image, PictureKind.CONCEPT, self._provenance(brief, understood, seed + number))

    def picture(
        self,
        prompt: str,
        *,
        seed: int,
        source: Image.Image | None = None,
        strength: float = 1.0,
        steps: StepEnd | None = None,
    ) -> Any:
        """One picture for a prompt in the model's own words, from noise or from a picture mixed with it."""
        import torch

        pipeline, more = self._pipeline, {}
        if source is not None:
            pipeline = self._from_pictures
            more = {"image": source.convert("RGB").resize((self.size, self.size)), "strength": strength}
        made = pipeline(
            prompt,
            num_inference_steps=self.steps,
            guidance_scale=self.guidance,
            generator=torch.Generator("cpu").manual_seed(seed),
            callback_on_step_end=steps,
            output_type="pil",
            **more,
        )
        return made.images[0]

    @property
    def codec(self) -> Any:
        """What turns pictures to latents and back."""
        return self._pipeline.vae

    @property
    def size(self) -> int:
        """Pixels along a picture's side."""
        return int(self._pipeline.unet.config.sample_size * self._pipeline.vae_scale_factor)

    @cached_property
    def _pipeline(self) -> Any:
        missing = [library for library in LIBRARIES if find_spec(library) is None]
        if missing:
            raise MissingLibraries(missing=", ".join(missing))
        from c2m.design.diffusion.loading import load

        return load(self.model, device=self.device)

    @cached_property
    def _from_pictures(self) -> Any:
        from diffusers import AutoPipelineForImage2Image

        pipeline = AutoPipelineForImage2Image.from_pipe(self._pipeline)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    @cached_property
    def _revision(self) -> str:
        from c2m.design.diffusion.loading import revision

        return revision(self.model)

    def _provenance(self, brief: Brief, understood: Understood, seed: int) -> dict[str, Any]:
        return {
            "generator": self.name,
            "model": self.model.name if self.model != EMBEDDED else "c2m-embedded",
            "revision": self._revision,
            "brief": brief.words,
            "prompt": understood.prompt,
            "attributes": dict(understood.attributes),
            "ignored": list(understood.ignored),
            "seed": seed,
            "steps": self.steps,
            "guidance": self.guidance,
        }
