"""What is on offer: open campaigns and published concepts, searched, filtered and sorted in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.clustering.naming import named
from c2m.demand.models import Campaign, CampaignState, PriceTier
from c2m.design.models import Concept, ConceptState, ConceptVariant, Picture, Want
from c2m.design.queries import ALIVE


class Kind(StrEnum):
    GROUP_BUY = "group_buy"
    PRESALE = "presale"
    SAMPLE = "sample"
    CONCEPT = "concept"


class Sort(StrEnum):
    NEXT_PRICE = "next_price"
    ENDING = "ending"
    CHEAPEST = "cheapest"
    NEWEST = "newest"


@dataclass(frozen=True)
class Search:
    """What a visitor looks for; empty parts don't filter. Prices in minor units."""

    words: str = ""
    kind: Kind | None = None
    categories: tuple[str, ...] = ()
    lowest_minor: int | None = None
    highest_minor: int | None = None
    ends_within: timedelta | None = None
    sort: Sort = Sort.NEXT_PRICE


def found(search: Search, *, now: datetime) -> sa.Select[Any]:
    """Cards matching a search, in its order: kind, id, titles, category, picture, price, totals, next step, end."""
    offers = _offers(now).subquery("offers")
    c = offers.c
    statement = sa.select(offers).where(*_conditions(c, search, now))
    orders: dict[Sort, list[Any]] = {
        Sort.NEXT_PRICE: [c.missing.is_(None), c.missing * 1.0 / sa.func.nullif(c.total + c.missing, 0), c.ends_at],
        Sort.ENDING: [c.ends_at],
        Sort.CHEAPEST: [c.price_minor],
        Sort.NEWEST: [c.since.desc()],
    }
    # An order that somebody chose is kept; the usual one yields to what says most of the words.
    closest = _closest(c, search) if search.sort is Sort.NEXT_PRICE else []
    return statement.order_by(*closest, *orders[search.sort], c.id)


def counts(session: Session, search: Search, *, now: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """How many cards by kind (any kind) and by category (any category), the search's other filters applied."""
    offers = _offers(now).subquery("offers")
    c = offers.c
    by_kind = sa.select(c.kind, sa.func.count()).where(*_conditions(c, search, now, but="kind")).group_by(c.kind)
    by_category = (
        sa.select(c.category, sa.func.count()).where(*_conditions(c, search, now, but="category")).group_by(c.category)
    )
    return (
        {kind: int(n) for kind, n in session.execute(by_kind)},
        {category: int(n) for category, n in session.execute(by_category)},
    )


def showing(session: Session, picture_ids: Sequence[UUID], *, now: datetime) -> list[tuple[Any, UUID]]:
    """Cards on offer that show one of these pictures, each once with the first of its pictures, in their order."""
    campaign, variant = table_of(Campaign).c, table_of(ConceptVariant).c
    shown: dict[UUID, list[UUID]] = {}
    for part in chunks(picture_ids):
        owners = sa.union_all(
            sa.select(campaign.id, campaign.picture_id).where(campaign.picture_id.in_(part)),
            sa.select(variant.concept_id, variant.picture_id).where(variant.picture_id.in_(part)),
        )
        for owner_id, picture_id in session.execute(owners):
            shown.setdefault(picture_id, []).append(owner_id)
    offers = _offers(now).subquery("offers")
    owner_ids = list(dict.fromkeys(owner for owners_of_one in shown.values() for owner in owners_of_one))
    cards = {
        card.id: card
        for part in chunks(owner_ids)
        for card in session.execute(sa.select(offers).where(offers.c.id.in_(part)))
    }
    first: dict[UUID, UUID] = {}
    for picture_id in picture_ids:
        for owner_id in shown.get(picture_id, ()):
            first.setdefault(owner_id, picture_id)
    return [(cards[owner_id], picture_id) for owner_id, picture_id in first.items() if owner_id in cards]


def _offers(now: datetime) -> sa.CompoundSelect[Any]:
    """Every open campaign and published concept in one shape."""
    campaign, tier, picture = table_of(Campaign), table_of(PriceTier), table_of(Picture)
    certain = campaign.c.pledged_quantity - campaign.c.conditional_quantity
    reached = (
        sa.select(sa.func.min(tier.c.price_minor))
        .where(tier.c.campaign_id == campaign.c.id, tier.c.from_quantity <= certain)
        .correlate(campaign)
        .scalar_subquery()
    )
    first = (
        sa.select(sa.func.max(tier.c.price_minor))
        .where(tier.c.campaign_id == campaign.c.id)
        .correlate(campaign)
        .scalar_subquery()
    )
    price_now = sa.func.coalesce(reached, first)
    ahead = tier.alias("ahead")
    following = (
        sa.select(sa.func.min(ahead.c.from_quantity))
        .where(
            ahead.c.campaign_id == campaign.c.id,
            ahead.c.from_quantity > certain,
            ahead.c.price_minor < price_now,
        )
        .correlate(campaign)
        .scalar_subquery()
    )
    campaigns = sa.select(
        sa.cast(campaign.c.kind, sa.String).label("kind"),
        campaign.c.id,
        campaign.c.title,
        campaign.c.title_en,
        campaign.c.description.label("words"),
        campaign.c.category,
        campaign.c.picture_id,
        sa.cast(picture.c.kind, sa.String).label("picture_kind"),
        campaign.c.currency,
        price_now.label("price_minor"),
        campaign.c.deposit_minor,
        certain.label("total"),
        campaign.c.minimum.label("target"),
        (following - certain).label("missing"),
        campaign.c.deadline.label("ends_at"),
        campaign.c.opened_at.label("since"),
    )
    drawn = campaigns.join_from(campaign, picture, picture.c.id == campaign.c.picture_id, isouter=True)
    open_ones = drawn.where(campaign.c.state == CampaignState.OPEN, campaign.c.deadline > now)
    return sa.union_all(open_ones, _concepts(now))


def _concepts(now: datetime) -> sa.Select[Any]:
    concept, variant, picture, want = (table_of(model) for model in (Concept, ConceptVariant, Picture, Want))
    wanted = (
        sa.select(sa.func.coalesce(sa.func.sum(want.c.quantity), 0))
        .where(want.c.concept_id == concept.c.id, want.c.state.in_(ALIVE))
        .correlate(concept)
        .scalar_subquery()
    )
    any_variant = variant.alias("any_variant")
    first_position = (
        sa.select(sa.func.min(any_variant.c.position))
        .where(any_variant.c.concept_id == concept.c.id)
        .correlate(concept)
        .scalar_subquery()
    )
    return (
        sa.select(
            sa.literal(Kind.CONCEPT.value),
            concept.c.id,
            concept.c.title,
            concept.c.title_en,
            concept.c.brief,
            concept.c.category,
            picture.c.id,
            sa.cast(picture.c.kind, sa.String),
            concept.c.currency,
            concept.c.price_minor,
            concept.c.deposit_minor,
            wanted,
            concept.c.target_quantity,
            sa.case((concept.c.target_quantity > wanted, concept.c.target_quantity - wanted)),
            concept.c.ends_at,
            concept.c.published_at,
        )
        .join_from(
            concept, variant, sa.and_(variant.c.concept_id == concept.c.id, variant.c.position == first_position)
        )
        .join(picture, picture.c.id == variant.c.picture_id)
        .where(concept.c.state == ConceptState.PUBLISHED, concept.c.ends_at > now)
    )


def _conditions(c: Any, search: Search, now: datetime, *, but: str = "") -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if words := search.words.split():
        every_word = sa.and_(*(_says(c, word) for word in words))
        asked = named(search.words).category
        conditions.append(sa.or_(every_word, c.category == asked) if asked else every_word)
    if search.kind is not None and but != "kind":
        conditions.append(c.kind == search.kind.value)
    if search.categories and but != "category":
        conditions.append(c.category.in_(search.categories))
    if search.lowest_minor is not None:
        conditions.append(c.price_minor >= search.lowest_minor)
    if search.highest_minor is not None:
        conditions.append(c.price_minor <= search.highest_minor)
    if search.ends_within is not None:
        conditions.append(c.ends_at <= now + search.ends_within)
    return conditions


def _says(c: Any, word: str) -> sa.ColumnElement[bool]:
    pattern = f"%{word.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
    return sa.or_(*(field.ilike(pattern, escape="!") for field in (c.title, c.title_en, c.words, c.category)))


def _closest(c: Any, search: Search) -> list[sa.ColumnElement[Any]]:
    """Cards that say every word, then those that say most of what the words name: kind, make, pattern, colour."""
    words = search.words.split()
    if not words:
        return []
    parts = list(dict.fromkeys([*words, *named(search.words).words]))
    said = [sa.case((_says(c, part), 1), else_=0) for part in parts]
    every_word = sa.case((sa.and_(*(_says(c, word) for word in words)), 1), else_=0)
    return [every_word.desc(), sum(said[1:], start=said[0]).desc()]
