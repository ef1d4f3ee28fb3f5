import json
import shutil
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from c2m.design.diffusion import codec_training
from c2m.design.diffusion.cli import app
from c2m.design.diffusion.pipeline import assembled
from c2m.design.diffusion.recipe import quick
from c2m.design.diffusion.refusals import MissingModel, OtherRecipe
from c2m.design.diffusion.resuming import lay_checkpoints
from c2m.design.diffusion.training import Training

from .conftest import EXACT, silent


def test_a_training_goes_on_from_an_exported_model_with_its_weights_and_codec(tiny_model, tmp_path):
    run, note = silent(tmp_path), json.loads((tiny_model / "training.json").read_text())
    lay_checkpoints(tiny_model, quick(), run)
    training = Training(quick(), run, EXACT)
    assert (training.step, training.begun) == (note["steps"]["denoiser"],) * 2
    again = assembled(quick(), run)
    before = {
        name: part.state_dict()
        for name, part in (("unet", again.unet), ("text", again.text_encoder), ("codec", again.vae))
    }
    for name, part in before.items():
        assert all(torch.equal(value, value.half().float()) for value in part.values()), name  # as they were exported
    codec_training.train_codec(quick(), run, EXACT)  # it is trained already
    assert all(torch.equal(assembled(quick(), run).vae.state_dict()[key], it) for key, it in before["codec"].items())
    training.advance()
    training.save()
    assert Training(quick(), run, EXACT).begun == note["steps"]["denoiser"]


def test_checkpoints_that_are_there_are_kept(tiny_model, trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "run")
    before = [(folder / name).read_bytes() for name in ("codec.pt", "denoiser.pt")]
    lay_checkpoints(tiny_model, quick(), silent(folder))
    assert [(folder / name).read_bytes() for name in ("codec.pt", "denoiser.pt")] == before


def test_another_size_or_codec_is_refused_and_another_rate_is_not(tiny_model, tmp_path):
    recipe = quick()
    for other in (
        replace(recipe, denoiser=replace(recipe.denoiser, widths=(16, 32, 48))),
        replace(recipe, codec=replace(recipe.codec, channels=8)),
    ):
        with pytest.raises(OtherRecipe):
            lay_checkpoints(tiny_model, other, silent(tmp_path))
    assert not list(tmp_path.iterdir())
    faster = replace(recipe, denoiser=replace(recipe.denoiser, rate=1e-3))
    lay_checkpoints(tiny_model, faster, silent(tmp_path))
    assert Training(faster, silent(tmp_path), EXACT).step > 0


def test_a_directory_without_a_model_is_called_so(tmp_path):
    with pytest.raises(MissingModel, match=r"training\.json is missing"):
        lay_checkpoints(tmp_path / "nowhere", quick(), silent(tmp_path))
    told = CliRunner().invoke(app, ["train", "--quick", "--from", str(tmp_path / "nowhere"), "--folder", str(tmp_path)])
    assert told.exit_code != 0


def test_small_motifs_are_learnt_from_more_often_than_plain_cloth(trained):
    training = Training(quick(), silent(trained), EXACT)
    training.advance()
    pairs = list(zip(training._specs, training._weights, strict=True))
    assert {weight for spec, weight in pairs if spec.pattern == "plain"} == {0.5}
    assert {weight for spec, weight in pairs if spec.pattern in ("floral", "tartan")} <= {2.0}
    assert {weight for spec, weight in pairs if spec.pattern in ("stripes", "gingham")} <= {1.0}
