"""Concepts, pictures and wants for tests, and what the database holds."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from PIL import Image
from sqlmodel import Session

from c2m import migrations
from c2m.db import Database, table_of
from c2m.design import concepts, pictures, wants
from c2m.design.concepts import ConceptDraft
from c2m.design.generation import Brief, Generated, Progress
from c2m.design.generations import Commission
from c2m.design.models import Concept, ConceptVariant, PictureKind, Want
from c2m.design.wants import WantRequest
from c2m.identity.models import Role
from tests.builders import an_organisation

NOON = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def an_image(size: tuple[int, int] = (96, 96), colour: str = "navy") -> Image.Image:
    """A plain picture."""
    return Image.new("RGB", size, colour)


def a_file(image: Image.Image | None = None, kind: str = "PNG", **options: Any) -> bytes:
    """A picture as somebody would upload it."""
    out = io.BytesIO()
    (image or an_image()).save(out, kind, **options)
    return out.getvalue()


def a_concept_draft(organisation_id: UUID, **fields: Any) -> ConceptDraft:
    """A flask at ¥69 with a deposit of ¥5, wanted 300 times within two weeks."""
    said: dict[str, Any] = {
        "title": "条纹保温杯",
        "title_en": "Striped flask",
        "category": "bottle",
        "currency": "CNY",
        "price_minor": 69_00,
        "deposit_minor": 5_00,
        "target_quantity": 300,
        "ends_at": NOON + timedelta(days=14),
    }
    return ConceptDraft(organisation_id=organisation_id, **said | fields)


def a_concept(
    session: Session, *, organisation_id: UUID | None = None, shown: int = 2, published: bool = True, **fields: Any
) -> tuple[Concept, list[ConceptVariant]]:
    """A concept with so many pictures, published unless told otherwise."""
    owner = organisation_id or an_organisation(session, Role.MERCHANDISER).id
    concept = concepts.create_concept(session, a_concept_draft(owner, **fields), now=NOON)
    for number in range(shown):
        provenance = {"generator": "sketch", "seed": number}
        picture = pictures.store_drawing(session, an_image(), provenance=provenance, organisation_id=owner, now=NOON)
        concepts.add_variant(session, concept, picture, name=f"图{number}", name_en=f"Picture {number}", now=NOON)
    if published:
        concepts.publish_concept(session, concept, now=NOON)
    return concept, concepts.variants(session, concept.id)


def a_want(
    session: Session,
    variant: ConceptVariant,
    buyer_id: UUID,
    quantity: int = 3,
    price_minor: int = 69_00,
    key: str = "once-only",
    now: datetime = NOON,
) -> Want:
    """Somebody would take three at ¥69."""
    request = WantRequest(variant.concept_id, variant.id, buyer_id, quantity, price_minor, key)
    return wants.state_want(session, request, now=now)


def everything(database: Database) -> dict[str, list[str]]:
    """Every row of every table but those of signing in, to see that nothing has changed."""
    held = {}
    with database.engine.connect() as connection:
        for table in migrations.metadata().sorted_tables:
            if not table.name.startswith("sign_in"):
                held[table.name] = sorted(str(tuple(row)) for row in connection.execute(sa.select(table)))
    return held


def count(session: Session, model: Any) -> int:
    """How many rows a table holds."""
    return int(session.execute(sa.select(sa.func.count()).select_from(table_of(model))).scalar_one())


@dataclass
class TinyModel:
    """A generator of plain squares in the first colour, four steps each; it remembers what it was asked."""

    name: str = "tiny"
    asked: list[tuple[Brief, int, int]] = field(default_factory=list)
    trouble: Exception | None = None
    after: int = 0  # pictures made before there is trouble

    def generate(self, brief: Brief, *, count: int, seed: int, progress: Progress) -> Iterator[Generated]:
        self.asked.append((brief, count, seed))
        for number in range(count):
            if self.trouble is not None and number >= self.after:
                raise self.trouble
            for step in range(4):
                progress(4 * number + step + 1, 4 * count)
            image = an_image((64, 64), brief.attributes.get("primary", "grey"))
            known = {"generator": self.name, "model": "tiny model", "revision": "r1", "prompt": f"a {brief.category}"}
            known |= {"brief": brief.words, "seed": seed + number, "steps": 4, "attributes": brief.attributes}
            yield Generated(image, PictureKind.CONCEPT, known)


def a_commission(organisation_id: UUID, asked_by: UUID, **asked: Any) -> Commission:
    """Three pictures of a mug striped red and white."""
    said: dict[str, Any] = {"words": "红白条纹马克杯", "count": 3, "seed": 40, "idempotency_key": "first form"}
    return Commission(organisation_id=organisation_id, asked_by=asked_by, **said | asked)
