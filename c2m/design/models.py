"""Concepts: pictures of what doesn't exist yet, and what buyers say they would pay for it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, enum_field, id_field, json_field, time_field
from c2m.design.validation.rule import Decision


class PictureKind(StrEnum):
    PHOTO = "photo"
    SKETCH = "sketch"  # drawn by our renderer, labelled as a sketch
    CONCEPT = "concept"  # made by an image model, labelled as AI concept


class Picture(Table, table=True):
    """A picture as we re-encoded it, with where it came from; only its owner sees it until it is published."""

    id: UUID = id_field()
    organisation_id: UUID | None = Field(default=None, foreign_key="organisation.id", index=True)
    kind: PictureKind = enum_field(PictureKind)
    media_type: str = Field(max_length=40)
    width: int
    height: int
    sha256: str = Field(max_length=64, index=True)
    content: bytes = Field(sa_type=sa.LargeBinary)
    provenance: dict[str, Any] = json_field()
    stored_at: datetime = time_field()
    published_at: datetime | None = time_field(nullable=True)


class PictureLook(Table, table=True):
    """What a published picture looks like, as numbers that can be compared with others of the same version."""

    __table_args__ = (
        sa.UniqueConstraint("picture_id", "version"),
        sa.Index("ix_picture_look_news", "version", "described_at"),
    )

    id: UUID = id_field()
    picture_id: UUID = Field(foreign_key="picture.id")
    version: str = Field(max_length=80)
    vector: bytes = Field(sa_type=sa.LargeBinary)  # 16-bit floats
    described_at: datetime = time_field()


class ConceptState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    PROMOTED = "promoted"
    STOPPED = "stopped"


class Concept(Table, table=True):
    """A product that does not exist yet, published to find out whether anyone wants it."""

    __table_args__ = (
        sa.CheckConstraint("price_minor > 0", name="price_positive"),
        sa.CheckConstraint("deposit_minor >= 0 AND deposit_minor <= price_minor", name="deposit_within_price"),
        sa.CheckConstraint("target_quantity > 0", name="target_positive"),
    )

    id: UUID = id_field()
    organisation_id: UUID = Field(foreign_key="organisation.id", index=True)
    title: str = Field(max_length=120)
    title_en: str = Field(default="", max_length=120)
    category: str = Field(max_length=40)
    brief: str = Field(default="", max_length=2000)
    currency: str = Field(max_length=3)
    price_minor: int = amount_field()
    deposit_minor: int = amount_field(0)
    target_quantity: int
    state: ConceptState = enum_field(ConceptState, ConceptState.DRAFT, index=True)
    ends_at: datetime = time_field()
    created_at: datetime = time_field()
    published_at: datetime | None = time_field(nullable=True)
    decided_at: datetime | None = time_field(nullable=True)


class ConceptVariant(Table, table=True):
    """One of the pictures that compete for a concept."""

    __table_args__ = (sa.UniqueConstraint("concept_id", "position"),)

    id: UUID = id_field()
    concept_id: UUID = Field(foreign_key="concept.id", index=True)
    position: int
    name: str = Field(max_length=60)
    name_en: str = Field(default="", max_length=60)
    picture_id: UUID = Field(foreign_key="picture.id")
    share_ppm: int = 0  # of its concept's exposure; 0 for all until they are first weighed


class WantState(StrEnum):
    STATED = "stated"  # no deposit asked for
    UNPAID = "unpaid"  # deposit on its way
    DEPOSITED = "deposited"
    REFUNDED = "refunded"  # withdrawn or concept ended, deposit granted back
    WITHDRAWN = "withdrawn"


class Want(Table, table=True):
    """A buyer would take this many at this price; the deposit, if any, is always refundable."""

    __table_args__ = (
        sa.UniqueConstraint("buyer_id", "idempotency_key"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("price_minor > 0", name="price_positive"),
    )

    id: UUID = id_field()
    concept_id: UUID = Field(foreign_key="concept.id", index=True)
    variant_id: UUID = Field(foreign_key="concept_variant.id", index=True)
    buyer_id: UUID = Field(foreign_key="organisation.id", index=True)
    quantity: int
    price_minor: int = amount_field()
    deposit_minor: int = amount_field(0)
    state: WantState = enum_field(WantState)
    idempotency_key: str = Field(max_length=80)
    stated_at: datetime = time_field()
    ended_at: datetime | None = time_field(nullable=True)


class Place(StrEnum):
    """Where a variant was shown."""

    MARKET = "market"  # as its concept's picture among others
    PAGE = "page"  # first on its concept's page


class Exposure(Table, table=True):
    """How often a variant was shown on a day (UTC) to visitors and buyers, once each at most."""

    __table_args__ = (
        sa.UniqueConstraint("variant_id", "day", "place"),
        sa.CheckConstraint("shown >= 0", name="shown_not_negative"),
    )

    id: UUID = id_field()
    variant_id: UUID = Field(foreign_key="concept_variant.id")
    day: date
    place: Place = enum_field(Place)
    shown: int = 0


class SavedConcept(Table, table=True):
    """A buyer keeps an eye on a concept."""

    __table_args__ = (sa.UniqueConstraint("concept_id", "buyer_id"),)

    id: UUID = id_field()
    concept_id: UUID = Field(foreign_key="concept.id")
    buyer_id: UUID = Field(foreign_key="organisation.id", index=True)
    saved_at: datetime = time_field()


class Question(Table, table=True):
    """A buyer asks the merchandiser about a concept; everybody reads what was answered."""

    __table_args__ = (
        sa.UniqueConstraint("buyer_id", "idempotency_key"),
        sa.CheckConstraint("(answer = '') = (answered_at IS NULL)", name="answered_with_words"),
    )

    id: UUID = id_field()
    concept_id: UUID = Field(foreign_key="concept.id", index=True)
    buyer_id: UUID = Field(foreign_key="organisation.id", index=True)
    words: str = Field(max_length=500)
    answer: str = Field(default="", max_length=1000)
    idempotency_key: str = Field(max_length=80)
    asked_at: datetime = time_field()
    answered_at: datetime | None = time_field(nullable=True)


class DailyLook(Table, table=True):
    """What the rule said of a concept on one day (UTC), and on what grounds; probabilities in millionths."""

    __table_args__ = (
        sa.UniqueConstraint("concept_id", "day"),
        sa.CheckConstraint("chance_ppm >= 0 AND chance_ppm <= 1000000", name="chance_is_a_share"),
    )

    id: UUID = id_field()
    concept_id: UUID = Field(foreign_key="concept.id")
    day: date
    looked_at: datetime = time_field()
    decision: Decision = enum_field(Decision)
    chance_ppm: int  # that at least the target is ordered by the end
    low: int  # pieces not reached with 10 % probability
    expected: int
    high: int  # with 90 %
    buyers: int
    pieces: int


class Commitment(StrEnum):
    """How much a want commits."""

    STATED = "stated"
    DEPOSITED = "deposited"


class Outcome(Table, table=True):
    """What became of a promoted concept's wants: of so many buyers so many ordered in its campaign."""

    __table_args__ = (
        sa.UniqueConstraint("concept_id", "commitment"),
        sa.CheckConstraint("orders >= 0 AND orders <= buyers", name="orders_within_buyers"),
    )

    id: UUID = id_field()
    concept_id: UUID = Field(foreign_key="concept.id")
    category: str = Field(max_length=40, index=True)
    commitment: Commitment = enum_field(Commitment)
    buyers: int
    orders: int
    measured_at: datetime = time_field()


class GenerationState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Generation(Table, table=True):
    """Pictures a merchandiser has asked for: the brief, how it was understood, and how far the work has come."""

    __table_args__ = (
        sa.UniqueConstraint("organisation_id", "idempotency_key"),
        sa.CheckConstraint("(source_id IS NULL) = (strength_pct IS NULL)", name="strength_with_source"),
        sa.CheckConstraint("strength_pct >= 1 AND strength_pct <= 100", name="strength_is_a_share"),
        sa.CheckConstraint("(state = 'failed') = (reason <> '')", name="failed_with_reason"),
        sa.CheckConstraint("steps_done >= 0 AND steps_done <= steps", name="steps_within_all"),
        sa.Index("ix_generation_of_organisation", "organisation_id", "asked_at"),
    )

    id: UUID = id_field()
    organisation_id: UUID = Field(foreign_key="organisation.id")
    asked_by: UUID = Field(foreign_key="user_account.id")
    category: str = Field(max_length=40)
    words: str = Field(default="", max_length=500)
    attributes: dict[str, str] = json_field()  # as understood
    ignored: list[str] = json_field(list)  # words that nothing was made of
    source_id: UUID | None = Field(default=None, foreign_key="picture.id")
    strength_pct: int | None = None  # how far from the source
    state: GenerationState = enum_field(GenerationState, GenerationState.WAITING)
    steps_done: int = 0
    steps: int = 0  # of all pictures; 0 until they are known
    reason: str = Field(default="", max_length=300)  # why it failed, as a sentence to translate
    reason_details: dict[str, str] = json_field()
    round: int = 1  # one more each time it is taken up again
    worker_token: UUID | None = None  # of the worker that makes the pictures
    worker_seen_at: datetime | None = time_field(nullable=True)
    idempotency_key: str = Field(max_length=80)
    asked_at: datetime = time_field()
    ended_at: datetime | None = time_field(nullable=True)


class Rendition(Table, table=True):
    """One picture of a generation, asked for with this seed and these attributes; it is made once."""

    __table_args__ = (sa.UniqueConstraint("generation_id", "position"),)

    id: UUID = id_field()
    generation_id: UUID = Field(foreign_key="generation.id")
    position: int
    seed: int
    attributes: dict[str, str] = json_field()
    picture_id: UUID | None = Field(default=None, foreign_key="picture.id", unique=True)
