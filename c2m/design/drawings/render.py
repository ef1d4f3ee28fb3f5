"""From a specification to a picture."""

import numpy as np
from PIL import Image

from c2m.design.drawings.canvas import Canvas, Pose
from c2m.design.drawings.categories import CATEGORIES
from c2m.design.drawings.finishes import FINISHES
from c2m.design.drawings.palette import BACKGROUNDS, COLOURS, to_srgb
from c2m.design.drawings.patterns import PATTERNS
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.spec import DrawingSpec

MIN_SIZE, MAX_SIZE = 64, 512


def draw(spec: DrawingSpec, *, size: int, seed: int) -> Image.Image:
    """A square RGB picture of the product; the same spec, size and seed give the same pixels.

    `size` is in pixels, 64…512 (ValueError otherwise). The seed decides pose, folds and grain, and nothing that the
    spec names.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise ValueError(f"A drawing is {MIN_SIZE} to {MAX_SIZE} pixels wide, not {size}.")
    rng = np.random.default_rng(seed)
    pose = Pose(
        turn=float(rng.normal(0, 0.022)),
        scale=float(rng.uniform(1.04, 1.12)),
        shift_x=float(rng.uniform(-0.016, 0.016)),
        shift_y=float(rng.uniform(-0.012, 0.012)),
    )
    canvas = Canvas(size, pose, form=rng, grain=np.random.default_rng((seed, 1)))
    scene = Scene(
        canvas,
        primary=COLOURS[spec.primary].linear,
        secondary=COLOURS[spec.secondary].linear,
        pattern=PATTERNS[spec.pattern],
        finish=FINISHES[spec.finish],
        shape=spec.shape,
        rng=rng,
    )
    CATEGORIES[spec.category].paint(scene)
    backdrop = scene.backdrop(BACKGROUNDS[spec.background])
    linear = canvas.rgb + backdrop * (1 - canvas.alpha[..., None])
    dither = (np.random.default_rng((seed, 2)).random((size, size, 1), dtype=np.float32) - 0.5) / 255
    return Image.fromarray(np.round((to_srgb(linear) + dither).clip(0, 1) * 255).astype(np.uint8))
