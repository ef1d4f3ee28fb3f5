"""Two languages: English message ids in the code, one plain Chinese catalogue per room read at start."""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, request
from flask_babel import Babel, Domain, get_locale

LOCALES = ("zh", "en")
HOME_TIMEZONE = "Asia/Shanghai"
LOCALE_COOKIE = "locale"
TRANSLATIONS = Path(__file__).parents[1] / "translations"


def read_catalogue(room: Path, locale: str = "zh") -> Catalog:
    """One room's `.po` file as a catalogue; the file's stem names the room."""
    with room.open("rb") as lines:
        return read_po(lines, locale=locale, domain=room.stem, abort_invalid=True)


def merge_catalogues(rooms: list[Path], locale: str = "zh") -> Catalog:
    """All rooms' messages in one catalogue; where two rooms hold the same id, the first room's words stand."""
    merged = Catalog(locale=locale)
    for room in sorted(rooms):
        for message in read_catalogue(room, locale):
            if message.id and not message.fuzzy and merged.get(message.id, message.context) is None:
                merged.add(message.id, message.string, context=message.context)
    return merged


@cache
def translations(locale: str) -> NullTranslations:
    """The words of one locale; English is the language of the message ids and needs none."""
    rooms = list((TRANSLATIONS / locale).glob("*.po"))
    if not rooms:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, merge_catalogues(rooms, locale))
    compiled.seek(0)
    return Translations(compiled)


class RoomsDomain(Domain):  # type: ignore[misc]  # flask_babel is untyped
    """Translations joined from every room's catalogue instead of one compiled file."""

    def get_translations(self) -> NullTranslations:
        """The words for the present request's locale."""
        locale = get_locale()
        return NullTranslations() if locale is None else translations(locale.language)


class RoomsBabel(Babel):  # type: ignore[misc]
    """Flask-Babel whose default domain is the rooms' catalogues."""

    domain_instance = RoomsDomain()


def choose_locale() -> str:
    """The visitor's language: what they chose, else what the browser asks for, else Chinese."""
    chosen = request.cookies.get(LOCALE_COOKIE)
    if chosen in LOCALES:
        return chosen
    return request.accept_languages.best_match(LOCALES, default="zh")


def init_i18n(app: Flask) -> None:
    """Give the app two languages and Beijing time."""
    RoomsBabel(
        app, default_locale="zh", default_timezone=HOME_TIMEZONE, locale_selector=choose_locale, configure_jinja=True
    )
    translations("zh")
