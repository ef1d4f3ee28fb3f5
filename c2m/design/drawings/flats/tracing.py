"""A product drawn as lines: the renderer's own drawing functions on a canvas that keeps outlines, not light."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from c2m.design.drawings.canvas import Box, Canvas, Ink, Pose
from c2m.design.drawings.categories import CATEGORIES
from c2m.design.drawings.finishes import FINISHES, Finish
from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import ellipse
from c2m.design.drawings.palette import COLOURS, Field
from c2m.design.drawings.patterns import PATTERNS
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.spec import DrawingSpec

_SIDE = 64  # the light that is worked out is thrown away, so as few pixels as a canvas takes
_BAND = 0.009  # picture widths: a line as wide as this has two edges

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Piece:
    """One thing that was laid on the drawing: closed outlines with their holes, or lines of some width."""

    outlines: tuple[Field, ...] = ()
    holes: tuple[Field, ...] = ()
    lines: tuple[Field, ...] = ()
    width: float = 0.0
    dash: float = 0.0
    within: "tuple[Piece, ...]" = ()

    @property
    def is_band(self) -> bool:
        """Whether its lines are wide enough to be drawn as two edges."""
        return self.width >= _BAND and not self.dash

    def joined(self, other: "Piece") -> "Piece":
        """Both as one, without the line between them; a round cap at the end of a bar comes as a dot of that width."""
        dots = [ellipse(float(line[0][0]), float(line[0][1]), other.width / 2, other.width / 2) for line in other.lines]
        return replace(self, outlines=(*self.outlines, *other.outlines, *dots))

    def cut_out(self, other: "Piece") -> "Piece":
        """This piece with the other as a hole in it."""
        return replace(self, holes=(*self.holes, *other.outlines))

    def kept_within(self, other: "Piece") -> "Piece":
        """As much of this piece as lies on the other."""
        return replace(self, within=(*self.within, other))


class Traced(np.ndarray):
    """Coverage that knows the piece it came from, as long as nothing but pieces and numbers act on it."""

    piece: Piece | None

    def __array_finalize__(self, source: object) -> None:
        self.piece = None

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """The plain result; traced where it means a part of a piece, a union or a hole."""
        plain = [np.asarray(part) for part in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        piece = _combined(ufunc, inputs) if method == "__call__" else None
        return traced(result, piece) if piece else result


_COMBINING: dict[object, Callable[[Piece, Piece], Piece]] = {
    np.multiply: Piece.kept_within,
    np.maximum: Piece.joined,
    np.subtract: Piece.cut_out,
}


def _combined(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Piece | None:
    first = inputs[0].piece if isinstance(inputs[0], Traced) else None
    if first is None or len(inputs) != 2:
        return None
    second = inputs[1].piece if isinstance(inputs[1], Traced) else None
    if second is not None and ufunc in _COMBINING:
        return _COMBINING[ufunc](first, second)
    return first if ufunc is np.multiply and np.ndim(inputs[1]) == 0 else None


def traced(coverage: Field, piece: Piece) -> Traced:
    """The coverage, with the piece it is of."""
    known = np.asarray(coverage).view(Traced)
    known.piece = piece
    return known


class TracingCanvas(Canvas):
    """A canvas that keeps what is laid on it as pieces, from back to front."""

    def __init__(self) -> None:
        still = np.random.default_rng(0)
        super().__init__(_SIDE, Pose(), form=still, grain=still)
        self.pieces: list[Piece] = []

    def region(self, *outlines: Field) -> Field:
        """Coverage of closed outlines, traced."""
        return traced(super().region(*outlines), Piece(outlines=outlines))

    def stroke(self, *lines: Field, width: float, dash: float = 0.0) -> Field:
        """Coverage of lines, traced."""
        cover = super().stroke(*lines, width=width, dash=dash)
        return traced(cover, Piece(lines=lines, width=width, dash=dash))

    def paint(
        self,
        region: Field,
        ink: "Field | Ink",
        finish: Finish,
        surface: Surface,
        *,
        texture: tuple[Field, Field] | None = None,
    ) -> None:
        """Keep the piece; nothing is lit."""
        self._keep(region)

    def lay(self, region: Field, colour: Field, box: Box | None = None) -> None:
        """Keep the piece."""
        self._keep(region)

    def darken(self, region: Field, strength: float) -> None:
        """Keep seams, stitches and holes; shade is no piece and goes."""
        self._keep(region)

    def lighten(self, region: Field, strength: float) -> None:
        """Glints are no lines."""

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
        """Shadows are no lines."""

    def _keep(self, region: Field) -> None:
        if isinstance(region, Traced) and region.piece:
            self.pieces.append(region.piece)


class StillScene(Scene):
    """A scene in which nothing is left to chance: a technical drawing is the same for everyone."""

    def jitter(self, amount: float) -> float:
        """None."""
        return 0.0


@dataclass(frozen=True)
class Draft:
    """A product's pieces from back to front in picture widths, its shape, and probes of where its edges are."""

    pieces: tuple[Piece, ...]
    spec: DrawingSpec

    def number(self, name: str) -> float:
        """A shape parameter that is a number."""
        return float(self.spec.shape[name])

    def choice(self, name: str) -> str:
        """A shape parameter that is one of a few names."""
        return str(self.spec.shape[name])

    def across(self, x: float, y: float) -> tuple[Point, Point]:
        """The left and right edge, at that height, of the foremost piece at (x, y)."""
        left, right = _crossings(self._piece_at(x, y), level=y, axis=1, middle=x)
        return (left, y), (right, y)

    def down(self, x: float, y: float) -> tuple[Point, Point]:
        """The upper and lower edge, above and below that point, of the foremost piece there."""
        top, low = _crossings(self._piece_at(x, y), level=x, axis=0, middle=y)
        return (x, top), (x, low)

    def extent(self) -> tuple[Point, Point]:
        """The upper left and lower right corner of the box around everything drawn."""
        points = np.concatenate([edge for piece in self.pieces if not piece.within for edge in _edges(piece)])
        (left, top), (right, low) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return (left, top), (right, low)

    def _piece_at(self, x: float, y: float) -> Piece:
        """Raises ValueError where nothing was drawn."""
        for piece in reversed(self.pieces):
            if not piece.within and any(_holds(outline, x, y) for outline in piece.outlines):
                return piece
        raise ValueError(f"Nothing of the {self.spec.category} is drawn at ({x:.3f}, {y:.3f}).")


def draft(spec: DrawingSpec) -> Draft:
    """The product as pieces, drawn by its category's own function."""
    canvas = TracingCanvas()
    scene = StillScene(
        canvas,
        primary=COLOURS[spec.primary].linear,
        secondary=COLOURS[spec.secondary].linear,
        pattern=PATTERNS[spec.pattern],
        finish=FINISHES[spec.finish],
        shape=spec.shape,
        rng=np.random.default_rng(0),
    )
    CATEGORIES[spec.category].paint(scene)
    return Draft(tuple(canvas.pieces), spec)


def _edges(piece: Piece) -> tuple[Field, ...]:
    return (*piece.outlines, *piece.lines)


def _holds(outline: Field, x: float, y: float) -> bool:
    ahead = np.roll(outline, -1, axis=0)
    spans = (outline[:, 1] > y) != (ahead[:, 1] > y)
    start, end = outline[spans], ahead[spans]
    where = start[:, 0] + (y - start[:, 1]) / (end[:, 1] - start[:, 1]) * (end[:, 0] - start[:, 0])
    return bool((where > x).sum() % 2)


def _crossings(piece: Piece, *, level: float, axis: int, middle: float) -> tuple[float, float]:
    """Where its edges meet the line at that level, nearest to the middle on either side."""
    found: list[float] = []
    for outline in piece.outlines:
        ahead = np.roll(outline, -1, axis=0)
        spans = (outline[:, axis] > level) != (ahead[:, axis] > level)
        start, end = outline[spans], ahead[spans]
        share = (level - start[:, axis]) / (end[:, axis] - start[:, axis])
        found += (start[:, 1 - axis] + share * (end[:, 1 - axis] - start[:, 1 - axis])).tolist()
    return max(at for at in found if at <= middle), min(at for at in found if at > middle)
