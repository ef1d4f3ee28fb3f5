"""Needs: a buyer says what nobody offers yet; it finds those who need the same at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import lock_rows, uuid7
from c2m.demand.clustering.describing import category_of
from c2m.demand.clustering.naming import named
from c2m.demand.clustering.reading import read
from c2m.demand.marketplace import Search, Sort, found
from c2m.demand.models import Need, NeedState
from c2m.demand.need_groups import place_needs, refresh_groups
from c2m.design.wording import check_words
from c2m.errors import N_, Conflict, Invalid, NotFound

MOST_PIECES = 1_000_000
HIGHEST_BUDGET_MINOR = 100_000_000
LONGEST_WORDS = 500
FURTHEST = timedelta(days=730)
MOST_OFFERS_COMPARED = 1_000
MOST_OFFERS_SHOWN = 4
ALIKE = 0.3  # an offer is shown from this similarity on


class NeedNotFound(NotFound):
    sentence = N_("There is no such need.")


class NeedNotOpen(Conflict):
    sentence = N_("This need has been withdrawn already.")


class NeedKeyReused(Invalid):
    sentence = N_("This form was already sent with different content. Please start again.")


@dataclass(frozen=True)
class NeedRequest:
    """What a buyer needs: so many pieces, each for so much at most, by a day, in a region."""

    buyer_id: UUID
    words: str
    quantity: int
    currency: str
    idempotency_key: str
    budget_minor: int | None = None
    wanted_by: date | None = None
    region: str = ""
    picture_id: UUID | None = None


def file_need(session: Session, request: NeedRequest, *, now: datetime) -> Need:
    """Record what a buyer needs and put it with its like.

    Raises:
        Invalid, WordRefused, NeedKeyReused
    """
    known = session.exec(
        select(Need).where(Need.buyer_id == request.buyer_id, Need.idempotency_key == request.idempotency_key)
    ).first()
    if known is not None:
        same = (known.words, known.quantity, known.budget_minor, known.wanted_by)
        if same != (request.words.strip(), request.quantity, request.budget_minor, request.wanted_by):
            raise NeedKeyReused(need_id=known.id)
        return known
    check_need(request, now=now)
    need = Need(
        id=uuid7(),
        buyer_id=request.buyer_id,
        words=request.words.strip(),
        category=category_of(request.words),
        quantity=request.quantity,
        budget_minor=request.budget_minor,
        currency=request.currency,
        wanted_by=request.wanted_by,
        region=request.region,
        picture_id=request.picture_id,
        idempotency_key=request.idempotency_key,
        stated_at=now,
    )
    session.add(need)
    session.flush()
    place_needs(session, [need.id], now=now)
    session.refresh(need)
    return need


def check_need(request: NeedRequest, *, now: datetime) -> None:
    """Refuse a need that makes no sense, or whose words can't be said in the market.

    Raises:
        Invalid, WordRefused
    """
    if errors := need_errors(request, now=now):
        raise Invalid(errors=errors)
    check_words(words=request.words, region=request.region)


def need_errors(request: NeedRequest, *, now: datetime) -> dict[str, str]:
    """What is wrong with a need: field → sentence."""
    errors: dict[str, str] = {}
    if not request.words.strip() or len(request.words.strip()) > LONGEST_WORDS:
        errors["words"] = N_("Say in a few words what you need.")
    if not 1 <= request.quantity <= MOST_PIECES:
        errors["quantity"] = N_("The quantity must be between 1 and 1,000,000 pieces.")
    if request.budget_minor is not None and not 1 <= request.budget_minor <= HIGHEST_BUDGET_MINOR:
        errors["budget"] = N_("This price is too high to be meant.")
    if request.wanted_by is not None and not now.date() <= request.wanted_by <= (now + FURTHEST).date():
        errors["wanted_by"] = N_("The date must lie ahead, within two years.")
    return errors


def withdraw_need(session: Session, need_id: UUID, *, buyer_id: UUID, now: datetime) -> Need:
    """A buyer needs it no more.

    Raises:
        NeedNotFound, NeedNotOpen
    """
    lock_rows(session, Need, [need_id])
    need = need_of(session, need_id, buyer_id=buyer_id)
    session.refresh(need)
    if need.state is not NeedState.OPEN:
        raise NeedNotOpen(need_id=need_id)
    need.state, need.withdrawn_at = NeedState.WITHDRAWN, now
    session.add(need)
    session.flush()
    if need.group_id is not None:
        refresh_groups(session, [need.group_id])
    return need


def need_of(session: Session, need_id: UUID, *, buyer_id: UUID) -> Need:
    """A buyer's own need.

    Raises:
        NeedNotFound
    """
    need = session.get(Need, need_id)
    if need is None or need.buyer_id != buyer_id:
        raise NeedNotFound(need_id=need_id)
    return need


def needs_of(buyer_id: UUID) -> sa.Select[Any]:
    """A buyer's needs, open ones first, then the newest."""
    return (
        sa.select(Need)
        .where(col(Need.buyer_id) == buyer_id)
        .order_by((col(Need.state) == NeedState.WITHDRAWN), col(Need.stated_at).desc(), col(Need.id))
    )


def offers_like(session: Session, words: str, *, now: datetime) -> Sequence[sa.Row[Any]]:
    """Running campaigns and concepts like what is needed: those of its category first, then the most alike.

    What is of the category that the words name is shown however much else they say.
    """
    from c2m.demand.clustering.pool import Pool  # scikit-learn takes a second to come up

    listed = session.execute(found(Search(sort=Sort.NEWEST), now=now).limit(MOST_OFFERS_COMPARED)).all()
    pool = Pool([f"{row.title} {row.title_en}" for row in listed])
    asked, kinds = named(words), read(words).kinds
    like = dict(pool.nearest(words))

    def rank(number: int) -> tuple[bool, bool, int, float]:
        said, row = pool.readings[number], listed[number]
        text = f"{row.title} {row.title_en} {row.words}".lower()
        parts = sum(word in text for word in asked.words)
        return row.category == asked.category, not kinds.isdisjoint(said.kinds), parts, like.get(number, 0.0)

    def fits(number: int) -> bool:
        said = pool.readings[number].kinds
        if asked.category and listed[number].category == asked.category:
            return True
        return like.get(number, 0.0) >= ALIKE and not (kinds and said and kinds.isdisjoint(said))

    near = sorted(filter(fits, range(len(listed))), key=rank, reverse=True)
    return [listed[number] for number in near[:MOST_OFFERS_SHOWN]]
