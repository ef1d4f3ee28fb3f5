"""Concepts: made by merchandisers, published to find out whether anyone wants them, then promoted or stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from c2m import jobs
from c2m.db import lock_rows
from c2m.design.categories import CATEGORIES
from c2m.design.models import Concept, ConceptState, ConceptVariant, Picture
from c2m.design.pictures import publish_pictures
from c2m.design.queries import validated_of
from c2m.design.wants import HIGHEST_PRICE_MINOR, refund_wants
from c2m.design.wording import check_words
from c2m.errors import N_, Conflict, Invalid, NotFound
from c2m.outbox import announce

END = "design.end_concepts"
TELL_DECIDED = "design.tell_decided"
TELL_TO_DECIDE = "design.tell_to_decide"
DECISION_TIME = timedelta(days=7)  # from the end, for promoting what is validated; deposits are held no longer
SHORTEST_RUN = timedelta(hours=1)
LONGEST_RUN = timedelta(days=60)
MOST_VARIANTS = 8


class ConceptNotFound(NotFound):
    sentence = N_("There is no such concept.")


class ConceptNotDraft(Conflict):
    sentence = N_("This concept has been published and can't be changed any more.")


class ConceptNotPublished(Conflict):
    sentence = N_("This concept is not published.")


class ConceptWithoutPicture(Conflict):
    sentence = N_("Add at least one picture before publishing.")


class TooManyVariants(Conflict):
    sentence = N_("A concept shows at most 8 pictures.")


@dataclass(frozen=True)
class ConceptDraft:
    """What a merchandiser wants to find out: would this many be taken at this price?"""

    organisation_id: UUID
    title: str
    category: str
    currency: str
    price_minor: int
    target_quantity: int
    ends_at: datetime
    title_en: str = ""
    brief: str = ""
    deposit_minor: int = 0


def draft_errors(draft: ConceptDraft, *, now: datetime) -> dict[str, str]:
    """What is wrong with a concept: field → sentence."""
    errors: dict[str, str] = {}
    if not draft.title.strip():
        errors["title"] = N_("Give the concept a name.")
    if draft.category not in CATEGORIES:
        errors["category"] = N_("Choose a category from the list.")
    if not 1 <= draft.price_minor <= HIGHEST_PRICE_MINOR:
        errors["price"] = N_("The price must be above zero and at most 1,000,000.")
    if not 0 <= draft.deposit_minor <= draft.price_minor:
        errors["deposit"] = N_("The deposit must lie between nothing and the price.")
    if not 1 <= draft.target_quantity <= 1_000_000:
        errors["target_quantity"] = N_("The quantity to reach must be between 1 and 1,000,000 pieces.")
    if not now + SHORTEST_RUN <= draft.ends_at <= now + LONGEST_RUN:
        errors["ends_at"] = N_("The end must lie between an hour and 60 days ahead.")
    return errors


def create_concept(session: Session, draft: ConceptDraft, *, now: datetime) -> Concept:
    """Store a concept as a draft.

    Raises:
        Invalid: with a sentence for each field.
        WordRefused
    """
    _check(draft, now)
    concept = Concept(**_values(draft), created_at=now)
    session.add(concept)
    session.flush()
    return concept


def change_concept(session: Session, concept: Concept, draft: ConceptDraft, *, now: datetime) -> None:
    """Replace what a draft says.

    Raises:
        ConceptNotDraft, Invalid, WordRefused
    """
    _require_draft(session, concept)
    _check(draft, now)
    for name, value in _values(draft).items():
        setattr(concept, name, value)
    session.add(concept)
    session.flush()


def add_variant(
    session: Session, concept: Concept, picture: Picture, *, name: str, name_en: str = "", now: datetime
) -> ConceptVariant:
    """Put another picture into the competition.

    Raises:
        ConceptNotDraft, TooManyVariants, Invalid, WordRefused
    """
    _require_draft(session, concept)
    if not name.strip():
        raise Invalid(errors={"name": N_("Give the picture a name.")})
    check_words(name, name_en)
    existing = variants(session, concept.id)
    if len(existing) >= MOST_VARIANTS:
        raise TooManyVariants(concept_id=concept.id)
    position = max((v.position for v in existing), default=-1) + 1
    variant = ConceptVariant(
        concept_id=concept.id, position=position, name=name.strip(), name_en=name_en.strip(), picture_id=picture.id
    )
    session.add(variant)
    session.flush()
    return variant


def remove_variant(session: Session, concept: Concept, variant_id: UUID) -> None:
    """Take a picture out of a draft.

    Raises:
        ConceptNotDraft, ConceptNotFound
    """
    _require_draft(session, concept)
    variant = session.get(ConceptVariant, variant_id)
    if variant is None or variant.concept_id != concept.id:
        raise ConceptNotFound(variant_id=variant_id)
    session.delete(variant)
    session.flush()


def publish_concept(session: Session, concept: Concept, *, now: datetime) -> None:
    """Show a concept to buyers until its end.

    Raises:
        ConceptNotDraft, ConceptWithoutPicture, WordRefused, Invalid: the end has passed meanwhile.
    """
    _require_draft(session, concept)
    competing = variants(session, concept.id)
    shown = [variant.picture_id for variant in competing]
    check_words(concept.title, concept.title_en, concept.brief, *(v.name for v in competing))
    if not shown:
        raise ConceptWithoutPicture(concept_id=concept.id)
    if concept.ends_at <= now:
        raise Invalid(errors={"ends_at": N_("The end must lie ahead.")})
    concept.state, concept.published_at = ConceptState.PUBLISHED, now
    session.add(concept)
    publish_pictures(session, shown, now=now)
    jobs.enqueue(session, END, [concept.id], key=f"end_concept:{concept.id}", due_at=concept.ends_at, now=now)
    announce(session, "design.concepts_published", [concept.id], now=now)


def stop_concept(session: Session, concept: Concept, *, now: datetime) -> None:
    """End the validation; all deposits are granted back.

    Raises:
        ConceptNotPublished
    """
    _decide(session, concept, ConceptState.STOPPED, now)


def mark_promoted(session: Session, concept: Concept, *, now: datetime) -> None:
    """The concept has become a campaign; all deposits are granted back.

    Raises:
        ConceptNotPublished
    """
    _decide(session, concept, ConceptState.PROMOTED, now)


def end_concepts(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Stop concepts whose time is over and that nobody has promoted; validated ones when the time to decide is, too."""
    lock_rows(session, Concept, ids)
    validated = validated_of(session, ids)
    for concept in session.exec(select(Concept).where(col(Concept.id).in_(ids))).all():
        if concept.state is not ConceptState.PUBLISHED or now < concept.ends_at:
            continue
        until = decide_by(concept)
        if concept.id in validated and now < until:
            jobs.enqueue(session, END, [concept.id], key=f"close_concept:{concept.id}", due_at=until, now=now)
            jobs.enqueue(session, TELL_TO_DECIDE, [concept.id], key=f"to_decide:{concept.id}", due_at=now, now=now)
        else:
            _decide(session, concept, ConceptState.STOPPED, now)


def decide_by(concept: Concept) -> datetime:
    """Until when a concept can be promoted if it is validated; after that it is stopped and all deposits go back."""
    return concept.ends_at + DECISION_TIME


def concept(session: Session, concept_id: UUID) -> Concept:
    """The concept with this id.

    Raises:
        ConceptNotFound
    """
    found = session.get(Concept, concept_id)
    if found is None:
        raise ConceptNotFound(concept_id=concept_id)
    return found


def concept_of(session: Session, concept_id: UUID, *, organisation_id: UUID) -> Concept:
    """A merchandiser's own concept; other people's are not found.

    Raises:
        ConceptNotFound
    """
    found = concept(session, concept_id)
    if found.organisation_id != organisation_id:
        raise ConceptNotFound(concept_id=concept_id)
    return found


def variants(session: Session, concept_id: UUID) -> list[ConceptVariant]:
    """A concept's pictures in order."""
    statement = select(ConceptVariant).where(ConceptVariant.concept_id == concept_id)
    return list(session.exec(statement.order_by(col(ConceptVariant.position))).all())


def _check(draft: ConceptDraft, now: datetime) -> None:
    if errors := draft_errors(draft, now=now):
        raise Invalid(errors=errors)
    check_words(title=draft.title, title_en=draft.title_en, brief=draft.brief)


def _values(draft: ConceptDraft) -> dict[str, Any]:
    return {
        "organisation_id": draft.organisation_id,
        "title": draft.title.strip(),
        "title_en": draft.title_en.strip(),
        "category": draft.category,
        "brief": draft.brief.strip(),
        "currency": draft.currency,
        "price_minor": draft.price_minor,
        "deposit_minor": draft.deposit_minor,
        "target_quantity": draft.target_quantity,
        "ends_at": draft.ends_at,
    }


def _require_draft(session: Session, concept: Concept) -> None:
    lock_rows(session, Concept, [concept.id])
    session.refresh(concept)
    if concept.state is not ConceptState.DRAFT:
        raise ConceptNotDraft(concept_id=concept.id)


def _decide(session: Session, concept: Concept, state: ConceptState, now: datetime) -> None:
    lock_rows(session, Concept, [concept.id])
    session.refresh(concept)
    if concept.state is not ConceptState.PUBLISHED:
        raise ConceptNotPublished(concept_id=concept.id)
    concept.state, concept.decided_at = state, now
    session.add(concept)
    refund_wants(session, concept.id, now=now)
    jobs.enqueue(session, TELL_DECIDED, [concept.id], key=f"tell_decided:{concept.id}", due_at=now, now=now)
    announce(session, "design.concepts_decided", [concept.id], now=now)
