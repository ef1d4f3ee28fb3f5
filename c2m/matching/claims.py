"""Claims: what factories say of themselves, by what it can be checked, and what was found on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import insert_rows, uuid7
from c2m.errors import N_, Conflict, NotFound
from c2m.identity.models import Organisation, User
from c2m.matching.levels import MOST_SENT, SENT_AGAIN_WITHIN
from c2m.matching.models import Claim, ClaimFinding, ClaimKind, ClaimState
from c2m.matching.queries import factory

MOST_OPEN = 20


class ClaimNotFound(NotFound):
    sentence = N_("There is no such claim.")


class ClaimStands(Conflict):
    sentence = N_("You have sent this in already, and it waits or holds. Send in what has changed.")


class SentTooOften(Conflict):
    sentence = N_("This was refused three times within 30 days. Send it in again when something has changed.")


class TooManyClaims(Conflict):
    sentence = N_("Twenty claims wait to be checked already; send more when they have been.")


@dataclass(frozen=True)
class NewClaim:
    """What a factory says of itself, and by what it can be checked: a number or address, a picture of its own."""

    factory_id: UUID
    kind: ClaimKind
    title: str
    reference: str = ""
    picture_id: UUID | None = None


def make_claim(session: Session, claim: NewClaim, *, now: datetime) -> UUID:
    """Claim a licence, machines, a certificate or sample work; it counts once an operator has checked it.

    Raises:
        FactoryNotFound, TooManyClaims
        ClaimStands, SentTooOften: the same claim waits or holds, or was refused again and again.
    """
    factory(session, claim.factory_id)
    _check_news(claims_of(session, claim.factory_id), claim, now)
    open_claims = sa.select(sa.func.count()).where(
        col(Claim.factory_id) == claim.factory_id, col(Claim.state) == ClaimState.OPEN
    )
    if session.execute(open_claims).scalar_one() >= MOST_OPEN:
        raise TooManyClaims(factory_id=claim.factory_id)
    [claim_id] = make_claims(session, [claim], now=now)
    return claim_id


def make_claims(session: Session, claims: Sequence[NewClaim], *, now: datetime) -> list[UUID]:
    """Record the claims of factories, to be checked."""
    ids = [uuid7() for _ in claims]
    rows = [
        {
            "id": claim_id,
            "factory_id": claim.factory_id,
            "kind": claim.kind,
            "title": claim.title,
            "reference": claim.reference,
            "picture_id": claim.picture_id,
            "made_at": now,
        }
        for claim_id, claim in zip(ids, claims, strict=True)
    ]
    insert_rows(session, Claim, rows)
    return ids


def claims_of(session: Session, factory_id: UUID) -> list[Claim]:
    """What a factory has claimed, the latest first."""
    statement = select(Claim).where(Claim.factory_id == factory_id).order_by(col(Claim.id).desc())
    return list(session.exec(statement).all())


def findings_on(session: Session, claim_id: UUID) -> list[tuple[ClaimFinding, str | None]]:
    """What was found on a claim and by whom, the latest first; nobody where a rule did it."""
    statement = (
        select(ClaimFinding, User.name)
        .join(User, col(User.id) == col(ClaimFinding.found_by), isouter=True)
        .where(ClaimFinding.claim_id == claim_id)
        .order_by(col(ClaimFinding.found_at).desc(), col(ClaimFinding.id).desc())
    )
    return [(finding, name) for finding, name in session.exec(statement).all()]


def claim_with_factory(session: Session, claim_id: UUID) -> tuple[Claim, Organisation]:
    """A claim and whose it is.

    Raises:
        ClaimNotFound
    """
    statement = select(Claim, Organisation).join(Organisation, col(Organisation.id) == col(Claim.factory_id))
    found = session.exec(statement.where(Claim.id == claim_id)).first()
    if found is None:
        raise ClaimNotFound(claim_id=claim_id)
    return found[0], found[1]


def verified_kinds(claims: Sequence[Claim]) -> frozenset[str]:
    """The kinds of claims that hold."""
    return frozenset(claim.kind.value for claim in claims if claim.state is ClaimState.VERIFIED)


def to_check() -> sa.Select[*tuple[Any, ...]]:
    """Claims that wait for an operator with their factories: new ones and those to be checked again, oldest first."""
    waits = sa.or_(col(Claim.state) == ClaimState.OPEN, col(Claim.recheck).is_not(None))
    return (
        sa.select(Claim, Organisation)
        .join(Organisation, col(Organisation.id) == col(Claim.factory_id))
        .where(waits)
        .order_by(col(Claim.made_at), col(Claim.id))
    )


def all_claims(state: ClaimState | None) -> sa.Select[*tuple[Any, ...]]:
    """Every claim with its factory, or those in a state: what runs out first before the rest, then the latest."""
    statement = sa.select(Claim, Organisation).join(Organisation, col(Organisation.id) == col(Claim.factory_id))
    if state:
        statement = statement.where(col(Claim.state) == state)
    return statement.order_by(col(Claim.expires_at).is_(None), col(Claim.expires_at), col(Claim.id).desc())


def _check_news(made: Sequence[Claim], claim: NewClaim, now: datetime) -> None:
    """Refuse a claim that says what another of the factory says already."""

    def said(kind: ClaimKind, title: str, reference: str) -> tuple[ClaimKind, str]:
        return kind, (reference or title).strip().casefold()

    about = said(claim.kind, claim.title, claim.reference)
    same = [one for one in made if said(one.kind, one.title, one.reference) == about]
    if any(one.state is ClaimState.OPEN or (one.state is ClaimState.VERIFIED and not one.recheck) for one in same):
        raise ClaimStands(factory_id=claim.factory_id)
    lately = [one for one in same if one.state is ClaimState.REFUSED and one.made_at > now - SENT_AGAIN_WITHIN]
    if len(lately) >= MOST_SENT:
        raise SentTooOften(factory_id=claim.factory_id)
