import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler
from PIL import Image

from c2m.config import Imagination
from c2m.design.diffusion import generator as generators
from c2m.design.diffusion.generator import PipelineGenerator, generator_from
from c2m.design.diffusion.models import revision, weights_gib
from c2m.design.diffusion.refusals import (
    AboveMemoryLimit,
    BrokenModel,
    HubAway,
    MissingLibraries,
    MissingModel,
    NoSuchDevice,
    NotFromWords,
    OutOfMemory,
    UnfitLora,
    UnfitScheduler,
)
from c2m.design.generation import Brief, Cancelled, Generated, SketchGenerator

from .tiny_pipelines import SIDE, flux, stable_diffusion, stable_diffusion_xl

FAMILIES = (stable_diffusion, stable_diffusion_xl, flux)
BRIEF = Brief("mug", "red mug with a dragon", {"pattern": "vertical_stripes"})
RED = Image.new("RGB", (40, 60), (200, 30, 30))


@pytest.fixture(scope="session")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("pipelines")
    return {family.__name__: family(home / family.__name__) for family in FAMILIES}


@pytest.fixture(scope="session")
def sd(families: dict[str, Path]) -> Path:
    return families["stable_diffusion"]


def of(model: Path | str, **chosen: object) -> PipelineGenerator:
    settings = {"steps": 2, "size": SIDE, "device": "cpu"} | chosen
    return PipelineGenerator.of(
        Imagination(design_model=str(model), **{f"design_{name}": value for name, value in settings.items()})  # type: ignore[arg-type]
    )


def made(generator: PipelineGenerator, brief: Brief = BRIEF, *, count: int = 1, seed: int = 1) -> list[Generated]:
    return list(generator.generate(brief, count=count, seed=seed, progress=lambda done, whole: None))


def same(a: Image.Image, b: Image.Image) -> bool:
    """Alike but for the last bits, which depend on how many are made at once."""
    return bool(np.abs(np.asarray(a, int) - np.asarray(b, int)).max() <= 2)


@pytest.mark.parametrize("family", [family.__name__ for family in FAMILIES])
def test_a_pipeline_of_any_family_makes_pictures_that_its_seed_repeats(family: str, families: dict[str, Path]) -> None:
    generator = of(families[family], batch=2)
    steps: list[tuple[int, int]] = []
    three = list(generator.generate(BRIEF, count=3, seed=5, progress=lambda *step: steps.append(step)))
    assert [picture.provenance["seed"] for picture in three] == [5, 6, 7]
    assert {picture.image.size for picture in three} == {(SIDE, SIDE)}
    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert same(made(generator, seed=6)[0].image, three[1].image)
    assert not same(three[0].image, three[1].image)


@pytest.mark.parametrize("family", [family.__name__ for family in FAMILIES])
def test_a_pipeline_of_any_family_starts_from_a_picture(family: str, families: dict[str, Path]) -> None:
    generator = of(families[family])
    brief = Brief("mug", "red mug", source=RED, strength=0.5)
    [picture] = made(generator, brief)
    assert picture.image.size == (SIDE, SIDE)
    assert picture.provenance["strength"] == 0.5
    assert picture.provenance["source_sha256"] == generators.fingerprint(RED)
    blue = Brief("mug", "red mug", source=Image.new("RGB", (40, 60), (30, 30, 200)), strength=0.5)
    assert not same(made(generator, blue)[0].image, picture.image)


def test_bfloat16_is_what_it_says(sd: Path) -> None:
    generator = of(sd, dtype="bfloat16")
    assert made(generator)[0].image.size == (SIDE, SIDE)
    assert generator._pipeline.unet.dtype == torch.bfloat16
    assert made(generator, Brief("mug", source=RED))[0].image.size == (SIDE, SIDE)


def test_work_is_stopped_between_two_steps_and_can_begin_anew(sd: Path) -> None:
    generator = of(sd, steps=4, scheduler="DDIMScheduler")
    seen: list[int] = []

    def stop_after_two(done: int, whole: int) -> None:
        seen.append(done)
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(generator.generate(BRIEF, count=2, seed=1, progress=stop_after_two))
    assert seen == [1, 2]
    assert len(made(generator)) == 1


def test_other_models_are_asked_in_a_sentence_that_says_what_was_chosen_too(sd: Path) -> None:
    provenance = made(of(sd, guidance=4.5))[0].provenance
    assert provenance["prompt"] == "product photograph, red mug with a dragon, vertical stripes"
    assert (provenance["model"], provenance["steps"], provenance["guidance"]) == ("stable_diffusion", 2, 4.5)
    assert provenance["revision"] == revision(sd)
    chinese = made(of(sd), Brief("tote", "红白条纹帆布托特包"))[0].provenance
    assert chinese["prompt"] == "product photograph, red and white striped canvas tote bag, 红白条纹帆布托特包"
    assert chinese["guidance"] == 7.5  # the pipeline's own


def test_another_scheduler_takes_the_place_of_the_models_own(sd: Path) -> None:
    generator = of(sd, scheduler="DPMSolverMultistepScheduler")
    provenance = made(generator)[0].provenance
    assert type(generator._pipeline.scheduler) is DPMSolverMultistepScheduler
    assert provenance["scheduler"] == "DPMSolverMultistepScheduler"


def test_a_scheduler_that_does_not_fit_is_refused_with_those_that_do(families: dict[str, Path]) -> None:
    with pytest.raises(UnfitScheduler, match="FlowMatchEulerDiscreteScheduler"):
        made(of(families["flux"], scheduler="DDIMScheduler"))


def test_adapted_weights_change_the_picture_and_are_named(sd: Path, tmp_path: Path) -> None:
    lora = adapted_weights(sd, tmp_path / "lora")
    adapted, plain = made(of(sd, lora=str(lora)))[0], made(of(sd))[0]
    assert adapted.provenance["lora"] == "lora"
    assert not same(adapted.image, plain.image)


def test_adapted_weights_of_another_model_are_refused(sd: Path, families: dict[str, Path], tmp_path: Path) -> None:
    lora = adapted_weights(sd, tmp_path / "lora")
    with pytest.raises(UnfitLora):
        made(of(families["flux"], lora=str(lora)))


def adapted_weights(model: Path, folder: Path) -> Path:
    """LoRA weights for a pipeline's UNet, far from doing nothing."""
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipeline = StableDiffusionPipeline.from_pretrained(str(model))
    torch.manual_seed(1)
    pipeline.unet.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_v"], init_lora_weights=False))
    weights = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipeline.unet))
    loud = {name: 3 * weight for name, weight in weights.items()}
    StableDiffusionPipeline.save_lora_weights(str(folder), unet_lora_layers=loud)
    return folder


def test_a_model_above_the_memory_limit_is_refused_before_it_is_loaded(sd: Path) -> None:
    needed = weights_gib(sd, bytes_each=4)
    assert weights_gib(sd, bytes_each=2) == needed / 2
    with pytest.raises(AboveMemoryLimit, match="GiB"):
        made(of(sd, memory_gib=needed / 2))
    assert made(of(sd, memory_gib=needed / 2, dtype="bfloat16"))


def test_running_out_of_memory_is_told_in_a_sentence(sd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = of(sd)

    def exhausted(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(generator._pipeline.unet, "forward", exhausted)
    with pytest.raises(OutOfMemory, match="smaller pictures"):
        made(generator)


def test_a_device_that_is_not_there_is_named(sd: Path) -> None:
    with pytest.raises(NoSuchDevice, match="xpu"):
        made(of(sd, device="xpu"))


def broken(folder: Path) -> Path:
    (folder / "model_index.json").write_text(
        json.dumps({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]})
    )
    return folder


def of_another_kind(folder: Path) -> Path:
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "DanceDiffusionPipeline"}))
    return folder


def without_an_index(folder: Path) -> Path:
    (folder / "model_index.json").write_text("{")
    return folder


@pytest.mark.parametrize(
    ("prepare", "refusal"),
    [
        (lambda folder: folder / "nowhere", MissingModel),
        (lambda folder: folder, MissingModel),
        (lambda folder: "./nowhere", MissingModel),
        (broken, BrokenModel),
        (without_an_index, BrokenModel),
        (of_another_kind, NotFromWords),
        (lambda folder: "nobody/has-this-model", HubAway),
    ],
)
def test_a_model_that_cannot_be_used_says_so_in_one_sentence_and_at_once(
    prepare: Callable[[Path], Path | str], refusal: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def away(*_: object, timeout: float, **__: object) -> None:
        asked.append(timeout)
        raise ConnectionError("no network")

    monkeypatch.setattr("huggingface_hub.model_info", away)
    with pytest.raises(refusal) as told:
        made(of(prepare(tmp_path)))
    assert str(told.value).count("\n") == 0
    assert len(asked) == (refusal is HubAway)


def test_missing_libraries_are_named(sd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generators, "find_spec", lambda name: None if name == "torch" else True)
    with pytest.raises(MissingLibraries, match="torch"):
        made(of(sd))


def test_the_settings_choose_the_generator(sd: Path, tiny_model: Path) -> None:
    assert isinstance(generator_from(Imagination(design_model="sketch")), SketchGenerator)
    assert generator_from(Imagination(design_model="")).name == "embedded"
    assert generator_from(Imagination(design_model=str(tiny_model))).name == "embedded"
    assert generator_from(Imagination(design_model=str(sd))).name == "diffusers"
