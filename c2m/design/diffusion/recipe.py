"""The recipe of the embedded model: every number that decides what the training makes."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from c2m.design.diffusion.vocabulary import prompt_words

SMALL_MOTIFS = frozenset({"argyle", "dots", "floral", "leaves", "stars", "tartan", "waves"})


@dataclass(frozen=True)
class CodecRecipe:
    """Pictures to latents and back."""

    size: int = 256  # pixels of a picture
    stride: int = 16  # pixels of a latent's side
    channels: int = 24
    whitening: float = 0.5  # latents are divided by their standard deviation to this power
    widths: tuple[int, int, int] = (128, 96, 56)  # of the decoder, from 16 to 64 latent pixels
    fitting_drawings: int = 704
    drawings: int = 2816
    steps: int = 3000
    batch: int = 8
    crop: int = 8  # latents of a training crop's side
    rate: float = 1.5e-3
    noise: float = 0.25  # largest standard deviation of the noise on the latents

    def rate_at(self, step: int) -> float:
        """The learning rate: a warm-up, then a cosine down to nothing."""
        return self.rate * min(1.0, (step + 1) / 100) * (1 + math.cos(math.pi * step / self.steps)) / 2


@dataclass(frozen=True)
class TextRecipe:
    """Words to vectors."""

    width: int = 128
    layers: int = 2
    heads: int = 4
    tokens: int = 24


@dataclass(frozen=True)
class DenoiserRecipe:
    """The UNet and how it is trained."""

    widths: tuple[int, int, int] = (64, 128, 192)
    heads: int = 4
    groups: int = 16
    batch: int = 32
    rate: float = 6e-4
    warmup_steps: int = 300
    halving_steps: int = 12_000  # the rate has fallen to 1/√2 after so many steps
    cooling_from: int = 16_000  # the step from which on it falls to nothing, in a straight line,
    cooling_steps: int = 3_000  # within so many steps
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    empty_prompts: float = 0.1
    drawing_size: int = 128
    shard_drawings: int = 2048
    first_shards: int = 2
    shards: int = 40
    steps_per_shard: int = 200  # one shard more is used each time so many steps are done
    plain: float = 0.5  # how often a drawing without a pattern is learnt from, against one with stripes,
    motifs: float = 2.0  # and one with a pattern of small motifs, which is the hardest to learn

    def rate_at(self, step: int, *, begun: int = 0) -> float:
        """The learning rate: a warm-up from the step it was begun at, the inverse square root, a line to nothing."""
        decay = float((1 + step / self.halving_steps) ** -0.5)
        cooled = min(1.0, max(0.0, 1 - (step - self.cooling_from) / self.cooling_steps))
        return self.rate * min(1.0, (step - begun + 1) / self.warmup_steps) * decay * cooled

    def weight(self, pattern: str) -> float:
        """How often a drawing with that pattern is learnt from, against one with stripes."""
        return self.plain if pattern == "plain" else self.motifs if pattern in SMALL_MOTIFS else 1.0

    @property
    def samples(self) -> int:
        """Drawings seen once the rate has fallen to nothing."""
        return (self.cooling_from + self.cooling_steps) * self.batch

    def shards_at(self, step: int) -> int:
        """How many shards of drawings are in use at that step."""
        return min(self.shards, self.first_shards + step // self.steps_per_shard)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the embedded model, apart from the number of steps done so far."""

    seed: int = 20260
    codec: CodecRecipe = field(default_factory=CodecRecipe)
    text: TextRecipe = field(default_factory=TextRecipe)
    denoiser: DenoiserRecipe = field(default_factory=DenoiserRecipe)

    @property
    def latent_size(self) -> int:
        """Latents along a picture's side."""
        return self.codec.size // self.codec.stride

    def settings(self, part: str) -> dict[str, Any]:
        """What decides one part of the model, `codec` or `denoiser`, as JSON can hold it."""
        plain = asdict(self)
        if part == "codec":
            return {"seed": self.seed, "codec": plain["codec"]}
        words = digest(prompt_words())
        latents = self.latents_fingerprint()
        return {"seed": self.seed, "latents": latents, "words": words, **{k: plain[k] for k in ("text", "denoiser")}}

    def fingerprint(self, part: str) -> str:
        """Twelve hex digits that change with whatever decides that part of the model."""
        return digest(self.settings(part))

    def latents_fingerprint(self) -> str:
        """Twelve hex digits that change with whatever decides the drawings' latents."""
        codec, drawn = self.codec, self.denoiser
        encoder = (codec.size, codec.stride, codec.channels, codec.whitening, codec.fitting_drawings)
        return digest([self.seed, encoder, codec.drawings, drawn.drawing_size, drawn.shard_drawings])


def digest(plain: object) -> str:
    """Twelve hex digits of what JSON can hold."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def quick() -> Recipe:
    """A recipe of seconds, to try every command."""
    return Recipe(
        codec=CodecRecipe(
            size=128,
            channels=4,
            widths=(16, 16, 8),
            fitting_drawings=24,
            drawings=24,
            steps=8,
            batch=2,
            crop=4,
        ),
        text=TextRecipe(width=32, layers=1, heads=2),
        denoiser=DenoiserRecipe(
            widths=(16, 32, 32),
            heads=2,
            groups=8,
            batch=4,
            warmup_steps=2,
            drawing_size=64,
            shard_drawings=16,
            first_shards=1,
            shards=2,
            steps_per_shard=8,
        ),
    )
