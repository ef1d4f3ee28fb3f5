"""The canvas: antialiased regions, soft relief and lit paint, all in the drawing's own units whatever the pixel size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from c2m.design.drawings.finishes import Finish
from c2m.design.drawings.lighting import Surface, light
from c2m.design.drawings.palette import Field

_COARSE = 128  # relief and shadows are smooth: computing them no finer keeps large pictures fast


@dataclass(frozen=True)
class Pose:
    """How the product lies before the camera: turn in radians, scale, and shift in picture widths."""

    turn: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0

    def to_picture(self, points: Field) -> Field:
        """Points of the drawing as points of the picture, 0…1."""
        cos, sin = np.cos(self.turn) * self.scale, np.sin(self.turn) * self.scale
        x, y = points[..., 0], points[..., 1]
        return np.stack([0.5 + self.shift_x + cos * x - sin * y, 0.5 + self.shift_y + sin * x + cos * y], axis=-1)

    def grid(self, size: int) -> tuple[Field, Field]:
        """The drawing's x and y at the centre of each pixel of a picture of that size."""
        centre = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
        px, py = centre[None, :] - self.shift_x, centre[:, None] - self.shift_y
        cos, sin = np.float32(np.cos(self.turn) / self.scale), np.float32(np.sin(self.turn) / self.scale)
        return cos * px + sin * py, cos * py - sin * px


class Canvas:
    """A picture in the making: linear light, premultiplied by coverage."""

    def __init__(self, size: int, pose: Pose, *, form: np.random.Generator, grain: np.random.Generator) -> None:
        self.size = size
        self.pose = pose
        self.form = form
        self.grain = grain
        self.pixel = 1 / (size * pose.scale)
        self.rgb = np.zeros((size, size, 3), dtype=np.float32)
        self.alpha = np.zeros((size, size), dtype=np.float32)
        self.x, self.y = pose.grid(size)
        self.coarse = min(size, _COARSE)
        self.coarse_x, self.coarse_y = pose.grid(self.coarse)
        self._supersample = 4 if size <= 256 else 3

    def region(self, *outlines: Field) -> Field:
        """Coverage 0…1 of the union of closed outlines."""
        drawing, scale = self._sheet()
        pen = ImageDraw.Draw(drawing)
        for outline in outlines:
            pen.polygon([tuple(p) for p in (self.pose.to_picture(outline) * scale - 0.5).tolist()], fill=255)
        return self._coverage(drawing)

    def stroke(self, *lines: Field, width: float, dash: float = 0.0) -> Field:
        """Coverage 0…1 of lines of that width with round ends, dashed into stitches of length `dash` if given."""
        drawing, scale = self._sheet()
        pen = ImageDraw.Draw(drawing)
        wide = width * self.pose.scale * scale
        for spine in lines:
            for piece in _dashes(spine, dash) if dash else [spine]:
                points = [tuple(p) for p in (self.pose.to_picture(piece) * scale - 0.5).tolist()]
                pen.line(points, fill=255, width=max(1, round(wide)), joint="curve")
                if wide > 4 and not dash:
                    for x, y in (points[0], points[-1]):
                        pen.ellipse((x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2), fill=255)
        thin = min(1.0, wide)
        return self._coverage(drawing) * thin

    def paint(
        self,
        region: Field,
        albedo: Field,
        finish: Finish,
        surface: Surface,
        *,
        texture: tuple[Field, Field] | None = None,
    ) -> None:
        """Lay a lit material over the region; `texture` gives its grain coordinates (default: the drawing's own)."""
        box = bounds(region)
        if box is None:
            return
        u, v = texture or (self.x, self.y)
        grain = finish.grain(u[box], v[box], self.pixel, self.grain)
        colour = albedo[box] if albedo.ndim == 3 else np.broadcast_to(albedo, (*grain.shape, 3))
        self.lay(region, light(colour, surface.cut(box), finish, grain), box)

    def lay(self, region: Field, colour: Field, box: tuple[slice, slice] | None = None) -> None:
        """Lay colour as it is, unlit, over the region; `colour` is one colour, or a field over `box`."""
        box = box or bounds(region)
        if box is None:
            return
        cover = region[box]
        self.rgb[box] += (colour - self.rgb[box]) * cover[..., None]
        self.alpha[box] += (1 - self.alpha[box]) * cover

    def darken(self, region: Field, strength: float) -> None:
        """Take light away from what is painted already (seams, openings, shade), 0…1."""
        box = bounds(region)
        if box is not None:
            self.rgb[box] *= (1 - strength * region[box])[..., None]

    def lighten(self, region: Field, strength: float) -> None:
        """Add white light to what is painted already (glints, stitches, lit edges), 0…1."""
        box = bounds(region)
        if box is not None:
            glow = (strength * region[box] * self.alpha[box])[..., None]
            self.rgb[box] += (1 - self.rgb[box]) * glow

    def shade(self, region: Field, *, dx: float = 0.012, dy: float = 0.018, blur: float = 0.014, strength: float = 0.5,
              within: Field | None = None) -> None:  # fmt: skip
        """The soft shadow a part throws on what lies beneath it (call before painting the part)."""
        shadow = self.blurred(region, blur, dx, dy)
        self.darken(shadow if within is None else shadow * within, strength)

    def blurred(self, region: Field, blur: float, dx: float = 0.0, dy: float = 0.0) -> Field:
        """The region out of focus, and shifted."""
        small = gaussian_filter(
            self.to_coarse(region), blur * self.coarse * self.pose.scale, mode="nearest", truncate=3
        )
        return self.to_fine(small, dx, dy)

    def relief(self, region: Field) -> "Relief":
        """A flat relief over the region, to be shaped."""
        return Relief(self, region)

    def flat(self) -> Surface:
        """A surface that faces the viewer everywhere."""
        none = np.zeros((self.size, self.size), dtype=np.float32)
        return Surface(none, none, np.ones_like(none))

    def to_coarse(self, fine: Field) -> Field:
        """A full-size field at relief resolution."""
        return _resized(fine, self.coarse, Image.Resampling.BOX)

    def to_fine(self, coarse: Field, dx: float = 0.0, dy: float = 0.0) -> Field:
        """A field at relief resolution at full size, shifted by a distance in the drawing."""
        if dx or dy:
            step = self.coarse * self.pose.scale
            coarse = _shifted(coarse, round(dy * step), round(dx * step))
        return _resized(coarse, self.size, Image.Resampling.BICUBIC)

    def _sheet(self) -> tuple[Image.Image, int]:
        scale = self.size * self._supersample
        return Image.new("L", (scale, scale)), scale

    def _coverage(self, drawing: Image.Image) -> Field:
        return np.asarray(drawing.reduce(self._supersample), dtype=np.float32) / 255


class Relief:
    """Height above the picture plane, shaped by rounding, folds and wrinkles; turned into a surface at the end."""

    def __init__(self, canvas: Canvas, region: Field) -> None:
        self._canvas = canvas
        self._mask = canvas.to_coarse(region)
        self._unit = canvas.coarse * canvas.pose.scale
        self.height: Field = np.zeros_like(self._mask)

    def round(self, radius: float, rise: float = 1.0) -> Self:
        """Round the rim over that radius, as stuffing or a moulded edge does; `rise` 1 is a quarter circle."""
        soft = gaussian_filter(self._mask, radius * self._unit * 0.5, mode="constant")
        inner = np.clip(2 * soft - 1, 0, 1)
        self.height = self.height + rise * radius * np.sqrt(1 - (1 - inner) ** 2 + 1e-4)
        return self

    def fold(self, line: Field, width: float, depth: float) -> Self:
        """A ridge (or a crease, of negative depth) along a line, fading at both ends."""
        x, y = self._canvas.coarse_x, self._canvas.coarse_y
        start, end = line[0], line[-1]
        along = end - start
        length = float(np.hypot(*along)) + 1e-6
        tangent = along / length
        t = ((x - start[0]) * tangent[0] + (y - start[1]) * tangent[1]) / length
        across = (y - start[1]) * tangent[0] - (x - start[0]) * tangent[1]
        if len(line) > 2:
            middle = line[len(line) // 2] - (start + end) / 2
            across = across - (middle[1] * tangent[0] - middle[0] * tangent[1]) * 4 * t * (1 - t)
        fade = np.clip(t * 1.15 + 0.075, 0, 1) * np.clip(1.075 - t * 1.15, 0, 1) * 4
        self.height = self.height + depth * np.clip(fade, 0, 1) * np.exp(-((across / width) ** 2))
        return self

    def wrinkles(self, depth: float, cells: int = 7, stretch: tuple[float, float] = (1, 1)) -> Self:
        """Irregular gentle waves, as cloth that was worn or hung shows."""
        grid = (max(2, round(cells * stretch[1])), max(2, round(cells * stretch[0])))
        noise = self._canvas.form.standard_normal(grid).astype(np.float32)
        side = self._canvas.coarse
        waves = Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)
        self.height = self.height + depth * np.asarray(waves)
        return self

    def add(self, height: Field) -> Self:
        """Any further height given at relief resolution (see Canvas.coarse_x, coarse_y)."""
        self.height = self.height + height
        return self

    def surface(self, occlusion: float = 1.0) -> Surface:
        """Slopes of the finished relief, and how far its hollows are shaded."""
        slope_y, slope_x = np.gradient(self.height, 1 / self._unit)
        around = gaussian_filter(self.height, 0.03 * self._unit, mode="nearest", truncate=3)
        openness = np.clip(1 - occlusion * 18 * (around - self.height) * self._mask, 0.35, 1.12)
        fine = self._canvas.to_fine
        return Surface(fine(slope_x.astype(np.float32)), fine(slope_y.astype(np.float32)), fine(openness))


def bounds(region: Field) -> tuple[slice, slice] | None:
    """The box of pixels that the region touches, or None if it touches none."""
    rows, columns = np.flatnonzero(region.max(axis=1) > 0.002), np.flatnonzero(region.max(axis=0) > 0.002)
    if not len(rows) or not len(columns):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _resized(field: Field, side: int, resampling: Image.Resampling) -> Field:
    if field.shape[0] == side:
        return field
    image = Image.fromarray(np.asarray(field, dtype=np.float32))
    return np.asarray(image.resize((side, side), resampling))


def _shifted(field: Field, down: int, right: int) -> Field:
    out = np.zeros_like(field)
    height, width = field.shape
    out[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = field[
        max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)
    ]
    return out


def _dashes(spine: Field, dash: float) -> Sequence[Field]:
    """The spine cut into stitches of that length with gaps of 0.7 of it."""
    steps = np.hypot(*np.diff(spine, axis=0).T)
    distance = np.concatenate([[0.0], np.cumsum(steps)])
    starts = np.arange(0, distance[-1], dash * 1.7)
    ends = np.minimum(starts + dash, distance[-1])

    def at(where: Field) -> Field:
        return np.stack([np.interp(where, distance, spine[:, 0]), np.interp(where, distance, spine[:, 1])], axis=1)

    return list(np.stack([at(starts), at(ends)], axis=1))
