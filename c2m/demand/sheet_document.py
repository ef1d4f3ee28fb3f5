"""A demand sheet as a JSON document: what its fields mean stands in the schema that is served with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from c2m.demand.sheet_comparison import Comparison
from c2m.demand.sheet_figures import Row, Version
from c2m.demand.sheet_reading import SheetReading
from c2m.demand.tech_packs import TechPack, measures
from c2m.demand.upside import Upside

SCHEMA_VERSION: Literal["1.1"] = "1.1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SheetLineDocument(_Part):
    """Pieces of one variant."""

    colour: str
    size: str = Field(description="Empty where the product has no sizes.")
    quantity: int = Field(ge=0)


class SizeDocument(_Part):
    """A point of the size curve."""

    size: str
    quantity: int = Field(ge=0)
    share: float = Field(ge=0, le=1, description="Of all pieces of this version.")


class RegionDocument(_Part):
    """Pieces that go to one region, by size."""

    region: str = Field(description="Empty where no buyer named one.")
    quantity: int = Field(ge=0)
    sizes: dict[str, int]


class ChangeDocument(_Part):
    """Pieces of one variant that a version left out."""

    colour: str
    size: str
    quantity: int = Field(gt=0)


class VersionDocument(_Part):
    """A version of the sheet; all but the first leave out pieces that no factory will make."""

    version: int = Field(ge=1)
    issued_at: datetime
    quantity: int = Field(ge=0)
    left_out: list[ChangeDocument]


class MakingDocument(_Part):
    """A process the product needs."""

    process: str
    steps: list[str] = Field(description="In order.")


class MeasurementDocument(_Part):
    """A point of measure of the sketch that buyers saw, to be confirmed with the first article."""

    letter: str = Field(description="On the drawing.")
    name: str
    name_en: str
    millimetres: dict[str, int] = Field(description="By size; under an empty name in the usual one.")
    tolerance_mm: int


class TechPackDocument(_Part):
    """How the product is to be made, as far as its merchant and the catalogue say it."""

    description: str = Field(description="The merchant's own words, in one language or both, a line each.")
    making: list[MakingDocument]
    quality_grade: str
    pack_pieces: int = Field(ge=1, description="Pieces packed together.")
    measurements: list[MeasurementDocument]


class UpsideDocument(_Part):
    """Further pieces the coming weeks may bring were the product on offer on; nobody has ordered them yet."""

    made_at: datetime
    weeks: int = Field(description="How many weeks ahead.")
    p50: int = Field(description="More than this in one case of two.")
    p90: int = Field(description="More than this in one case of ten.")
    basis: Literal["own", "both", "alike"] = Field(
        description="own: the product's own weeks; both: few of them beside campaigns like it; alike: those alone."
    )
    weeks_known: int = Field(ge=0, description="Weeks in which the product could be had.")
    campaigns: int = Field(ge=0, description="Of this product, all rounds.")
    campaigns_alike: int = Field(ge=0, description="Finished campaigns that stand in for weeks it lacks.")
    method: str
    error: float | None = Field(description="Sum of absolute errors on trial over what was pledged; None without one.")


class QuestionDocument(_Part):
    """What a factory asked about the sheet, and the answer; factories don't learn who asked."""

    question: str
    version: int = Field(ge=1, description="Of the sheet, when it was asked.")
    asked_at: datetime
    answer: str | None = Field(description="None while it waits; other factories don't see it before.")
    answered_at: datetime | None


class SheetDocument(_Part):
    """A demand sheet: what factories are asked to make, by when, at what cost at most. Money is in minor units."""

    schema_version: Literal["1.1"] = Field(
        description="Of this form; a change that breaks readers raises the first digit."
    )
    id: UUID
    number: str
    version: int = Field(ge=1, description="The version these figures are of.")
    latest_version: int = Field(ge=1)
    campaign_id: UUID
    title: str
    title_en: str
    category: str
    processes: list[str]
    quality_grade: str
    currency: str = Field(description="ISO 4217.")
    unit_price_minor: int | None = Field(description="What buyers pay a piece; not told to factories.")
    target_cost_minor: int = Field(description="What a piece may cost at a factory, at most.")
    required_date: datetime
    issued_at: datetime
    state: Literal["matching", "matched", "partly_matched", "unserved"]
    quantity: int = Field(ge=0, description="The sum of the lines, of the sizes, and of the regions.")
    lines: list[SheetLineDocument]
    sizes: list[SizeDocument]
    regions: list[RegionDocument]
    versions: list[VersionDocument]
    tech_pack: TechPackDocument
    questions: list[QuestionDocument]
    upside: UpsideDocument | None = Field(description="None where nothing can be said yet.")


class MovedDocument(_Part):
    """A variant in two versions."""

    colour: str
    size: str
    was: int = Field(ge=0, description="Pieces in the earlier version.")
    now: int = Field(ge=0, description="Pieces in the later version.")
    difference: int


class MovedRegionDocument(_Part):
    """A region in two versions."""

    region: str = Field(description="Empty where no buyer named one.")
    was: int = Field(ge=0)
    now: int = Field(ge=0)


class ComparisonDocument(_Part):
    """Two versions of a sheet side by side; `versions` are both and those between, each with what it left out."""

    schema_version: Literal["1.1"]
    sheet_id: UUID
    number: str
    earlier: int
    later: int
    was: int = Field(description="Pieces in all of the earlier version.")
    now: int
    difference: int
    variants: list[MovedDocument]
    regions: list[MovedRegionDocument]
    versions: list[VersionDocument]


class PledgeLineDocument(_Part):
    """One pledge's pieces of one variant; buyers are never named."""

    pledge_id: UUID | None = Field(description="Not told to factories.")
    colour: str
    size: str
    region: str
    quantity: int = Field(gt=0)
    placed_at: datetime
    merchant_funded: bool = Field(description="Bought by the merchant itself to complete its campaign.")


class PledgeLinesDocument(_Part):
    """The pledge lines a figure is made of, oldest first, a page at a time."""

    schema_version: Literal["1.1"]
    sheet_id: UUID
    version: int
    total: int = Field(description="Lines on all pages.")
    page: int
    pages: int
    next: str | None = Field(description="The address of the next page.")
    lines: list[PledgeLineDocument]


def sheet_document(reading: SheetReading, *, priced: bool = True) -> SheetDocument:
    """A version of a sheet as a document; without what buyers pay where that is not to be told."""
    found, figures = reading.sheet, reading.figures
    whole = max(figures.total.pieces, 1)
    sizes = {size: figures.total.by_size.get(size) or 0 for size in figures.sizes}
    return SheetDocument(
        schema_version=SCHEMA_VERSION,
        version=reading.version,
        latest_version=found.version,
        unit_price_minor=found.unit_price_minor if priced else None,
        state=reading.state,
        quantity=figures.total.pieces,
        lines=[line for row in figures.colours for line in _lines(row)],
        sizes=[SizeDocument(size=size, quantity=n, share=round(n / whole, 4)) for size, n in sizes.items()],
        regions=[
            RegionDocument(region=row.name, quantity=row.pieces, sizes={s: n or 0 for s, n in row.by_size.items()})
            for row in figures.regions
        ],
        versions=[_version(version) for version in reading.versions],
        tech_pack=_tech_pack(reading.pack, figures.sizes),
        upside=_upside(reading.upside) if reading.upside else None,
        questions=[
            QuestionDocument(
                question=q.words, version=q.version, asked_at=q.asked_at, answer=q.answer, answered_at=q.answered_at
            )
            for q in reading.questions
        ],
        **{name: getattr(found, name) for name in _SAME},
    )


def comparison_document(compared: Comparison) -> ComparisonDocument:
    """Two versions of a sheet compared, as a document."""
    was, now = compared.earlier.pieces, compared.later.pieces
    return ComparisonDocument(
        schema_version=SCHEMA_VERSION,
        sheet_id=compared.sheet.id,
        number=compared.sheet.number,
        earlier=compared.earlier.number,
        later=compared.later.number,
        was=was,
        now=now,
        difference=now - was,
        variants=[
            MovedDocument(colour=m.colour, size=m.size, was=m.was, now=m.now, difference=m.difference)
            for m in compared.variants
        ],
        regions=[MovedRegionDocument(region=name, was=before, now=after) for name, before, after in compared.regions],
        versions=[_version(version) for version in (compared.earlier, *compared.between)],
    )


_SAME = (
    "id",
    "number",
    "campaign_id",
    "title",
    "title_en",
    "category",
    "processes",
    "quality_grade",
    "currency",
    "target_cost_minor",
    "required_date",
    "issued_at",
)


def _lines(row: Row) -> list[SheetLineDocument]:
    return [SheetLineDocument(colour=row.name, size=s, quantity=n) for s, n in row.by_size.items() if n is not None]


def _version(version: Version) -> VersionDocument:
    left_out = [ChangeDocument(colour=c.colour, size=c.size, quantity=c.pieces) for c in version.changes]
    return VersionDocument(
        version=version.number, issued_at=version.issued_at, quantity=version.pieces, left_out=left_out
    )


def _upside(found: Upside) -> UpsideDocument:
    same = ("made_at", "weeks", "p50", "p90", "basis", "campaigns", "method", "error")
    return UpsideDocument(
        weeks_known=len(found.past), campaigns_alike=found.alike, **{name: getattr(found, name) for name in same}
    )


def _tech_pack(pack: TechPack, sizes: Sequence[str]) -> TechPackDocument:
    return TechPackDocument(
        description=pack.description,
        making=[MakingDocument(process=making.process, steps=list(making.steps)) for making in pack.making],
        quality_grade=pack.quality_grade,
        pack_pieces=pack.pack_pieces,
        measurements=[
            MeasurementDocument(
                letter=m.letter, name=m.zh, name_en=m.en, millimetres=measures(m, sizes), tolerance_mm=m.tolerance_mm
            )
            for m in (pack.flat.measurements if pack.flat else ())
        ],
    )
