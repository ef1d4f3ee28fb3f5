"""Making the codec: components fitted at once, then the decoder trained on latents with noise."""

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from c2m.design.diffusion.codec import PatchCodec, principal_components
from c2m.design.diffusion.compute import Compute
from c2m.design.diffusion.dataset import CODEC_STREAM, FITTING_STREAM, pictures_of, specs_of, write_atomically
from c2m.design.diffusion.recipe import Recipe
from c2m.design.diffusion.run import Pace, Run

PART = "codec"
HELD_BACK = 16


def fitted_codec(recipe: Recipe, run: Run) -> PatchCodec:
    """The codec with its final encoder, and the decoder as far as it has been trained."""
    codec = fresh_codec(recipe)
    path = components_path(recipe, run)
    if not path.exists():
        specs = specs_of(recipe.seed, FITTING_STREAM, count=recipe.codec.fitting_drawings)
        pictures = np.stack(list(pictures_of(specs, size=recipe.denoiser.drawing_size, seed=recipe.seed)))
        weight, bias = principal_components(
            pictures,
            channels=recipe.codec.channels,
            stride=recipe.codec.stride,
            size=recipe.codec.size,
            whitening=recipe.codec.whitening,
        )
        write_atomically(path, lambda draft: np.savez(draft, allow_pickle=False, weight=weight, bias=bias))
    with np.load(path, allow_pickle=False) as components:
        codec.set_components(components["weight"], components["bias"])
    state = run.load(PART, recipe)
    if state is not None:
        codec.decoder.load_state_dict(state["average"])
    return codec


def components_path(recipe: Recipe, run: Run) -> Path:
    """Where the encoder's weights lie."""
    return run.folder / f"{recipe.latents_fingerprint()}-components.npz"


def fresh_codec(recipe: Recipe) -> PatchCodec:
    """A codec that has learned nothing."""
    torch.manual_seed(recipe.seed)
    settings = recipe.codec
    halvings = settings.stride.bit_length() - 1
    codec: PatchCodec = PatchCodec(
        latent_channels=settings.channels,
        block_out_channels=(settings.channels,) * (halvings + 1),
        widths=settings.widths,
    )
    return codec


def train_codec(recipe: Recipe, run: Run, compute: Compute, *, save_every: float = 120) -> PatchCodec:
    """Fit the encoder and train the decoder, going on from the last checkpoint."""
    settings = recipe.codec
    codec = fitted_codec(recipe, run)
    pictures = _drawings(recipe, run)
    decoder = fresh_codec(recipe).decoder.to(compute.device)
    encoder = codec.encoder.to(compute.device)
    average = codec.decoder.to(compute.device)
    optimiser = torch.optim.AdamW(decoder.parameters(), lr=settings.rate, betas=(0.9, 0.99), weight_decay=1e-3)
    first = 0
    state = run.load(PART, recipe)
    if state is not None:
        decoder.load_state_dict(state["decoder"])
        first = state["step"]
        if state["optimiser"] is not None:
            optimiser.load_state_dict(state["optimiser"])

    def save(step: int) -> None:
        run.save(
            PART,
            recipe,
            {
                "step": step,
                "decoder": decoder.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
            },
        )

    pace, started = Pace(save_every), time.monotonic()
    for step in range(first, settings.steps):
        run.wait_while_paused()
        rng = np.random.default_rng([recipe.seed, CODEC_STREAM, 1, step])
        for group in optimiser.param_groups:
            group["lr"] = settings.rate_at(step)
        target = _crops(pictures[HELD_BACK:], recipe, rng).to(compute.device)
        with torch.no_grad():
            latents = encoder(target)
            noise = torch.from_numpy(rng.standard_normal(latents.shape, dtype=np.float32)).to(compute.device)
            level = torch.from_numpy(rng.uniform(0, settings.noise, (len(latents), 1, 1, 1)).astype(np.float32))
            latents = latents + noise * level.to(compute.device)
        with compute.autocast():
            made = decoder(latents.contiguous(memory_format=torch.channels_last))
        loss = _difference(made.float(), target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        blend(average, decoder, min(0.998, (step + 1) / (step + 10)))
        done = step + 1
        if done % 50 == 0 or done == settings.steps:
            pace_s = (time.monotonic() - started) / (done - first)
            run.note(PART, step=done, loss=round(loss.item(), 4), seconds=round(pace_s, 3))
        if pace.due() or done == settings.steps:
            save(done)
    codec.to("cpu").eval()
    run.note(PART, step=settings.steps, psnr=round(fidelity(codec, pictures[:HELD_BACK]), 2))
    return codec


def fidelity(codec: PatchCodec, pictures: npt.NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio, dB, of pictures there and back."""
    with torch.inference_mode():
        target = _tensor(pictures)
        made = codec.decode(codec.encode(target).latent_dist.mode()).sample.clamp(-1, 1)
        return float(10 * torch.log10(4 / mse_loss(made, target)))


def blend(average: torch.nn.Module, current: torch.nn.Module, share: float) -> None:
    """Move the running average of the weights towards the current ones, keeping that share of it."""
    with torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), list(current.parameters()), 1 - share)


def _difference(made: Tensor, target: Tensor) -> Tensor:
    """Absolute difference of colours and of their steps to the neighbours, which keeps edges sharp."""
    down = l1_loss(made.diff(dim=-2), target.diff(dim=-2))
    across = l1_loss(made.diff(dim=-1), target.diff(dim=-1))
    return l1_loss(made, target) + down + across


def _crops(pictures: npt.NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator) -> Tensor:
    """Random squares of random pictures, cut along the grid of the latents."""
    settings = recipe.codec
    side = settings.crop * settings.stride
    places = rng.integers(recipe.latent_size - settings.crop + 1, size=(settings.batch, 2)) * settings.stride
    chosen = rng.integers(len(pictures), size=settings.batch)
    cut = [pictures[i, y : y + side, x : x + side] for i, (y, x) in zip(chosen, places, strict=True)]
    return _tensor(np.stack(cut))


def _tensor(pictures: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _drawings(recipe: Recipe, run: Run) -> npt.NDArray[np.uint8]:
    """The codec's drawings, made at its size once and then read from the folder."""
    path = run.folder / f"{recipe.latents_fingerprint()}-codec-drawings.npy"
    if not path.exists():
        specs = specs_of(recipe.seed, CODEC_STREAM, count=recipe.codec.drawings)
        run.say(f"drawing {len(specs)} products at {recipe.codec.size} pixels")
        pictures = np.stack(list(pictures_of(specs, size=recipe.codec.size, seed=recipe.seed)))
        write_atomically(path, lambda draft: np.save(draft, pictures, allow_pickle=False))
    loaded: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return loaded
