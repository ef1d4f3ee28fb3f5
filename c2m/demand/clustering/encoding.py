"""What a sentence means, by any encoder of transformers (sentence-transformers among them) from a local directory.

Meanings stand beside words and character n-grams; they find what is said in other words. None is needed.
"""

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Meanings = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Meanings]

AT_ONCE = 64
LONGEST = 128  # tokens of a text that are read


class MissingEncoder(ValueError):
    """The directory holds no model that reads text."""


def checked(folder: str | Path) -> Path:
    """The directory of a model.

    Raises:
        MissingEncoder
    """
    path = Path(folder)
    if not (path / "config.json").is_file() or not any(
        (path / name).is_file() for name in ("tokenizer.json", "vocab.txt", "sentencepiece.bpe.model", "spiece.model")
    ):
        raise MissingEncoder(f"There is no sentence encoder at {folder}: config.json or its tokenizer is missing.")
    return path


class Encoder:
    """Turns texts into vectors of length one, the mean of the model's last layer; loads it with the first text.

    Raises:
        MissingEncoder: when made.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = checked(folder)

    def __call__(self, texts: Sequence[str]) -> Meanings:
        """One row a text."""
        import torch

        tokenizer, model = self._loaded
        rows = [np.zeros((0, model.config.hidden_size), np.float32)]
        for start in range(0, len(texts), AT_ONCE):
            asked = tokenizer(
                list(texts[start : start + AT_ONCE]),
                padding=True,
                truncation=True,
                max_length=LONGEST,
                return_tensors="pt",
            )
            with torch.inference_mode():
                last = model(**asked).last_hidden_state
            said = asked["attention_mask"].unsqueeze(-1).to(last.dtype)
            mean = ((last * said).sum(dim=1) / said.sum(dim=1).clamp(min=1)).float().numpy()
            rows.append(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9))
        return np.concatenate(rows).astype(np.float32)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        from transformers import AutoModel, AutoTokenizer

        here: dict[str, Any] = {"local_files_only": True}
        tokenizer = AutoTokenizer.from_pretrained(str(self.folder), **here)
        return tokenizer, AutoModel.from_pretrained(str(self.folder), **here).eval()
