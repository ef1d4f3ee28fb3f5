"""Vetting (严选): factories claim, operators check with evidence, what was verified runs out and is checked again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, insert_rows, lock_rows, table_of, uuid7
from c2m.errors import N_, Conflict, Invalid
from c2m.identity.models import Organisation, OrganisationState
from c2m.matching.claims import ClaimNotFound
from c2m.matching.levels import (
    AFTER_REFUSED_RENEWAL,
    HOLDS,
    LONGEST,
    RECHECK_BEFORE,
    RENEWAL_REFUSED,
    RUNS_OUT,
    TOO_LONG,
    UNANSWERED_WITHIN,
    level_of,
    recheck_of,
)
from c2m.matching.models import (
    Claim,
    ClaimFinding,
    ClaimKind,
    ClaimState,
    Factory,
    FactoryLevel,
    FindingKind,
    Offer,
    OfferState,
)
from c2m.matching.offers import withdraw_offers
from c2m.matching.rules import starts_at
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

RECHECK = "matching.recheck_claims"
LICENCE_TITLE = "营业执照 Business licence"


class ClaimChecked(Conflict):
    sentence = N_("This claim has been checked already.")


class InvalidCheck(Invalid):
    sentence = N_("This check can't be recorded.")


class ClaimNotVerified(Conflict):
    sentence = N_("Only what is verified can be revoked.")


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
class Revocation:
    """Why a verified claim holds no longer."""

    claim_id: UUID
    reason: str
    revoked_by: UUID | None


@dataclass(frozen=True)
class Papers:
    """What an operator read off a licence: its number, and until when it holds, else as long as licences usually do."""

    reference: str = ""
    until: date | None = None


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
            _check_until(claim.kind, expires_at, now)
        claim.state = ClaimState.VERIFIED if check.verified else ClaimState.REFUSED
        claim.evidence, claim.recheck = check.evidence, None
        claim.checked_at, claim.checked_by = now, check.checked_by
        claim.expires_at = expires_at if check.verified else None
        session.add(claim)
    session.flush()
    _keep(session, list(claims.values()), now)
    _cut_short(session, [claim for claim in claims.values() if claim.state is ClaimState.REFUSED], now)
    _set_levels(session, sorted({claim.factory_id for claim in claims.values()}), now)
    _tell_checked(session, list(claims.values()), now)


def revoke_claim(session: Session, revocation: Revocation, *, now: datetime) -> None:
    """End a verified claim before its day. A factory without a licence that holds is no longer matched: its open
    offers are withdrawn and their pieces matched to others; what it has accepted it makes.

    Raises:
        ClaimNotFound, ClaimNotVerified, InvalidCheck: nothing is changed.
    """
    claim = _claims(session, [revocation.claim_id]).get(revocation.claim_id)
    if claim is None:
        raise ClaimNotFound(claim_id=revocation.claim_id)
    if claim.state is not ClaimState.VERIFIED:
        raise ClaimNotVerified(claim_id=claim.id)
    if not revocation.reason.strip():
        raise InvalidCheck(errors={"reason": N_("Say why.")})
    claim.state, claim.recheck, claim.expires_at = ClaimState.REFUSED, None, None
    claim.evidence, claim.checked_at, claim.checked_by = revocation.reason, now, revocation.revoked_by
    session.add(claim)
    session.flush()
    _keep(session, [claim], now, FindingKind.REVOKED)
    _set_levels(session, [claim.factory_id], now)
    _tell_checked(session, [claim], now)


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
        _check_until(ClaimKind.LICENCE, expires_at, checked_at)
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
    findings = [
        {
            "id": uuid7(),
            "claim_id": row["id"],
            "finding": FindingKind.VERIFIED,
            "seen": row["evidence"],
            "found_at": row["checked_at"],
            "found_by": row["checked_by"],
            "expires_at": row["expires_at"],
        }
        for row in rows
    ]
    insert_rows(session, ClaimFinding, findings)
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
    _keep(session, ended, now, FindingKind.EXPIRED)
    _set_levels(session, sorted({claim.factory_id for claim in ended}), now)
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


def _keep(session: Session, claims: Sequence[Claim], now: datetime, finding: FindingKind | None = None) -> None:
    """Write down in the history of claims what they have come to."""
    by_rule = finding in (FindingKind.EXPIRED, FindingKind.CUT_SHORT)
    rows = [
        {
            "id": uuid7(),
            "claim_id": claim.id,
            "finding": finding or FindingKind(claim.state),
            "seen": "" if by_rule else claim.evidence,
            "found_at": now,
            "found_by": None if by_rule else claim.checked_by,
            "expires_at": claim.expires_at,
        }
        for claim in claims
    ]
    insert_rows(session, ClaimFinding, rows)


def _cut_short(session: Session, refused: Sequence[Claim], now: datetime) -> None:
    """Have a licence hold no longer than two weeks once what was to renew it is refused; it is to be checked again."""
    latest = now + AFTER_REFUSED_RENEWAL
    factories = {claim.factory_id for claim in refused if claim.kind is ClaimKind.LICENCE}
    standing = session.exec(
        select(Claim)
        .where(
            col(Claim.factory_id).in_(sorted(factories)),
            Claim.kind == ClaimKind.LICENCE,
            Claim.state == ClaimState.VERIFIED,
        )
        .order_by(col(Claim.id))
    ).all()
    for claim in standing:
        claim.recheck, claim.expires_at = RENEWAL_REFUSED, min(claim.expires_at or latest, latest)
        session.add(claim)
    session.flush()
    _keep(session, standing, now, FindingKind.CUT_SHORT)
    tell(session, [_message(claim, NoticeKind.CLAIM_RUNS_OUT) for claim in standing], now=now)


def _holds_until(kind: ClaimKind, until: date | None, checked_at: datetime) -> datetime:
    return starts_at(until) if until else checked_at + HOLDS[kind]


def _check_until(kind: ClaimKind, expires_at: datetime, checked_at: datetime) -> None:
    if expires_at <= checked_at:
        raise InvalidCheck(errors={"until": N_("The day lies in the past.")})
    if expires_at > checked_at + LONGEST[kind]:
        raise InvalidCheck(errors={"until": TOO_LONG[kind]})


def _claims(session: Session, ids: Sequence[UUID]) -> dict[UUID, Claim]:
    found: dict[UUID, Claim] = {}
    lock_rows(session, Claim, ids)
    for part in chunks(ids):
        rows = session.exec(select(Claim).where(col(Claim.id).in_(part)).execution_options(populate_existing=True))
        found |= {claim.id: claim for claim in rows}
    return found


def _set_levels(session: Session, factory_ids: Sequence[UUID], now: datetime | None = None) -> None:
    """Have levels follow the claims that hold; with `now`, open offers to who is no longer verified are withdrawn."""
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
        if now:
            withdraw_offers(session, by_level[FactoryLevel.LISTED], now=now)


def _unanswered(session: Session, now: datetime) -> dict[UUID, int]:
    """How many offers each factory let run out lately."""
    c = table_of(Offer).c
    rows = session.execute(
        sa.select(c.factory_id, sa.func.count().label("count"))
        .where(c.state == OfferState.EXPIRED, c.reason.is_(None), c.answered_at >= now - UNANSWERED_WITHIN)
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
