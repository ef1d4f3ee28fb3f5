"""Vetting (严选): factories claim, operators check with evidence, what was verified runs out and is checked again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, insert_rows, lock_rows, table_of, uuid7
from c2m.errors import N_, Conflict, Invalid, NotFound
from c2m.identity.models import Organisation, OrganisationState
from c2m.matching.levels import HOLDS, LONGEST, RECHECK_BEFORE, RUNS_OUT, UNANSWERED_WITHIN, level_of, recheck_of
from c2m.matching.models import Claim, ClaimKind, ClaimState, Factory, FactoryLevel, Offer, OfferState
from c2m.matching.queries import factory
from c2m.matching.rules import starts_at
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

RECHECK = "matching.recheck_claims"
MOST_OPEN = 20
LICENCE_TITLE = "营业执照 Business licence"


class ClaimNotFound(NotFound):
    sentence = N_("There is no such claim.")


class ClaimChecked(Conflict):
    sentence = N_("This claim has been checked already.")


class InvalidCheck(Invalid):
    sentence = N_("This check can't be recorded.")


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


@dataclass(frozen=True)
class Check:
    """An operator's finding on a claim, with the evidence; a verified one holds until a day, or as long as its kind
    usually does."""

    claim_id: UUID
    verified: bool
    evidence: str
    checked_by: UUID | None
    until: date | None = None


@dataclass(frozen=True)
class Papers:
    """What an operator read off a licence: its number, and until when it holds, else as long as licences usually do."""

    reference: str = ""
    until: date | None = None


def make_claim(session: Session, claim: NewClaim, *, now: datetime) -> UUID:
    """Claim a licence, machines, a certificate or sample work; it counts once an operator has checked it.

    Raises:
        FactoryNotFound, TooManyClaims
    """
    factory(session, claim.factory_id)
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


def check_claims(session: Session, checks: Sequence[Check], *, now: datetime) -> None:
    """Record what operators found on claims that wait, or that are to be checked again; levels follow.

    Raises:
        ClaimNotFound, ClaimChecked, InvalidCheck: nothing is recorded.
    """
    claims = _claims(session, [check.claim_id for check in checks])
    for check in checks:
        claim = claims.get(check.claim_id)
        if claim is None:
            raise ClaimNotFound(claim_id=check.claim_id)
        if not (claim.state is ClaimState.OPEN or (claim.state is ClaimState.VERIFIED and claim.recheck)):
            raise ClaimChecked(claim_id=claim.id)
        expires_at = _holds_until(claim.kind, check.until, now)
        if not check.evidence.strip():
            raise InvalidCheck(errors={"evidence": N_("Say what you saw.")})
        if check.verified:
            _check_until(expires_at, now)
        claim.state = ClaimState.VERIFIED if check.verified else ClaimState.REFUSED
        claim.evidence, claim.recheck = check.evidence, None
        claim.checked_at, claim.checked_by = now, check.checked_by
        claim.expires_at = expires_at if check.verified else None
        session.add(claim)
    session.flush()
    _set_levels(session, sorted({claim.factory_id for claim in claims.values()}))
    _tell_checked(session, list(claims.values()), now)


def verify_registrations(
    session: Session, factory_ids: Sequence[UUID], papers: Mapping[UUID, Papers] | None = None
) -> None:
    """Record the licence that an operator saw when verifying factories: it was checked when they were, and holds from
    then.

    Passed over are those without a profile until they have one, those whose licence is recorded already, and those of
    whom nobody wrote down what was seen: they send their licence in.

    Raises:
        InvalidCheck: papers that hold until a day gone by, or for too long. Nothing is recorded.
    """
    claimed = sa.exists().where(col(Claim.factory_id) == col(Factory.id), col(Claim.kind) == ClaimKind.LICENCE)
    verified: list[Organisation] = []
    for part in chunks(factory_ids):
        seen = col(Organisation.state) == OrganisationState.ACTIVE, col(Organisation.decision_note).is_not(None)
        statement = sa.select(Organisation).join(Factory, col(Factory.id) == col(Organisation.id))
        found = session.execute(statement.where(col(Organisation.id).in_(part), *seen, ~claimed))
        verified += found.scalars()
    rows = []
    for one in verified:
        checked_at, read = one.decided_at or one.registered_at, (papers or {}).get(one.id, Papers())
        expires_at = _holds_until(ClaimKind.LICENCE, read.until, checked_at)
        _check_until(expires_at, checked_at)
        rows.append(
            {
                "id": uuid7(),
                "factory_id": one.id,
                "kind": ClaimKind.LICENCE,
                "title": LICENCE_TITLE,
                "reference": read.reference,
                "made_at": one.registered_at,
                "state": ClaimState.VERIFIED,
                "evidence": one.decision_note,
                "checked_at": checked_at,
                "checked_by": one.decided_by,
                "expires_at": expires_at,
            }
        )
    insert_rows(session, Claim, rows)
    _set_levels(session, sorted(one.id for one in verified))


def recheck_claims(session: Session, _ids: Sequence[UUID], now: datetime) -> None:
    """Let claims run out whose time is over, and ask for those again that soon will be or whose factory falls
    silent."""
    c = table_of(Claim).c
    over = sa.select(Claim).where(c.state == ClaimState.VERIFIED, c.expires_at <= now).order_by(c.id)
    ended = list(session.execute(over).scalars())
    for claim in ended:
        claim.state, claim.recheck = ClaimState.EXPIRED, None
        session.add(claim)
    session.flush()
    _set_levels(session, sorted({claim.factory_id for claim in ended}))
    tell(session, [_message(claim, NoticeKind.CLAIM_RAN_OUT) for claim in ended], now=now)
    silent = _unanswered(session, now)
    near = sa.or_(c.expires_at <= now + RECHECK_BEFORE, c.factory_id.in_(sorted(silent)))
    valid = sa.select(Claim).where(c.state == ClaimState.VERIFIED, c.recheck.is_(None), near).order_by(c.id)
    asked: list[Claim] = []
    for claim in session.execute(valid).scalars():
        if claim.expires_at is None or claim.checked_at is None:
            continue
        heard_of = silent.get(claim.factory_id, 0) if claim.checked_at <= now - UNANSWERED_WITHIN else 0
        claim.recheck = recheck_of(claim.kind, claim.expires_at, heard_of, now=now)
        if claim.recheck:
            session.add(claim)
            asked.append(claim)
    running_out = [claim for claim in asked if claim.recheck == RUNS_OUT]
    tell(session, [_message(claim, NoticeKind.CLAIM_RUNS_OUT) for claim in running_out], now=now)


def claims_of(session: Session, factory_id: UUID) -> list[Claim]:
    """What a factory has claimed, the latest first."""
    statement = select(Claim).where(Claim.factory_id == factory_id).order_by(col(Claim.id).desc())
    return list(session.exec(statement).all())


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


def _holds_until(kind: ClaimKind, until: date | None, checked_at: datetime) -> datetime:
    return starts_at(until) if until else checked_at + HOLDS[kind]


def _check_until(expires_at: datetime, checked_at: datetime) -> None:
    if expires_at <= checked_at:
        raise InvalidCheck(errors={"until": N_("The day lies in the past.")})
    if expires_at > checked_at + LONGEST:
        raise InvalidCheck(errors={"until": N_("A check holds for three years at most.")})


def _claims(session: Session, ids: Sequence[UUID]) -> dict[UUID, Claim]:
    found: dict[UUID, Claim] = {}
    lock_rows(session, Claim, ids)
    for part in chunks(ids):
        rows = session.exec(select(Claim).where(col(Claim.id).in_(part)).execution_options(populate_existing=True))
        found |= {claim.id: claim for claim in rows}
    return found


def _set_levels(session: Session, factory_ids: Sequence[UUID]) -> None:
    lock_rows(session, Factory, factory_ids)
    table, c = table_of(Factory), table_of(Claim).c
    for part in chunks(factory_ids):
        kinds: dict[UUID, set[str]] = {factory_id: set() for factory_id in part}
        rows = session.execute(
            sa.select(c.factory_id, c.kind).where(c.factory_id.in_(part), c.state == ClaimState.VERIFIED).distinct()
        )
        for row in rows:
            kinds[row.factory_id].add(row.kind)
        by_level: dict[FactoryLevel, list[UUID]] = defaultdict(list)
        for factory_id, verified in kinds.items():
            by_level[FactoryLevel(level_of(verified))].append(factory_id)
        for level, ids in by_level.items():
            session.execute(sa.update(table).where(table.c.id.in_(ids)).values(level=level))


def _unanswered(session: Session, now: datetime) -> dict[UUID, int]:
    """How many offers each factory let run out lately."""
    c = table_of(Offer).c
    rows = session.execute(
        sa.select(c.factory_id, sa.func.count().label("count"))
        .where(c.state == OfferState.EXPIRED, c.answered_at >= now - UNANSWERED_WITHIN)
        .group_by(c.factory_id)
    )
    return {row.factory_id: row[1] for row in rows}


def _tell_checked(session: Session, claims: Sequence[Claim], now: datetime) -> None:
    kinds = {ClaimState.VERIFIED: NoticeKind.CLAIM_VERIFIED, ClaimState.REFUSED: NoticeKind.CLAIM_REFUSED}
    tell(session, [_message(claim, kinds[claim.state]) for claim in claims], now=now)


def _message(claim: Claim, kind: NoticeKind) -> Message:
    facts = {"title": claim.title, "title_en": None, "claim": claim.title, "reason": claim.evidence}
    if claim.expires_at:
        facts["until"] = claim.expires_at.isoformat()
    at = claim.checked_at or claim.made_at
    return Message(claim.factory_id, kind, claim.factory_id, f"{kind}:{claim.id}:{at.isoformat()}", facts)
