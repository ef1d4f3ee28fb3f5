"""Any vision model of transformers, such as CLIP, SigLIP or DINOv2, in place of our own features."""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from c2m.design.likeness.features import Vector
from c2m.errors import N_, NotFound


class MissingEncoder(NotFound):
    """The directory holds no vision model."""

    sentence = N_("There is no vision model at %(model)s: config.json or preprocessor_config.json is missing.")


@dataclass
class Encoder:
    """Says what a picture looks like by a vision model from a local directory; loads it with the first picture.

    Raises:
        MissingEncoder: when made.
    """

    folder: Path
    degrees: None = None  # what its distances mean is not known

    def __post_init__(self) -> None:
        if not all((self.folder / name).is_file() for name in ("config.json", "preprocessor_config.json")):
            raise MissingEncoder(model=str(self.folder))

    @cached_property
    def version(self) -> str:
        """The model's family, its directory, and how large its weights are."""
        family = json.loads((self.folder / "config.json").read_text("utf-8")).get("model_type", "model")
        size = sum(path.stat().st_size for path in self.folder.glob("*.safetensors"))
        return f"{family}-{self.folder.name}-{size}"[:80]

    def of(self, image: Image.Image) -> Vector:
        """The model's picture embedding, of length 1."""
        import torch

        processor, model = self._loaded
        with torch.inference_mode():
            pixels = processor(images=image.convert("RGB"), return_tensors="pt")["pixel_values"]
            embedded = model.get_image_features(pixel_values=pixels) if self._is_paired else model(pixel_values=pixels)
        numbers = getattr(embedded, "pooler_output", embedded)[0].float().numpy()
        return np.asarray(numbers / np.linalg.norm(numbers), dtype=np.float32)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        from transformers import AutoImageProcessor, AutoModel

        here: dict[str, Any] = {"local_files_only": True}
        processor = AutoImageProcessor.from_pretrained(str(self.folder), **here)
        return processor, AutoModel.from_pretrained(str(self.folder), **here).eval()

    @property
    def _is_paired(self) -> bool:
        """Whether the model knows texts as well, and so has a way for pictures alone."""
        return hasattr(self._loaded[1], "get_image_features")
