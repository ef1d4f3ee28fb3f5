"""A scene: one product before the camera, with its colours, finish and pattern resolved for the drawing functions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from c2m.design.drawings.canvas import Box, Canvas
from c2m.design.drawings.finishes import FINISHES, Finish
from c2m.design.drawings.lighting import Surface, smoothstep
from c2m.design.drawings.palette import Background, Field
from c2m.design.drawings.patterns import Pattern


@dataclass(frozen=True)
class Ground:
    """Where a standing product touches the floor: height of the contact, middle, and half its width."""

    y: float
    x: float
    half_width: float


@dataclass(frozen=True)
class Print:
    """A two-colour pattern on a surface."""

    primary: Field
    secondary: Field
    pattern: Pattern
    u: Field
    v: Field
    repeat: float
    pixel: float

    def within(self, box: Box) -> Field:
        """Linear colour of each pixel of the box."""
        u, v = self.u[box] / np.float32(self.repeat), self.v[box] / np.float32(self.repeat)
        share = self.pattern.field(u, v, 1.15 * self.pixel / self.repeat)[..., None]
        return self.primary + (self.secondary - self.primary) * share

    def dimmed(self, light: float) -> "Print":
        """The same print with less light on it."""
        return replace(self, primary=self.primary * np.float32(light), secondary=self.secondary * np.float32(light))


class Scene:
    """Everything a category needs to draw itself."""

    def __init__(
        self,
        canvas: Canvas,
        *,
        primary: Field,
        secondary: Field,
        pattern: Pattern,
        finish: Finish,
        shape: Mapping[str, float | str],
        rng: np.random.Generator,
    ) -> None:
        self.canvas = canvas
        self.primary = primary
        self.secondary = secondary
        self.pattern = pattern
        self.finish = finish
        self.rng = rng
        self._shape = shape
        self._ground: Ground | None = None

    def number(self, name: str) -> float:
        """A shape parameter that is a number."""
        return float(self._shape[name])

    def choice(self, name: str) -> str:
        """A shape parameter that is one of a few names."""
        return str(self._shape[name])

    def stand(self, y: float, half_width: float, x: float = 0.0) -> None:
        """The product stands on the floor there (without this call it lies on the backdrop)."""
        self._ground = Ground(y, x, half_width)

    @property
    def accent(self) -> Field:
        """The colour of trims: the secondary colour, whatever the pattern."""
        return self.secondary

    def printed(self, u: Field, v: Field, repeat: float = 0.09) -> "Print":
        """The pattern printed in both colours over surface coordinates, one repeat every `repeat` units."""
        return Print(self.primary, self.secondary, self.pattern, u, v, repeat, self.canvas.pixel)

    def draped(self, surface: Surface, u: Field | None = None, v: Field | None = None, repeat: float = 0.09) -> "Print":
        """The pattern on cloth, drawn in and out by its folds."""
        across = self.canvas.x if u is None else u
        down = self.canvas.y if v is None else v
        pull_x, pull_y = np.clip(surface.slope_x, -0.9, 0.9), np.clip(surface.slope_y, -0.9, 0.9)
        return self.printed(across + np.float32(0.007) * pull_x, down + np.float32(0.006) * pull_y, repeat)

    def jitter(self, amount: float) -> float:
        """A small random number of that standard size, cut at twice of it."""
        return float(np.clip(self.rng.normal(0, amount), -2 * amount, 2 * amount))

    def backdrop(self, background: Background) -> Field:
        """The studio behind the product with the shadow it throws, as linear light."""
        size = self.canvas.size
        wall, floor = background.linear_pair()
        down = ((np.arange(size, dtype=np.float32) + 0.5) / size)[:, None]
        across = ((np.arange(size, dtype=np.float32) + 0.5) / size)[None, :]
        level = 0.62 if self._ground is None else 0.5 + self.canvas.pose.shift_y + self._ground.y - 0.10
        mix = smoothstep(level - 0.28, level + 0.22, down) + 0 * across
        glow = 1.04 - 0.20 * ((across - 0.40) ** 2 + (down - 0.42) ** 2)
        sweep = (wall + (floor - wall) * mix[..., None]) * glow[..., None]
        shade = self._standing_shadow(self._ground) if self._ground else self._lying_shadow()
        cool = np.array((0.92, 0.95, 1.0), dtype=np.float32)
        return np.asarray(sweep * (1 - shade[..., None] * (1 - 0.16 * cool)))

    def _lying_shadow(self) -> Field:
        canvas = self.canvas
        near = canvas.blurred(canvas.alpha, 0.010, 0.006, 0.010)
        far = canvas.blurred(canvas.alpha, 0.032, 0.022, 0.036)
        return np.clip(0.30 * near + 0.30 * far, 0, 1)

    def _standing_shadow(self, ground: Ground) -> Field:
        canvas, half = self.canvas, ground.half_width
        x, y = canvas.coarse_x - ground.x, canvas.coarse_y - ground.y

        def pool(cx: float, cy: float, rx: float, ry: float, power: float) -> Field:
            return np.asarray(np.clip(1 - np.hypot((x - cx) / rx, (y - cy) / ry), 0, 1) ** power)

        contact = pool(0, -0.006, half * 1.1, 0.022 + 0.035 * half, 0.6)
        soft = pool(half * 0.15, 0.004, half * 1.6, 0.05 + 0.12 * half, 1.2)
        thrown = pool(half * 0.85, -0.012, half * 1.9, 0.050 + 0.12 * half, 1.4)
        return canvas.to_fine(np.clip(0.62 * contact + 0.42 * soft + 0.26 * thrown, 0, 0.86).astype(np.float32))

    def made_of(self, finish: str) -> Finish:
        """A finish for a part that is always made of the same stuff (rubber soles, brass rings)."""
        return FINISHES[finish]
