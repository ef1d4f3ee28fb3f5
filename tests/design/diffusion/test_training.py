import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from c2m.design.diffusion.codec import principal_components
from c2m.design.diffusion.codec_training import fitted_codec
from c2m.design.diffusion.dataset import Shards, pictures_of, specs_of, write_atomically
from c2m.design.diffusion.recipe import Recipe, quick
from c2m.design.diffusion.refusals import OtherRecipe
from c2m.design.diffusion.run import PAUSE_LASTS_S
from c2m.design.diffusion.training import Training

from .conftest import EXACT, silent


def test_a_stopped_training_goes_on_exactly_as_one_that_was_not(trained, tmp_path):
    whole, parted = (tmp_path / name for name in ("whole", "parted"))
    for folder in (whole, parted):
        shutil.copytree(trained, folder)
        (folder / "denoiser.pt").unlink()
    straight = Training(quick(), silent(whole), EXACT)
    losses = [straight.advance() for _ in range(4)]
    first = Training(quick(), silent(parted), EXACT)
    assert [first.advance() for _ in range(2)] == losses[:2]
    first.save()
    second = Training(quick(), silent(parted), EXACT)
    assert second.step == 2
    assert [second.advance() for _ in range(2)] == losses[2:]
    for part in ("model", "average"):
        ends = [getattr(training, part).state_dict() for training in (straight, second)]
        assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_another_seed_learns_differently(trained, tmp_path):
    losses = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        losses.append(Training(replace(quick(), seed=seed), silent(folder), EXACT).advance())
    assert losses[0] != losses[1]


def test_going_on_with_another_recipe_is_refused_and_keeps_the_checkpoint(trained):
    before = (trained / "denoiser.pt").read_bytes()
    recipe = quick()
    other = replace(recipe, denoiser=replace(recipe.denoiser, rate=1e-5))
    with pytest.raises(OtherRecipe, match=recipe.fingerprint("denoiser")):
        Training(other, silent(trained), EXACT)
    assert (trained / "denoiser.pt").read_bytes() == before


def test_the_codec_may_learn_more_without_its_latents_changing():
    recipe = quick()
    longer = replace(recipe, codec=replace(recipe.codec, steps=99, noise=0.1))
    assert longer.latents_fingerprint() == recipe.latents_fingerprint()
    assert longer.fingerprint("denoiser") == recipe.fingerprint("denoiser")
    assert longer.fingerprint("codec") != recipe.fingerprint("codec")


def test_the_rate_warms_up_and_then_falls_slowly():
    settings = Recipe().denoiser
    assert settings.rate_at(0) < settings.rate_at(settings.warmup_steps)
    assert settings.rate_at(10_000) == pytest.approx(settings.rate * (1 + 10_000 / settings.halving_steps) ** -0.5)
    assert settings.rate_at(settings.cooling_from + settings.cooling_steps // 2) < settings.rate_at(10_000) / 1.9
    assert settings.rate_at(settings.cooling_from + settings.cooling_steps) == 0
    assert settings.samples == (settings.cooling_from + settings.cooling_steps) * settings.batch


def test_more_drawings_come_into_use_as_training_goes_on():
    settings = Recipe().denoiser
    assert settings.shards_at(0) == settings.first_shards
    assert settings.shards_at(settings.steps_per_shard) == settings.first_shards + 1
    assert settings.shards_at(10**9) == settings.shards


def test_a_shard_is_the_same_whenever_it_is_drawn(trained, tmp_path):
    codec = fitted_codec(quick(), silent(trained))
    again = Shards(tmp_path, quick())
    again.draw(0, codec)
    first, second = Shards(trained / "shards", quick()).read(0), again.read(0)
    assert np.array_equal(first.latents, second.latents)
    assert first.specs == second.specs


def test_every_category_is_drawn_as_often():
    names = [spec.category for spec in specs_of(1, count=44)]
    assert sorted(names.count(name) for name in set(names)) == [2] * 22


def test_an_interrupted_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "checkpoint"
    path.write_text("old")

    def fail(draft):
        draft.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail)
    assert path.read_text() == "old"


def test_a_pause_holds_and_a_forgotten_one_ends(tmp_path):
    run = silent(tmp_path)
    assert not run.paused()
    (tmp_path / "pause").touch()
    assert run.paused()
    long_ago = (tmp_path / "pause").stat().st_mtime - PAUSE_LASTS_S - 1
    os.utime(tmp_path / "pause", (long_ago, long_ago))
    assert not run.paused()


def test_principal_components_lose_nothing_when_all_are_kept():
    pictures = np.stack(list(pictures_of(specs_of(3, count=8), size=64, seed=0)))
    weight, bias = principal_components(pictures, channels=48, stride=4, size=64, whitening=0.0)
    patch = pictures[0, :4, :4].astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
    latent = np.tensordot(weight, patch, axes=3) + bias
    scale = np.linalg.norm(weight.reshape(48, -1), axis=1)
    back = (latent / scale**2) @ weight.reshape(48, -1)
    mean = -(bias / scale**2) @ weight.reshape(48, -1)
    assert np.allclose(back + mean, patch.reshape(-1), atol=1e-3)


def test_latents_have_unit_variance():
    pictures = np.stack(list(pictures_of(specs_of(3, count=44), size=64, seed=0)))
    weight, bias = principal_components(pictures, channels=6, stride=8, size=64, whitening=0.5)
    cells = pictures.reshape(44, 8, 8, 8, 8, 3).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 192) / 127.5 - 1
    latents = cells @ weight.reshape(6, 192).T + bias
    assert np.mean(latents**2) == pytest.approx(1, rel=0.01)
