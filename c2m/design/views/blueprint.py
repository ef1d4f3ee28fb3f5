"""The blueprint design's pages register with, and how its names are written on a page."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from flask import Blueprint, g
from flask_babel import get_locale

from c2m.design import pictures
from c2m.design.drawings import COLOURS, PATTERNS
from c2m.design.drawings.names import Named
from c2m.design.models import PictureKind
from c2m.web.context import db_session

blueprint = Blueprint("design", "c2m.design")


@blueprint.app_template_filter("colour_names")
def colour_names(names: Iterable[str]) -> list[str]:
    """What colours of the palette are called in the reader's language."""
    return [_named(name, COLOURS) for name in names]


@blueprint.app_template_filter("pattern_name")
def pattern_name(name: str) -> str:
    """What a pattern is called in the reader's language."""
    return _named(name, PATTERNS)


@blueprint.app_template_filter("colour_name")
def colour_name(name: str) -> str:
    """What a colour of the palette is called in the reader's language."""
    return _named(name, COLOURS)


@blueprint.app_template_global("kind_of")
def kind_of(picture_id: UUID) -> PictureKind:
    """What kind of picture it is, asked once a request."""
    known: dict[UUID, PictureKind] = g.setdefault("kinds_of_pictures", {})
    if picture_id not in known:
        known[picture_id] = pictures.kind_of(db_session(), picture_id)
    return known[picture_id]


@blueprint.app_template_filter("reader_name")
def in_reader_language(thing: Named) -> str:
    """The name of something registered, in the reader's language."""
    locale = get_locale()
    return thing.en if locale is not None and locale.language == "en" else thing.zh


def _named(name: str, known: Mapping[str, Named]) -> str:
    return in_reader_language(known[name]) if name in known else name
