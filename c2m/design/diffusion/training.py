"""Training the denoiser and its text encoder: seeded, resumable to the bit, and good to stop at any step."""

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from c2m.design.diffusion.captions import Speaker
from c2m.design.diffusion.codec_training import blend, fitted_codec
from c2m.design.diffusion.compute import Compute
from c2m.design.diffusion.dataset import STEP_STREAM, Shards
from c2m.design.diffusion.parts import denoiser, scheduler, text_encoder
from c2m.design.diffusion.recipe import Recipe
from c2m.design.diffusion.run import Pace, Run
from c2m.design.diffusion.tokenizer import write_tokenizer
from c2m.design.drawings import DrawingSpec

PART = "denoiser"
STRONGEST_SNR = 5.0
EVERY_TIME = 0.25  # weight that every noise level gets


class Denoiser(torch.nn.Module):  # type: ignore[misc]  # torch is read without its types
    """The text encoder and the UNet, which learn together."""

    def __init__(self, recipe: Recipe, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        torch.manual_seed(recipe.seed)
        self.text: CLIPTextModel = text_encoder(recipe, tokenizer)
        self.unet: UNet2DConditionModel = denoiser(recipe)
        # Plain products and a softmax: their bfloat16 backward is several times faster on CPUs than the fused one.
        self.unet.set_attn_processor(AttnProcessor())
        self.to(memory_format=torch.channels_last)

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """The predicted velocity."""
        words = self.text(input_ids=tokens).last_hidden_state
        predicted: Tensor = self.unet(noisy, times, encoder_hidden_states=words).sample
        return predicted


class Training:
    """The state of a training, and one step of it.

    Each step draws all its chance from the recipe's seed and its own number, so that a run that was stopped goes on
    exactly as one that was not.
    """

    def __init__(
        self, recipe: Recipe, run: Run, compute: Compute, *, await_shard: Callable[[int], None] | None = None
    ) -> None:
        self.recipe, self.run, self.compute = recipe, run, compute
        self._await_shard = await_shard or self._draw_shard
        self.tokenizer = write_tokenizer(run.folder / "tokenizer", tokens=recipe.text.tokens)
        self.model = Denoiser(recipe, self.tokenizer).to(compute.device)
        self.average = Denoiser(recipe, self.tokenizer).to(compute.device).requires_grad_(False)
        compute.prepare(self.model.unet)
        self.scheduler: DDIMScheduler = scheduler()
        settings = recipe.denoiser
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=settings.rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.step = self.begun = 0
        self._shards = Shards(run.folder / "shards", recipe)
        self._latents: list[npt.NDArray[np.float16]] = []
        self._specs: list[DrawingSpec] = []
        self._weights: npt.NDArray[np.float64] = np.empty(0)
        state = run.load(PART, recipe)
        if state is not None:
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.step, self.begun = state["step"], state["begun"]
            if state["optimiser"] is not None:
                self.optimiser.load_state_dict(state["optimiser"])

    @property
    def samples(self) -> int:
        """Drawings seen so far."""
        return self.step * self.recipe.denoiser.batch

    def save(self) -> None:
        """Keep everything needed to go on."""
        state: dict[str, Any] = {
            "step": self.step,
            "begun": self.begun,
            "samples": self.samples,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        self.run.save(PART, self.recipe, state)

    def advance(self) -> float:
        """Do one step; its loss."""
        settings = self.recipe.denoiser
        rng = np.random.default_rng([self.recipe.seed, STEP_STREAM, self.step])
        latents, prompts = self._batch(rng)
        noise = torch.from_numpy(rng.standard_normal(latents.shape, dtype=np.float32))
        levels = self.scheduler.config.num_train_timesteps
        share = (rng.permutation(settings.batch) + rng.random(settings.batch)) / settings.batch
        times = torch.from_numpy((share * levels).astype(np.int64))
        signal = self.scheduler.alphas_cumprod[times]
        ratio = signal / (1 - signal)
        weight = torch.clamp(ratio, max=STRONGEST_SNR) / (ratio + 1) + EVERY_TIME
        device = self.compute.device
        noisy = self.scheduler.add_noise(latents, noise, times).to(device, memory_format=torch.channels_last)
        target = self.scheduler.get_velocity(latents, noise, times).to(device)
        tokens = self.tokenizer(
            prompts, padding="max_length", truncation=True, max_length=self.recipe.text.tokens, return_tensors="pt"
        ).input_ids.to(device)
        with self.compute.autocast():
            made = self.model(noisy, times.to(device), tokens)
        errors = (made.float() - target).square().mean(dim=(1, 2, 3))
        loss = (errors * weight.to(device)).mean()
        for group in self.optimiser.param_groups:
            group["lr"] = settings.rate_at(self.step, begun=self.begun)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.step += 1
        blend(self.average, self.model, min(settings.average, self.step / (self.step + 10)))
        return float(loss.detach())

    def _batch(self, rng: np.random.Generator) -> tuple[Tensor, list[str]]:
        settings = self.recipe.denoiser
        self._read_up_to(settings.shards_at(self.step - self.begun))
        chosen = rng.choice(len(self._specs), size=settings.batch, p=self._weights / self._weights.sum())
        rows = [self._latents[i // settings.shard_drawings][i % settings.shard_drawings] for i in chosen]
        speaker = Speaker(rng)
        captions = [speaker.caption(self._specs[i]) for i in chosen]
        empty = rng.random(settings.batch) < settings.empty_prompts
        prompts = ["" if without else caption for without, caption in zip(empty, captions, strict=True)]
        return torch.from_numpy(np.stack(rows)).float(), prompts

    def _read_up_to(self, count: int) -> None:
        while len(self._latents) < count:
            number = len(self._latents)
            self._await_shard(number)
            shard = self._shards.read(number)
            self._latents.append(shard.latents)
            self._specs.extend(shard.specs)
            weights = [self.recipe.denoiser.weight(spec.pattern) for spec in shard.specs]
            self._weights = np.append(self._weights, weights)

    def _draw_shard(self, number: int) -> None:
        self._shards.draw(number, fitted_codec(self.recipe, self.run))


def train(recipe: Recipe, run: Run, compute: Compute, *, samples: int, save_every: float = 180) -> Training:
    """Train until so many samples have been seen, going on from the last checkpoint; drawings are made beside it."""
    with Drawing(recipe, run.folder) as drawing:
        training = Training(recipe, run, compute, await_shard=drawing.await_shard)
        pace, started, first, losses = Pace(save_every), time.monotonic(), training.step, []
        try:
            while training.samples < samples:
                run.wait_while_paused()
                losses.append(training.advance())
                if training.step % 50 == 0 or training.samples >= samples:
                    seconds = (time.monotonic() - started) / (training.step - first)
                    run.note(
                        PART,
                        step=training.step,
                        samples=training.samples,
                        loss=round(float(np.mean(losses)), 4),
                        seconds=round(seconds, 3),
                    )
                    losses.clear()
                if pace.due():
                    training.save()
        finally:
            training.save()
    return training


class Drawing:
    """Draws the shards in a process of its own while the body of a `with` runs."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self._shards = Shards(folder / "shards", recipe)
        self._process = multiprocessing.get_context("spawn").Process(
            target=draw_shards, args=(recipe, folder), daemon=True
        )

    def await_shard(self, number: int) -> None:
        """Return once the shard is there; RuntimeError when nobody is drawing it any more."""
        while not self._shards.path(number).exists():
            if not self._process.is_alive():
                raise RuntimeError(f"The process that draws stopped before shard {number} was done.")
            time.sleep(0.5)

    def __enter__(self) -> "Drawing":
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def draw_shards(recipe: Recipe, folder: Path) -> None:
    """Draw the shards that are missing, in order, as long as the process that asked for them lives."""
    torch.set_num_threads(1)
    run = Run(folder, say=lambda _: None)
    codec = fitted_codec(recipe, run)
    shards = Shards(folder / "shards", recipe)
    asked = multiprocessing.parent_process()
    for number in range(recipe.denoiser.shards):
        run.wait_while_paused()
        if asked is not None and not asked.is_alive():
            return
        shards.draw(number, codec)
