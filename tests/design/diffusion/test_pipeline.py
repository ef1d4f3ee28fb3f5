import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from c2m.design.diffusion import pipeline
from c2m.design.diffusion.cli import save_png
from c2m.design.diffusion.codec import PatchCodec
from c2m.design.diffusion.generator import PipelineGenerator
from c2m.design.diffusion.loading import load
from c2m.design.diffusion.recipe import quick
from c2m.design.diffusion.refusals import MissingModel, NotTrained
from c2m.design.generation import Brief, Cancelled
from c2m.design.models import PictureKind

from .conftest import silent

BRIEF = Brief("mug", "红白波点马克杯", {"background": "sky"})


def pixels(image):
    return np.asarray(image)


@pytest.fixture(scope="module")
def generator(tiny_model):
    return PipelineGenerator(model=tiny_model, steps=2)


def test_the_same_seed_makes_the_same_picture_and_another_seed_another(generator):
    made = [generator.picture("red mug", seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(pixels(made[0]), pixels(made[1]))
    assert not np.array_equal(pixels(made[0]), pixels(made[2]))
    assert made[0].size == (128, 128)


def test_words_change_the_picture(generator):
    assert not np.array_equal(
        pixels(generator.picture("red mug", seed=1)), pixels(generator.picture("blue chair", seed=1))
    )


def test_a_brief_becomes_concepts_that_say_how_to_make_them_again(generator):
    steps = []
    made = list(generator.generate(BRIEF, count=2, seed=7, progress=lambda *step: steps.append(step)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {picture.kind for picture in made} == {PictureKind.CONCEPT}
    provenance = made[1].provenance
    assert provenance["prompt"] == "red and white dotted mug sky background"
    assert provenance["brief"] == BRIEF.words
    assert (provenance["seed"], provenance["steps"], provenance["model"]) == (8, 2, "tiny")
    assert np.array_equal(pixels(generator.picture(provenance["prompt"], seed=8)), pixels(made[1].image))


def test_a_brief_with_a_picture_starts_from_it_and_takes_only_the_steps_its_strength_leaves(generator):
    steps = []
    brief = replace(BRIEF, source=Image.new("RGB", (64, 96), (200, 30, 30)), strength=0.5)
    [made] = generator.generate(brief, count=1, seed=7, progress=lambda *step: steps.append(step))
    [afresh] = generator.generate(BRIEF, count=1, seed=7, progress=lambda *step: None)
    assert steps == [(1, 1)]
    assert made.image.size == (128, 128)
    assert not np.array_equal(pixels(made.image), pixels(afresh.image))


def test_a_progress_callback_stops_the_work_between_two_steps_and_the_generator_goes_on_with_the_next(generator):
    steps = []

    def cancel_in_the_second_picture(done, whole):
        steps.append(done)
        if done == 3:
            raise Cancelled

    made = generator.generate(BRIEF, count=2, seed=7, progress=cancel_in_the_second_picture)
    first = next(made)
    with pytest.raises(Cancelled):
        next(made)
    assert steps == [1, 2, 3]
    [again] = generator.generate(BRIEF, count=1, seed=7, progress=lambda *step: None)
    assert np.array_equal(pixels(again.image), pixels(first.image))


def test_a_saved_picture_says_that_an_algorithm_made_it(generator, tmp_path):
    made = next(iter(generator.generate(BRIEF, count=1, seed=3, progress=lambda done, count: None)))
    save_png(made, tmp_path / "concept.png")
    with Image.open(tmp_path / "concept.png") as stored:
        assert json.loads(stored.text["c2m:provenance"]) == made.provenance
        assert "digitalsourcetype/trainedAlgorithmicMedia" in stored.text["XML:com.adobe.xmp"]


def test_the_note_beside_the_weights_names_recipe_steps_and_commit(tiny_model):
    note = json.loads((tiny_model / "training.json").read_text())
    assert note["steps"] == {"codec": quick().codec.steps, "denoiser": 2}
    assert note["commit"] == "abc123"
    assert note["recipe"]["denoiser"]["fingerprint"] == quick().fingerprint("denoiser")


def test_weights_are_stored_in_16_bits(tiny_model):
    from safetensors import safe_open

    for part in ("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model"):
        with safe_open(tiny_model / f"{part}.safetensors", "pt") as stored:
            floats = {stored.get_tensor(name).dtype for name in stored.keys()} - {torch.int64}  # noqa: SIM118
        assert floats == {torch.float16}


def test_it_is_an_ordinary_diffusers_pipeline(tiny_model):
    loaded = load(tiny_model)
    assert type(loaded).__name__ == "StableDiffusionPipeline"
    assert loaded.vae_scale_factor == quick().codec.stride
    assert isinstance(loaded.vae, PatchCodec)


def test_it_also_makes_pictures_from_pictures(tiny_model):
    from diffusers import AutoPipelineForImage2Image

    image_to_image = AutoPipelineForImage2Image.from_pipe(load(tiny_model))
    source = Image.new("RGB", (128, 128), (200, 30, 30))
    made = image_to_image(
        "red mug", image=source, strength=0.5, num_inference_steps=4, generator=torch.Generator().manual_seed(1)
    )
    assert made.images[0].size == (128, 128)


def test_a_missing_model_says_so_at_once(tmp_path):
    with pytest.raises(MissingModel, match=r"model_index\.json"):
        PipelineGenerator(model=tmp_path / "nowhere").picture("mug", seed=1)


def test_nothing_is_exported_before_both_parts_were_trained(tmp_path):
    with pytest.raises(NotTrained):
        pipeline.export(quick(), silent(tmp_path), tmp_path / "model", commit="")
    assert not (tmp_path / "model").exists()
