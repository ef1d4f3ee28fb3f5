"""A contact sheet: many pictures with their prompts, for eyes to judge."""

import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

MARGIN, LINES, LINE_HEIGHT = 8, 3, 13
PAPER, INK = (255, 255, 255), (40, 44, 52)


def contact_sheet(pictures: Sequence[tuple[str, Image.Image]], *, across: int = 11, size: int = 160) -> Image.Image:
    """The pictures in rows, each over its prompt."""
    down = -(-len(pictures) // across)
    cell_height = size + LINES * LINE_HEIGHT + MARGIN
    sheet = Image.new("RGB", (across * (size + MARGIN) + MARGIN, down * (cell_height + MARGIN) + MARGIN), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    for place, (prompt, picture) in enumerate(pictures):
        left = MARGIN + place % across * (size + MARGIN)
        top = MARGIN + place // across * (cell_height + MARGIN)
        sheet.paste(picture.resize((size, size), Image.Resampling.LANCZOS), (left, top))
        lines = textwrap.wrap(prompt, 27)[:LINES]
        pen.multiline_text((left, top + size + 3), "\n".join(lines), fill=INK, font=font, spacing=1)
    return sheet
