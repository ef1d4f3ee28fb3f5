"""Where an image model's files are, which revision they are, and how much memory their weights take."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import Any, TypeVar

from c2m.design.diffusion.refusals import BrokenModel, HubAway, MissingModel, UnknownModel

INDEX = "model_index.json"
WEIGHTS = re.compile(r"(diffusion_pytorch_)?model(-\d+-of-\d+)?\.(safetensors|bin)")  # no other variant's
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
HUB_SECONDS = 10.0
SAMPLED_BYTES = 64 * 1024
T = TypeVar("T")


def folder_of(model: str) -> Path:
    """The directory of a pipeline, fetched from the hub first unless it is here already.

    Raises:
        MissingModel, UnknownModel, HubAway: at once, in one sentence.
    """
    folder = Path(model).expanduser()
    if (folder / INDEX).is_file():
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # what is here asks nobody
        return folder
    if folder.exists() or not HUB_ID.fullmatch(model):
        raise MissingModel(model=model)
    from diffusers import DiffusionPipeline
    from huggingface_hub import try_to_load_from_cache

    if isinstance(try_to_load_from_cache(model, INDEX), str):
        return _asked(model, lambda: Path(DiffusionPipeline.download(model, local_files_only=True)))
    _see_that_hub_has(model)
    return _asked(model, lambda: Path(DiffusionPipeline.download(model)))


def lora_file(lora: str) -> Path:
    """The file of adapted weights: itself, the one in a directory, or that of a repository on the hub.

    Raises:
        MissingModel, UnknownModel, HubAway
    """
    path = Path(lora).expanduser()
    if not path.exists() and HUB_ID.fullmatch(lora):
        from huggingface_hub import snapshot_download

        _see_that_hub_has(lora)
        path = _asked(lora, lambda: Path(snapshot_download(lora, allow_patterns="*.safetensors")))
    files = [path] if path.is_file() else sorted(path.glob("*.safetensors"))
    if len(files) != 1:
        raise MissingModel(model=lora, file="one .safetensors")
    return files[0]


def revision(folder: Path) -> str:
    """The hub's commit, else twelve hex digits that change with the model's files; weights are read at both ends."""
    if folder.parent.name == "snapshots":
        return folder.name[:12]
    known = hashlib.sha256()
    for path in [folder / INDEX, *sorted(folder.glob("*/*"))]:
        if path.is_file():
            known.update(f"{path.relative_to(folder)} {path.stat().st_size}".encode())
            with path.open("rb") as file:
                known.update(file.read(SAMPLED_BYTES))
                file.seek(-min(SAMPLED_BYTES, path.stat().st_size), os.SEEK_END)
                known.update(file.read())
    return known.hexdigest()[:12]


def index(folder: Path) -> dict[str, Any]:
    """What the pipeline is put together from.

    Raises:
        BrokenModel
    """
    try:
        found = json.loads((folder / INDEX).read_text("utf-8"))
    except ValueError as broken:
        raise BrokenModel(model=str(folder), reason=f"{INDEX}: {broken}") from broken
    if not isinstance(found, dict):
        raise BrokenModel(model=str(folder), reason=f"{INDEX} holds no object")
    return found


def weights_gib(folder: Path, *, bytes_each: int) -> float:
    """Memory that the weights take when each number has so many bytes, GiB."""
    parts = [part for part in index(folder) if (folder / part).is_dir()]
    return sum(size for part in parts for size in _sizes(folder / part, bytes_each)) / 2**30


def _sizes(folder: Path, bytes_each: int) -> Iterator[int]:
    files = [path for path in folder.iterdir() if WEIGHTS.fullmatch(path.name)]
    safe = [path for path in files if path.suffix == ".safetensors"]
    yield from (_numbers(path) * bytes_each for path in safe)
    if not safe:
        yield from (path.stat().st_size for path in files)


def _numbers(path: Path) -> int:
    """How many numbers a safetensors file holds, by its header."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def _see_that_hub_has(model: str) -> None:
    """Ask once, and not long: the libraries try five times."""
    from huggingface_hub import model_info

    _asked(model, lambda: model_info(model, timeout=HUB_SECONDS))


def _asked(model: str, ask: Callable[[], T]) -> T:
    from huggingface_hub.errors import HFValidationError, HTTPError, RepositoryNotFoundError

    try:
        return ask()
    except HFValidationError:
        raise MissingModel(model=model) from None
    except RepositoryNotFoundError:
        raise UnknownModel(model=model) from None
    except (HTTPError, OSError) as away:
        raise HubAway(model=model) from away
