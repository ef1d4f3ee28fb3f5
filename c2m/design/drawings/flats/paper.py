"""A sheet as a file: SVG for screens and cutting rooms, PNG for chats and spreadsheets."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from importlib.resources import files
from io import BytesIO

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

from c2m.design.drawings.canvas import dashes
from c2m.design.drawings.flats.sheet import INK, Line, Shape, Sheet, Words
from c2m.design.drawings.flats.tracing import Piece
from c2m.design.drawings.palette import Field

PAPER = "#ffffff"
_EDGE, _THIN = 1.7, 0.8
_FINE = 2  # a PNG is drawn this much larger and reduced, for smooth lines
_FAMILY = "'Noto Sans CJK SC','PingFang SC','Microsoft YaHei','Source Han Sans SC',sans-serif"
_TYPEFACE = (
    files("justmytype_intl_cjk") / "fonts/ofl/notosanssc/NotoSansSC[wght].ttf"
)  # OFL, the printed documents' too
_REGULAR, _STRONG = 400, 600


def svg(sheet: Sheet) -> str:
    """The sheet as SVG: lines, paper and words, nothing else."""
    body: list[str] = []
    for number, mark in enumerate(sheet.marks):
        if isinstance(mark, Shape):
            body.append(_shape_svg(mark.piece, f"c{number}"))
        elif isinstance(mark, Line):
            body.append(
                _path([np.array(mark.points)], f'fill="none" stroke="{mark.colour}" stroke-width="{mark.width}"')
            )
        elif mark.text:
            body.append(_words_svg(mark))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {sheet.width:g} {sheet.height:g}" '
        f'stroke-linejoin="round" stroke-linecap="round" font-family="{_FAMILY}">'
        f'<rect width="{sheet.width:g}" height="{sheet.height:g}" fill="{PAPER}"/>{"".join(body)}</svg>'
    )


def png(sheet: Sheet, *, width: int) -> bytes:
    """The sheet as PNG of that width in pixels."""
    scale = width * _FINE / sheet.width
    picture = Image.new("RGB", (width * _FINE, round(sheet.height * scale)), PAPER)
    for mark in sheet.marks:
        if isinstance(mark, Shape):
            _shape_png(picture, mark.piece, scale)
        elif isinstance(mark, Line):
            points = [(x * scale, y * scale) for x, y in mark.points]
            ImageDraw.Draw(picture).line(points, mark.colour, max(1, round(mark.width * scale)), joint="curve")
        else:
            _words_png(picture, mark, scale)
    file = BytesIO()
    picture.reduce(_FINE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _shape_svg(piece: Piece, name: str) -> str:
    drawn = ""
    if piece.outlines:
        outlines = (*piece.outlines, *piece.holes)
        rule = ' fill-rule="evenodd"' if piece.holes else ""
        drawn = _path(outlines, f'fill="none" stroke="{INK}" stroke-width="{2 * _EDGE}"', closed=True)
        drawn += _path(outlines, f'fill="{PAPER}"{rule}', closed=True)
    elif piece.is_band:
        drawn = _path(piece.lines, f'fill="none" stroke="{INK}" stroke-width="{piece.width + 2 * _THIN:.1f}"')
        drawn += _path(piece.lines, f'fill="none" stroke="{PAPER}" stroke-width="{piece.width:.1f}"')
    elif piece.lines:
        dash = f' stroke-dasharray="{piece.dash:.1f} {piece.dash * 0.7:.1f}"' if piece.dash else ""
        drawn = _path(piece.lines, f'fill="none" stroke="{INK}" stroke-width="{_THIN}"{dash}')
    for depth, other in enumerate(piece.within):
        clip = _path(other.outlines, "", closed=True)
        drawn = f'<clipPath id="{name}-{depth}">{clip}</clipPath><g clip-path="url(#{name}-{depth})">{drawn}</g>'
    return drawn


def _path(lines: Sequence[Field], looks: str, *, closed: bool = False) -> str:
    def one(line: Field) -> str:
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line.tolist()) + ("Z" if closed else "")

    return f'<path d="{"".join(one(line) for line in lines)}" {looks}/>'


def _words_svg(words: Words) -> str:
    weight = ' font-weight="600"' if words.bold else ""
    halo = f' stroke="{PAPER}" stroke-width="6" paint-order="stroke"' if words.box else ""
    return (
        f'<text x="{words.at[0]:.1f}" y="{words.at[1]:.1f}" font-size="{words.size:g}" text-anchor="{words.anchor}" '
        f'fill="{words.colour}"{weight}{halo}>{escape(words.text)}</text>'
    )


def _shape_png(picture: Image.Image, piece: Piece, scale: float) -> None:
    if not piece.within and not piece.holes:
        pen = ImageDraw.Draw(picture)
        _ink(pen, piece, scale, INK)
        _cover(pen, piece, scale, PAPER)
        return
    ink, paper = Image.new("L", picture.size), Image.new("L", picture.size)
    _ink(ImageDraw.Draw(ink), piece, scale, 255)
    _cover(ImageDraw.Draw(paper), piece, scale, 255)
    for hole in piece.holes:
        ImageDraw.Draw(paper).polygon(_pixels(hole, scale), 0)
    for other in piece.within:
        clip = Image.new("L", picture.size)
        _cover(ImageDraw.Draw(clip), other, scale, 255)
        ink, paper = ImageChops.multiply(ink, clip), ImageChops.multiply(paper, clip)
    picture.paste(INK, (0, 0), ink)
    picture.paste(PAPER, (0, 0), paper)


def _ink(pen: ImageDraw.ImageDraw, piece: Piece, scale: float, colour: str | int) -> None:
    for outline in (*piece.outlines, *piece.holes):
        points = _pixels(np.concatenate([outline, outline[:2]]), scale)
        pen.line(points, colour, round(2 * _EDGE * scale), joint="curve")
    wide = piece.width + 2 * _THIN if piece.is_band else _THIN
    for line in piece.lines:
        for stretch in dashes(line, piece.dash) if piece.dash else [line]:
            pen.line(_pixels(stretch, scale), colour, max(1, round(wide * scale)), joint="curve")


def _cover(pen: ImageDraw.ImageDraw, piece: Piece, scale: float, colour: str | int) -> None:
    for outline in piece.outlines:
        pen.polygon(_pixels(outline, scale), colour)
    for line in piece.lines if piece.is_band else ():
        pen.line(_pixels(line, scale), colour, round(piece.width * scale), joint="curve")


def _words_png(picture: Image.Image, words: Words, scale: float) -> None:
    pen, font = ImageDraw.Draw(picture), _font(round(words.size * scale), _STRONG if words.bold else _REGULAR)
    at = (words.at[0] * scale, words.at[1] * scale)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[words.anchor]
    if words.box:
        left, top, right, low = pen.textbbox(at, words.text, font=font, anchor=anchor)
        pen.rectangle((left - 3 * scale, top - 2 * scale, right + 3 * scale, low + 2 * scale), fill=PAPER)
    pen.text(at, words.text, fill=words.colour, font=font, anchor=anchor)


@lru_cache(maxsize=32)
def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    """The typeface, which knows Chinese on every machine, in that size in pixels."""
    font = ImageFont.truetype(BytesIO(_TYPEFACE.read_bytes()), size)
    font.set_variation_by_axes([weight])
    return font


def _pixels(points: Field, scale: float) -> list[tuple[float, float]]:
    return [(x * scale, y * scale) for x, y in points.tolist()]
