"""The canvas: antialiased regions, soft relief and lit paint, in the drawing's own units whatever the pixel size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from c2m.design.drawings.finishes import Finish
from c2m.design.drawings.lighting import Surface, light
from c2m.design.drawings.palette import Field

_COARSE = 128  # relief and shadows are smooth: computing them no finer keeps large pictures fast

Box: TypeAlias = tuple[slice, slice]


class Ink(Protocol):
    """A colour that differs from place to place, worked out only where it is laid."""

    def within(self, box: Box) -> Field:
        """Linear colour of each pixel of the box."""
        ...


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
        return points @ np.array(((cos, sin), (-sin, cos))) + (0.5 + self.shift_x, 0.5 + self.shift_y)

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
        return self._drawn(outlines, 0.0, lambda pen, points: pen.polygon(points, fill=255))

    def stroke(self, *lines: Field, width: float, dash: float = 0.0) -> Field:
        """Coverage 0…1 of lines of that width with round ends, dashed into stitches of length `dash` if given."""
        pieces = [piece for line in lines for piece in dashes(line, dash)] if dash else lines
        wide = width * self.pose.scale * self.size * self._supersample

        def draw(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]]) -> None:
            pen.line(points, fill=255, width=max(1, round(wide)), joint="curve")
            if wide > 4 and not dash:
                for x, y in (points[0], points[-1]):
                    pen.ellipse((x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2), fill=255)

        return self._drawn(pieces, width, draw) * np.float32(min(1.0, wide))

    def paint(
        self,
        region: Field,
        ink: "Field | Ink",
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
        if isinstance(ink, np.ndarray):
            colour = ink[box] if ink.ndim == 3 else np.broadcast_to(ink, (*grain.shape, 3))
        else:
            colour = ink.within(box)
        self.lay(region, light(colour, surface.cut(box), finish, grain), box)

    def lay(self, region: Field, colour: Field, box: Box | None = None) -> None:
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

    def shade(
        self,
        region: Field,
        *,
        dx: float = 0.012,
        dy: float = 0.018,
        blur: float = 0.014,
        strength: float = 0.5,
        within: Field | None = None,
    ) -> None:
        """The soft shadow a part throws on what lies beneath it (call before painting the part)."""
        shadow = self.blurred(region, blur, dx, dy)
        self.darken(shadow if within is None else shadow * within, strength)

    def blurred(self, region: Field, blur: float, dx: float = 0.0, dy: float = 0.0) -> Field:
        """The region out of focus, and shifted."""
        small = self.to_coarse(region)
        box = bounds(small)
        if box is None:
            return region
        step = self.coarse * self.pose.scale
        box = _widened(box, 2 + round((3 * blur + max(abs(dx), abs(dy))) * step), self.coarse)
        out = np.zeros_like(small)
        soft = _softened(small[box], blur * step, mode="nearest", truncate=3)
        out[box] = _shifted(soft, round(dy * step), round(dx * step))
        return self.to_fine(out, box)

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

    def to_fine(self, coarse: Field, box: Box | None = None) -> Field:
        """A field at relief resolution at full size; with a box, only what lies within it, and zero elsewhere."""
        if self.coarse == self.size:
            return coarse
        if box is None:
            return _resized(coarse, self.size, Image.Resampling.BICUBIC)
        ratio = self.size / self.coarse
        rows, columns = (slice(int(np.ceil(part.start * ratio)), int(part.stop * ratio)) for part in box)
        window = (columns.start / ratio, rows.start / ratio, columns.stop / ratio, rows.stop / ratio)
        image = Image.fromarray(np.asarray(coarse, dtype=np.float32))
        side = (columns.stop - columns.start, rows.stop - rows.start)
        out = np.zeros((self.size, self.size), dtype=np.float32)
        out[rows, columns] = np.asarray(image.resize(side, Image.Resampling.BICUBIC, box=window))
        return out

    def _drawn(
        self,
        outlines: Sequence[Field],
        margin: float,
        draw: Callable[[ImageDraw.ImageDraw, list[tuple[float, float]]], None],
    ) -> Field:
        cover = np.zeros((self.size, self.size), dtype=np.float32)
        if not outlines:
            return cover
        corners = self.pose.to_picture(np.concatenate(outlines)) * self.size
        reach = margin * self.pose.scale * self.size + 1
        low = np.clip(np.floor(corners.min(axis=0) - reach), 0, self.size).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0) + reach), 0, self.size).astype(int)
        if (high <= low).any():
            return cover
        scale = self._supersample
        wide, tall = (int(n) for n in (high - low) * scale)
        sheet = Image.new("L", (wide, tall))
        pen = ImageDraw.Draw(sheet)
        points = [(x, y) for x, y in ((corners - low) * scale - 0.5).tolist()]
        begin = 0
        for outline in outlines:
            draw(pen, points[begin : begin + len(outline)])
            begin += len(outline)
        cover[low[1] : high[1], low[0] : high[0]] = np.asarray(sheet.reduce(scale), dtype=np.float32) / 255
        return cover


class Relief:
    """Height above the picture plane, shaped by rounding, folds and wrinkles; turned into a surface at the end."""

    def __init__(self, canvas: Canvas, region: Field) -> None:
        self._canvas = canvas
        self._unit = canvas.coarse * canvas.pose.scale
        mask = canvas.to_coarse(region)
        self._box = _widened(bounds(mask) or (slice(0, 1), slice(0, 1)), 3, canvas.coarse)
        self._mask = mask[self._box]
        self.x, self.y = canvas.coarse_x[self._box], canvas.coarse_y[self._box]
        self.height: Field = np.zeros_like(self._mask)

    def round(self, radius: float, rise: float = 1.0) -> Self:
        """Round the rim over that radius, as stuffing or a moulded edge does; `rise` 1 is a quarter circle."""
        soft = _softened(self._mask, radius * self._unit * 0.5, mode="constant", truncate=3)
        inner = np.clip(2 * soft - 1, 0, 1)
        self.height = self.height + np.float32(rise * radius) * np.sqrt(1 - (1 - inner) ** 2 + 1e-4)
        return self

    def fold(self, line: Field, width: float, depth: float) -> Self:
        """A ridge (or a crease, of negative depth) along a line, fading at both ends."""
        start, end = line[0], line[-1]
        along = end - start
        length = float(np.hypot(*along)) + 1e-6
        tx, ty = (float(part) / length for part in along)
        from_x, from_y = self.x - np.float32(start[0]), self.y - np.float32(start[1])
        t = (from_x * tx + from_y * ty) / length
        across = from_y * tx - from_x * ty
        if len(line) > 2:
            middle = line[len(line) // 2] - (start + end) / 2
            across = across - float(middle[1] * tx - middle[0] * ty) * 4 * t * (1 - t)
        fade = np.clip((t * 1.15 + 0.075) * (1.075 - t * 1.15) * 4, 0, 1)
        self.height = self.height + depth * fade * np.exp(-((across / width) ** 2))
        return self

    def wrinkles(self, depth: float, cells: int = 5) -> Self:
        """Irregular gentle waves in two octaves, as cloth that was worn or hung shows."""
        form, fine = self._canvas.form, 2 * cells + 1
        broad = Image.fromarray(form.standard_normal((cells, cells), dtype=np.float32))
        waves = np.asarray(broad.resize((fine, fine), Image.Resampling.BICUBIC))
        waves = waves + np.float32(0.4) * form.standard_normal((fine, fine), dtype=np.float32)
        rows, columns = self._box
        ratio = fine / self._canvas.coarse
        window = (columns.start * ratio, rows.start * ratio, columns.stop * ratio, rows.stop * ratio)
        side = (columns.stop - columns.start, rows.stop - rows.start)
        spread = Image.fromarray(waves).resize(side, Image.Resampling.BICUBIC, box=window)
        self.height = self.height + np.float32(depth) * np.asarray(spread)
        return self

    def add(self, height: Field) -> Self:
        """Any further height, given over the relief's own x and y."""
        self.height = self.height + height
        return self

    def surface(self, occlusion: float = 1.0) -> Surface:
        """Slopes of the finished relief, and how far its hollows are shaded."""
        slope_y, slope_x = (np.asarray(s) for s in np.gradient(self.height.astype(np.float32), 1 / self._unit))
        around = _softened(self.height, 0.03 * self._unit, mode="nearest", truncate=2)
        openness = np.clip(1 - occlusion * 18 * (around - self.height) * self._mask, 0.35, 1.12)
        return Surface(self._placed(slope_x), self._placed(slope_y), 1 + self._placed(np.asarray(openness - 1)))

    def _placed(self, part: Field) -> Field:
        whole = np.zeros((self._canvas.coarse, self._canvas.coarse), dtype=np.float32)
        whole[self._box] = part
        return self._canvas.to_fine(whole, self._box)


def bounds(region: Field) -> Box | None:
    """The box of pixels that the region touches, or None if it touches none."""
    rows = np.flatnonzero(region.max(axis=1) > 0.002)
    if not len(rows):
        return None
    down = slice(int(rows[0]), int(rows[-1]) + 1)
    columns = np.flatnonzero(region[down].max(axis=0) > 0.002)
    return down, slice(int(columns[0]), int(columns[-1]) + 1)


def _widened(box: Box, margin: int, side: int) -> Box:
    rows, columns = (slice(max(0, part.start - margin), min(side, part.stop + margin)) for part in box)
    return rows, columns


def _softened(field: Field, sigma: float, *, mode: str, truncate: float) -> Field:
    from scipy.ndimage import gaussian_filter  # slow to load, and the web only needs the names of the drawings

    return np.asarray(gaussian_filter(field, sigma, mode=mode, truncate=truncate))


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


def dashes(spine: Field, dash: float) -> Sequence[Field]:
    """The spine cut into stitches of that length with gaps of 0.7 of it."""
    steps = np.hypot(*np.diff(spine, axis=0).T)
    distance = np.concatenate([[0.0], np.cumsum(steps)])
    starts = np.arange(0, distance[-1], dash * 1.7)
    ends = np.minimum(starts + dash, distance[-1])

    def at(where: Field) -> Field:
        return np.stack([np.interp(where, distance, spine[:, 0]), np.interp(where, distance, spine[:, 1])], axis=1)

    return list(np.stack([at(starts), at(ends)], axis=1))
