"""Check that every message has its Chinese: `python -m c2m.web.translations [--add ROOM]`."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import write_po

from c2m.web.i18n import TRANSLATIONS, read_catalogue

ROOT = Path(__file__).parents[2]
KEYWORDS = DEFAULT_KEYWORDS | {"lazy_gettext": None, "lazy_ngettext": (1, 2), "lazy_pgettext": ((1, "c"), 2)}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sdf]|\{(\w+)\}")
COMMAND_LINE = frozenset({"demo", "replay", "cli.py"})  # speak to a terminal, in English
GROUND = "web"  # holds the words of the ground floor and of the templates every room shares


def extract(root: Path = ROOT) -> Catalog:
    """Every message id in the code and the templates, with the places it stands at."""
    found = Catalog()
    sources = [("c2m", [("**.py", "python")]), ("templates", [("**.html", "jinja2"), ("**.txt", "jinja2")])]
    for folder, methods in sources:
        options = {pattern: {"encoding": "utf-8", "silent": "false", "trimmed": "true"} for pattern, _ in methods}
        for filename, line, ids, comments, context in extract_from_dir(
            root / folder, method_map=methods, options_map=options, keywords=KEYWORDS
        ):
            if filename.partition("/")[0] in COMMAND_LINE:
                continue
            found.add(ids, locations=[(f"{folder}/{filename}", line)], auto_comments=comments, context=context)
    return found


def placeholders(text: str) -> set[str]:
    """The names a message expects to be filled in."""
    return {percent or brace for percent, brace in PLACEHOLDER.findall(text)}


def texts(message: Message) -> list[str]:
    """A translated message's texts: one, or one per plural form."""
    return list(message.string) if isinstance(message.string, (tuple, list)) else [message.string or ""]


def source_text(message: Message) -> str:
    """A message id as one text; the plural stands for both forms."""
    return message.id[-1] if isinstance(message.id, (tuple, list)) else str(message.id)


def faults_of(message: Message) -> Iterator[str]:
    """What is wrong with one translation."""
    if message.fuzzy:
        yield "fuzzy"
    for text in texts(message):
        if not text.strip():
            yield "empty"
        elif placeholders(text) != placeholders(source_text(message)):
            yield f"placeholders differ: {sorted(placeholders(text) ^ placeholders(source_text(message)))}"


def find_faults(found: Catalog, rooms: list[Catalog]) -> list[str]:
    """One line for each message that is missing, faulty, contradicted between rooms or no longer used."""
    faults = []
    known: dict[object, tuple[str, list[str]]] = {}
    for room in rooms:
        for message in room:
            if not message.id:
                continue
            key = (source_text(message), message.context)
            faults += [f"{room.domain}: {fault}: {key[0]!r}" for fault in faults_of(message)]
            if found.get(message.id, message.context) is None:
                faults.append(f"{room.domain}: obsolete: {key[0]!r}")
            elsewhere = known.setdefault(key, (str(room.domain), texts(message)))
            if elsewhere[1] != texts(message):
                faults.append(f"{room.domain}: {elsewhere[0]} says it otherwise: {key[0]!r}")
        faults += [f"{room.domain}: obsolete: {source_text(message)!r}" for message in room.obsolete.values()]
    faults += [
        f"missing: {source_text(message)!r} ({message.locations[0][0]}:{message.locations[0][1]})"
        for message in found
        if message.id and (source_text(message), message.context) not in known
    ]
    return faults


def read_rooms(folder: Path = TRANSLATIONS / "zh") -> list[Catalog]:
    """Every room's Chinese catalogue."""
    return [read_catalogue(path) for path in sorted(folder.glob("*.po"))]


def room_of(location: str) -> str:
    """The room whose catalogue holds the words of a source file."""
    _, place, *deeper = Path(location).parts
    return place if deeper else {"styleguide.html": "styleguide"}.get(place, GROUND)


def add_missing(room: str, found: Catalog, folder: Path = TRANSLATIONS / "zh") -> int:
    """Append the room's ids that no catalogue has yet to its own, without words; how many were added."""
    known = {(source_text(message), message.context) for other in read_rooms(folder) for message in other}
    path = folder / f"{room}.po"
    catalogue = read_catalogue(path) if path.exists() else Catalog(locale="zh", domain=room, fuzzy=False)
    missing = [
        message
        for message in found
        if message.id
        and (source_text(message), message.context) not in known
        and room in {room_of(filename) for filename, _ in message.locations}
    ]
    for message in missing:
        catalogue.add(message.id, "", context=message.context)
    write_room(path, catalogue)
    return len(missing)


def write_room(path: Path, catalogue: Catalog) -> None:
    """Write a catalogue as a plain file: a short header, then ids and words."""
    body = BytesIO()
    write_po(body, catalogue, width=120, no_location=True, omit_header=True)
    header = f'# Chinese words of the room {catalogue.domain}\nmsgid ""\nmsgstr ""\n' + "".join(
        f'"{line}\\n"\n'
        for line in (
            "Language: zh",
            "Plural-Forms: nplurals=1; plural=0;",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
        )
    )
    path.write_bytes(header.encode() + b"\n" + body.getvalue())


def main(add: Annotated[str, typer.Option(help="Append missing ids to this room's catalogue.")] = "") -> None:
    """List what is untranslated, faulty or obsolete; exit 1 if anything is."""
    found = extract()
    if add:
        typer.echo(f"{add_missing(add, found)} ids added to {add}.po")
        return
    faults = find_faults(found, read_rooms())
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{sum(1 for message in found if message.id)} messages, all in Chinese")


if __name__ == "__main__":
    typer.run(main)
