"""The typeface of printed documents: Noto Sans SC (OFL) as it comes in a package, cut down to what is printed."""

from functools import lru_cache
from importlib.resources import as_file, files
from io import BytesIO

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

PACKAGE = "justmytype_intl_cjk"
FILE = "fonts/ofl/notosanssc/NotoSansSC[wght].ttf"
REGULAR, STRONG = 400, 600
POSTSCRIPT_NAME = 6


@lru_cache(maxsize=8)
def cut(characters: frozenset[str]) -> dict[int, bytes]:
    """The typeface with these characters alone: weight → TrueType file; one it hasn't prints as an empty box."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[ord(character) for character in characters | {" "}])
    with as_file(files(PACKAGE) / FILE) as path, TTFont(path, lazy=True) as whole:
        subsetter.subset(whole)
        variable = _file(whole)
    return {weight: _at_weight(variable, weight) for weight in (REGULAR, STRONG)}


def _at_weight(variable: bytes, weight: int) -> bytes:
    font = instancer.instantiateVariableFont(TTFont(BytesIO(variable)), {"wght": weight})
    for record in font["name"].names:
        if record.nameID == POSTSCRIPT_NAME:
            record.string = f"NotoSansSC-{weight}"  # readers tell typefaces apart by it
    return _file(font)


def _file(font: TTFont) -> bytes:
    written = BytesIO()
    font.save(written)
    return written.getvalue()
