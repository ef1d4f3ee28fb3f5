from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from c2m.design.diffusion import codec_training, pipeline
from c2m.design.diffusion.compute import Compute
from c2m.design.diffusion.recipe import quick
from c2m.design.diffusion.run import Run
from c2m.design.diffusion.training import Training

EXACT = Compute(torch.device("cpu"), half=False)


def silent(folder: Path) -> Run:
    return Run(folder, say=lambda line: None)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the seconds-long recipe's codec, and a denoiser of two steps."""
    folder = tmp_path_factory.mktemp("training")
    codec_training.train_codec(quick(), silent(folder), EXACT)
    training = Training(quick(), silent(folder), EXACT)
    training.advance()
    training.advance()
    training.save()
    return folder


@pytest.fixture(scope="session")
def tiny_model(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    pipeline.export(quick(), silent(trained), folder, commit="abc123")
    return folder
