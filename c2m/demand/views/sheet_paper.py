"""A demand sheet as it is printed: what stands on its page, on A4, in one language."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from c2m.db import chunks
from c2m.demand.models import SheetQuestion
from c2m.demand.sheet_figures import Figures, Row, Version
from c2m.demand.sheet_reading import SheetReading
from c2m.demand.tech_packs import TechPack
from c2m.demand.upside import Upside
from c2m.demand.views.blueprint import category_name
from c2m.demand.views.further import how_right, rests_on
from c2m.demand.views.measuring import in_millimetres, measure_name
from c2m.design.categories import PROCESSES
from c2m.design.drawings.flats import drawing, png
from c2m.design.models import Picture, PictureKind
from c2m.design.routes import STEPS
from c2m.web.formats import day, in_language, moment, money, number, percent, pieces, remaining, titled
from c2m.web.printed import (
    Bar,
    Block,
    Cell,
    Column,
    Drawing,
    Entries,
    Fact,
    Heading,
    Masthead,
    Paper,
    Plate,
    Prose,
    Table,
)
from c2m.web.states import LOOKS

SIZES_ACROSS = 10  # more sizes go into a further table
SIZES_ABREAST = 4  # with more sizes, regions take the whole width
FLAT_PIXELS = 1000
BCP_47 = {"zh": "zh-CN", "en": "en"}


def paper_of(reading: SheetReading, picture: Picture | None, *, priced: bool, now: datetime) -> Paper:
    """A sheet on paper; without what buyers pay where that is not to be told."""
    sheet, name = reading.sheet, titled(reading.sheet)
    locale = get_locale()
    return Paper(
        title=f"{sheet.number} · {name}",
        author="c2m",
        language=BCP_47[locale.language if locale else "zh"],
        kind=_("Hot-product demand sheet"),
        number=f"{sheet.number} · {_('version %(number)s', number=reading.version)}",
        foot=_(
            "Printed %(moment)s, Beijing time · %(number)s · every piece is ordered and paid for into escrow",
            moment=moment(now),
            number=sheet.number,
        ),
        page_words=_("Page %(page)s of %(pages)s"),
        blocks=list(_blocks(reading, picture, priced=priced, now=now)),
    )


def _blocks(reading: SheetReading, picture: Picture | None, *, priced: bool, now: datetime) -> Iterator[Block]:
    yield _masthead(reading, picture, priced=priced, now=now)
    if reading.version < reading.sheet.version:
        version, issued = reading.version, day(reading.story.issued_at)
        said = _(
            "This is version %(number)s, as it was issued on %(day)s. A later one is in force.",
            number=version,
            day=issued,
        )
        yield Prose(said)
    yield from _variants(reading.figures)
    yield from _further(reading.upside)
    yield from _tech_pack(reading.pack)
    yield from _regions(reading.figures)
    yield from _drawing(reading.pack, reading.figures)
    yield from _questions(reading.questions)
    if len(reading.versions) > 1:
        yield from _versions(reading.versions)


def _masthead(reading: SheetReading, picture: Picture | None, *, priced: bool, now: datetime) -> Masthead:
    sheet, figures = reading.sheet, reading.figures
    name = titled(sheet)
    left_out = (
        _("%(quantity)s left out since the first version", quantity=number(reading.left_out))
        if reading.left_out
        else _("each in exactly one line")
    )
    facts = [
        Fact(_("Pieces"), number(figures.total.pieces), left_out),
        Fact(_("Target cost"), money(sheet.target_cost_minor, sheet.currency), _("a piece, at most")),
        Fact(
            _("Required by"),
            day(sheet.required_date),
            "" if sheet.required_date <= now else _("in %(time)s", time=remaining(sheet.required_date, now)),
        ),
        Fact(_("Quality"), sheet.quality_grade, _("accepted quality limit") if "AQL" in sheet.quality_grade else ""),
        Fact(_("Matching"), str(LOOKS[f"sheet.{reading.state}"].word)),
    ]
    if priced:
        facts.append(Fact(_("Buyers pay"), money(sheet.unit_price_minor, sheet.currency), _("a piece")))
    other = next((other for other in (sheet.title, sheet.title_en) if other and other != name), "")
    issued = _("issued %(moment)s", moment=moment(reading.story.issued_at))
    return Masthead(name, other, f"{category_name(sheet.category)} · {issued}", facts, _plate(picture))


def _plate(picture: Picture | None) -> Plate | None:
    if picture is None:
        return None
    said = "" if picture.kind is PictureKind.PHOTO else str(LOOKS[f"kind.{picture.kind.value}"].word)
    return Plate(picture.content, said)


def _variants(figures: Figures) -> Iterator[Block]:
    """Colours × sizes with sums and the size curve; many sizes in several tables."""
    yield Heading(_("Variants and size curve") if figures.has_sizes else _("Variants"))
    if not figures.has_sizes:
        rows = [_counted(in_language(row.name), row.pieces, figures.total.pieces) for row in figures.colours]
        columns = (Column(_("Colour"), 3, figures=False), Column(_("Pieces")), Column(_("Share")), Column("", 4, False))
        yield Table(columns, rows, sums=[[_("Total"), number(figures.total.pieces), "", ""]])
        return
    for sizes in chunks(figures.sizes, SIZES_ACROSS):
        yield _matrix(figures, sizes, closing=sizes[-1] == figures.sizes[-1])


def _matrix(figures: Figures, sizes: Sequence[str], *, closing: bool) -> Table:
    total, whole = figures.total, max(figures.total.pieces, 1)
    highest = max((n or 0 for n in total.by_size.values()), default=0) or 1
    columns = [Column(_("Colour"), 2.4, figures=False), *(Column(in_language(size)) for size in sizes)]
    rows: list[list[Cell]] = [
        [in_language(row.name), *(_cell(row.by_size[size]) for size in sizes)] for row in figures.colours
    ]
    counts = [total.by_size[size] or 0 for size in sizes]
    sums: list[list[Cell]] = [
        [_("Total"), *map(number, counts)],
        [_("Size curve"), *(Bar(count / highest, standing=True) for count in counts)],
        ["", *(percent(count / whole, 1) for count in counts)],
    ]
    if closing:
        columns.append(Column(_("Total"), 1.2))
        rows = [[*cells, number(row.pieces)] for cells, row in zip(rows, figures.colours, strict=True)]
        sums = [[*cells, end] for cells, end in zip(sums, (number(total.pieces), "", percent(1, 0)), strict=True)]
    return Table(columns, rows, sums)


def _tech_pack(pack: TechPack) -> Iterator[Block]:
    entries = []
    if pack.description:
        entries.append((_("Product, as its merchant says"), in_language(pack.description)))
    for making in pack.making:
        steps = " → ".join(_(STEPS[step]) for step in making.steps)
        entries.append((_(PROCESSES.get(making.process, making.process)), steps))
    entries.append((_("Inspection"), _("Sampling to %(grade)s, general level II", grade=pack.quality_grade)))
    if pack.pack_pieces > 1:
        entries.append((_("Packaging"), _("%(quantity)s a pack", quantity=pieces(pack.pack_pieces))))
    yield Heading(_("Tech pack"), _("What is not stated here has not been settled yet: ask on the sheet."))
    yield Entries(entries)


def _drawing(pack: TechPack, figures: Figures) -> Iterator[Block]:
    """The technical drawing of what buyers saw, with its points of measure."""
    if pack.flat is None:
        return
    yield Heading(
        _("Measurements"), _("In millimetres, of the sketch that buyers saw; the first article settles them.")
    )
    entries = [(f"{m.letter} · {measure_name(m)}", in_millimetres(m, figures.sizes)) for m in pack.flat.measurements]
    yield Drawing(Plate(png(drawing(pack.flat), width=FLAT_PIXELS)), entries)


def _regions(figures: Figures) -> Iterator[Block]:
    """Where the pieces go, in two columns of regions; many sizes take the whole width."""
    if not figures.regions:
        return
    yield Heading(_("Where it goes"))
    whole, sizes = figures.total.pieces, figures.sizes if figures.has_sizes else ()
    columns = [Column(_("Region"), 2, figures=False), Column(_("Pieces"), 1.2), Column(_("Share"), 1.2)]
    columns += [Column(in_language(size)) for size in sizes[:SIZES_ACROSS]] or [Column("", 2.5, figures=False)]
    rows = [_region(row, whole, sizes[:SIZES_ACROSS]) for row in figures.regions]
    if len(sizes) > SIZES_ABREAST:
        yield Table(columns, rows, dense=True)
        return
    half = -(-len(rows) // 2)
    empty: list[Cell] = [""] * len(columns)
    beside = [*rows[half:], *([empty] if len(rows) % 2 else [])]
    gap = Column("", 0.5, figures=False)
    yield Table([*columns, gap, *columns], [[*a, "", *b] for a, b in zip(rows[:half], beside, strict=True)], dense=True)


def _region(row: Row, whole: int, sizes: Sequence[str]) -> list[Cell]:
    name, share = in_language(row.name) or _("not given"), row.pieces / max(whole, 1)
    by_size: list[Cell] = [_cell(row.by_size[size] or 0) for size in sizes]
    return [name, number(row.pieces), percent(share, 1), *(by_size or [Bar(share)])]


def _further(upside: Upside | None) -> Iterator[Block]:
    """What may come on top, what that rests on, and how right it has been; or that nothing is known."""
    if upside is None:
        yield Heading(_("Further demand"))
        yield Prose(_("Nothing can be said yet of what more may be ordered."), quiet=True)
        return
    ahead = ngettext("%(num)s week", "%(num)s weeks", upside.weeks)
    yield Heading(_("Further demand"), _("the next %(weeks)s, if it can be had again", weeks=ahead))
    middle, high = pieces(upside.p50), pieces(upside.p90)
    said = _("Probably %(middle)s more; only one case in ten brings more than %(high)s.", middle=middle, high=high)
    yield Prose(f"{said} (P50, P90)")
    yield Prose(f"{rests_on(upside)} {how_right(upside)}", quiet=True)


def _questions(asked: Sequence[SheetQuestion]) -> Iterator[Block]:
    if not asked:
        return
    yield Heading(_("Questions and answers"), _("for every factory that sees this sheet"))
    question, answer, waits = _("Q"), _("A"), _("Not answered yet.")
    yield Entries([(day(q.asked_at), f"{question} · {q.words}\n{answer} · {q.answer or waits}") for q in asked])


def _versions(versions: Sequence[Version]) -> Iterator[Block]:
    yield Heading(_("Versions"))
    columns = (
        Column(_("Version"), 1, figures=False),
        Column(_("Issued"), 2, figures=False),
        Column(_("Pieces"), 1),
        Column("", 0.3, figures=False),
        Column(_("What changed"), 7, figures=False),
    )
    yield Table(columns, [[str(v.number), moment(v.issued_at), number(v.pieces), "", _changed(v)] for v in versions])


def _changed(version: Version) -> str:
    if not version.changes:
        return str(_("As confirmed at the close."))
    gone = [
        f"{in_language(change.colour)} {in_language(change.size)}".strip() + f" −{number(change.pieces)}"
        for change in version.changes
    ]
    return str(_("No factory made these, their buyers were refunded: %(list)s.", list=_(", ").join(gone)))


def _counted(name: str, count: int, whole: int) -> list[Cell]:
    share = count / max(whole, 1)
    return [name, number(count), percent(share, 1), Bar(share)]


def _cell(count: int | None) -> str:
    return "–" if count is None else number(count)
