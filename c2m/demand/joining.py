"""Joining a campaign: first come, first served, within cap and limit, each key once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.clock import Clock
from c2m.db import Locked, chunks, insert_missing, insert_rows, lock_and_read, table_of, update_rows, uuid7
from c2m.demand import queries
from c2m.demand.campaigns import CampaignNotOpen
from c2m.demand.models import BuyerTotal, Campaign, CampaignKind, CampaignState, Pledge, PledgeLine, Team, Variant
from c2m.demand.pledge_requests import (
    KeyReused,
    NothingMissing,
    Offer,
    Offers,
    OwnCampaign,
    PledgeRequest,
    Teams,
    no_room,
    unfit,
)
from c2m.demand.rules import JoinedAt, charge_at_joining, price_when_joining
from c2m.demand.samples import SampleCredits
from c2m.errors import Refusal
from c2m.ledger.service import Charge, request_charges

_KEYED = table_of(Pledge).c
_KNOWN_KEYS = sa.select(_KEYED.buyer_id, _KEYED.idempotency_key, _KEYED.id, _KEYED.request_hash).where(
    sa.tuple_(_KEYED.buyer_id, _KEYED.idempotency_key).in_(sa.bindparam("keys", expanding=True))
)
_TOTALS = ("pledged_quantity", "flexible_quantity", "conditional_quantity")
_JUDGED_BY = (
    "id",
    "organisation_id",
    "kind",
    "state",
    "deadline",
    "minimum",
    "cap",
    "per_buyer_limit",
    "deposit_minor",
    "currency",
    "colour_minimum",
    "next_round_days",
    "sample_campaign_id",
)


def place_pledges(
    session: Session, requests: Sequence[PledgeRequest], *, now: datetime | Clock, offers: Offers | None = None
) -> list[UUID | Refusal]:
    """Let buyers join, first come first served; each answer is the pledge's id or why not.

    Pieces are reserved and the payment is asked for in the same unit of work; a repeated key gets its first answer.
    A clock is read once the campaigns are locked. `offers` keeps what was read of open campaigns for the next batch.
    """
    counter = _Counter.open(session, requests, {} if offers is None else offers)
    now = now if isinstance(now, datetime) else counter.locked.time_by(now)
    answers: list[UUID | Refusal] = []
    accepted: list[tuple[UUID, PledgeRequest]] = []
    for request in requests:
        answer = counter.join(request, now)
        answers.append(answer)
        if isinstance(answer, UUID) and answer not in counter.replayed:
            accepted.append((answer, request))
    insert_rows(session, Pledge, [counter.row(pledge_id, request, now) for pledge_id, request in accepted])
    insert_rows(
        session, PledgeLine, [line for pledge_id, request in accepted for line in _line_rows(pledge_id, request)]
    )
    counter.write(session)
    request_charges(session, [counter.charge(pledge_id, request) for pledge_id, request in accepted], now=now)
    return answers


def place_pledge(session: Session, request: PledgeRequest, *, now: datetime) -> UUID:
    """Let one buyer join.

    Raises:
        CampaignNotOpen, CampaignFull, LimitReached, UnknownVariant, UnknownColour, NothingChosen, QuantityRefused,
        FlexibleAlone, CeilingRefused, UnknownTeam, OwnCampaign, NothingMissing, KeyReused
    """
    [answer] = place_pledges(session, [request], now=now)
    if isinstance(answer, Refusal):
        raise answer
    return answer


def _line_rows(pledge_id: UUID, request: PledgeRequest) -> list[dict[str, object]]:
    flexible = dict(request.flexible)
    return [
        {
            "pledge_id": pledge_id,
            "variant_id": variant,
            "quantity": quantity,
            "flexible_quantity": flexible.get(variant, 0),
        }
        for variant, quantity in request.lines
    ]


@dataclass
class _Counter:
    """What a batch of joins is judged against: the locked campaigns and what their buyers hold."""

    locked: Locked
    offers: Offers
    known: dict[tuple[UUID, str], tuple[UUID, str]]  # (buyer, key) → (pledge, fingerprint)
    held: dict[tuple[UUID, UUID], int]  # (campaign, buyer) → pieces, where a limit applies
    teams: Teams
    touched: set[UUID]
    touched_totals: set[tuple[UUID, UUID]]
    replayed: set[UUID]
    joined: dict[UUID, JoinedAt]
    credits: SampleCredits

    @property
    def campaigns(self) -> dict[UUID, dict[str, Any]]:
        return self.locked.rows

    @classmethod
    def open(cls, session: Session, requests: Sequence[PledgeRequest], offers: Offers) -> "_Counter":
        """Lock the campaigns in id order and read everything the decisions need."""
        ids = sorted({r.campaign_id for r in requests})
        locked = lock_and_read(session, Campaign, (*_JUDGED_BY, *_TOTALS), ids)
        campaigns = locked.rows
        read = offers_of(session, [i for i in campaigns if i not in offers])
        offers |= {i: offer for i, offer in read.items() if campaigns[i]["state"] == CampaignState.OPEN}
        limited = {i for i, row in campaigns.items() if row["per_buyer_limit"] is not None}
        totals = sorted({(r.campaign_id, r.buyer_id) for r in requests if r.campaign_id in limited})
        return cls(
            locked=locked,
            offers=offers | read,
            known=_known_keys(session, requests),
            held=_held(session, totals),
            teams=teams_named(session, requests),
            touched=set(),
            touched_totals=set(),
            replayed=set(),
            joined={},
            credits=SampleCredits.open(session, campaigns, {r.buyer_id for r in requests}),
        )

    def join(self, request: PledgeRequest, now: datetime) -> UUID | Refusal:
        """Decide one request and count it in."""
        key = (request.buyer_id, request.idempotency_key)
        if key in self.known:
            pledge_id, fingerprint = self.known[key]
            if fingerprint != request.fingerprint:
                return KeyReused(idempotency_key=request.idempotency_key)
            self.replayed.add(pledge_id)
            return pledge_id
        if refusal := self._refusal(request, now):
            return refusal
        pledge_id = uuid7()
        self.known[key] = (pledge_id, request.fingerprint)
        joined = self.joined[pledge_id] = self._count(request)
        self.credits.take(pledge_id, request.campaign_id, request.buyer_id, joined.unit_price_minor, request.quantity)
        return pledge_id

    def _count(self, request: PledgeRequest) -> JoinedAt:
        """Add a request's pieces to the totals, at the price they make."""
        campaign = self.campaigns[request.campaign_id]
        joined = price_when_joining(
            self.offers[request.campaign_id].ladder,
            campaign["pledged_quantity"] - campaign["conditional_quantity"],
            request.quantity,
            ceiling_minor=request.ceiling_minor,
            accepts_dearer=request.accepts_dearer,
        )
        campaign["pledged_quantity"] += request.quantity
        campaign["flexible_quantity"] += request.flexible_quantity
        campaign["conditional_quantity"] += request.quantity if joined.conditional else 0
        self.touched.add(request.campaign_id)
        if campaign["per_buyer_limit"] is not None and not request.merchant_funded:
            total = (request.campaign_id, request.buyer_id)
            self.held[total] = self.held.get(total, 0) + request.quantity + request.flexible_quantity
            self.touched_totals.add(total)
        return joined

    def _refusal(self, request: PledgeRequest, now: datetime) -> Refusal | None:
        campaign = self.campaigns.get(request.campaign_id)
        if campaign is None:
            return queries.CampaignNotFound(campaign_id=request.campaign_id)
        if campaign["state"] != CampaignState.OPEN or now >= campaign["deadline"]:
            return CampaignNotOpen(campaign_id=request.campaign_id)
        if refusal := unfit(request, self.offers[request.campaign_id], self.teams) or self._own(request, campaign):
            return refusal
        return no_room(
            request.quantity,
            request.flexible_quantity,
            limit=None if request.merchant_funded else campaign["per_buyer_limit"],
            held=self.held.get((request.campaign_id, request.buyer_id), 0),
            left=None if campaign["cap"] is None else campaign["cap"] - campaign["pledged_quantity"],
        )

    def _own(self, request: PledgeRequest, campaign: dict[str, Any]) -> Refusal | None:
        """A merchandiser may only complete its own group-buy, openly, and by no more than is missing."""
        is_own = request.buyer_id == campaign["organisation_id"]
        if is_own != request.merchant_funded:
            return OwnCampaign(campaign_id=request.campaign_id)
        certain = campaign["pledged_quantity"] - campaign["conditional_quantity"]
        missing = 0 if campaign["kind"] == CampaignKind.PRESALE else max(campaign["minimum"] - certain, 0)
        if is_own and request.quantity + request.flexible_quantity > missing:
            return NothingMissing(missing=missing, campaign_id=request.campaign_id)
        return None

    def row(self, pledge_id: UUID, request: PledgeRequest, now: datetime) -> dict[str, object]:
        campaign, joined = self.campaigns[request.campaign_id], self.joined[pledge_id]
        return {
            "id": pledge_id,
            "campaign_id": request.campaign_id,
            "buyer_id": request.buyer_id,
            "quantity": request.quantity,
            "flexible_quantity": request.flexible_quantity,
            "unit_price_minor": joined.unit_price_minor,
            "ceiling_minor": joined.ceiling_minor,
            "accepts_dearer": request.accepts_dearer and joined.ceiling_minor is not None,
            "fallback_colour": request.fallback_colour if campaign["colour_minimum"] else "",
            "joins_next_round": request.joins_next_round and campaign["next_round_days"] > 0,
            "charged_minor": self._charged(pledge_id, request),
            "credit_minor": self.credits.of(pledge_id),
            "team_id": None if self._leads(request) else request.team_id,
            "merchant_funded": request.merchant_funded,
            "region": request.region,
            "idempotency_key": request.idempotency_key,
            "request_hash": request.fingerprint,
            "placed_at": now,
        }

    def _leads(self, request: PledgeRequest) -> bool:
        return request.team_id is not None and self.teams[request.team_id][1] == request.buyer_id

    def charge(self, pledge_id: UUID, request: PledgeRequest) -> Charge:
        return Charge(
            reference=f"pledge:{pledge_id}",
            purpose="demand.pledge",
            subject_id=pledge_id,
            payer_id=request.buyer_id,
            escrow_owner_id=request.campaign_id,
            amount_minor=self._charged(pledge_id, request),
            currency=self.campaigns[request.campaign_id]["currency"],
        )

    def _charged(self, pledge_id: UUID, request: PledgeRequest) -> int:
        pieces = request.quantity + request.flexible_quantity
        deposit_minor = self.campaigns[request.campaign_id]["deposit_minor"]
        full = charge_at_joining(self.joined[pledge_id].unit_price_minor, pieces, deposit_minor)
        return full - self.credits.of(pledge_id)

    def write(self, session: Session) -> None:
        """Store the new totals; the CHECK constraints judge them once more."""
        self.credits.write(session)
        totals = [{name: self.campaigns[i][name] for name in ("id", *_TOTALS)} for i in self.touched]
        update_rows(session, Campaign, totals)
        rows = [
            {
                "campaign_id": campaign_id,
                "buyer_id": buyer_id,
                "quantity": self.held[campaign_id, buyer_id],
                "quantity_limit": self.campaigns[campaign_id]["per_buyer_limit"],
            }
            for campaign_id, buyer_id in sorted(self.touched_totals)
        ]
        insert_missing(session, BuyerTotal, rows)
        update_rows(session, BuyerTotal, rows, by=("campaign_id", "buyer_id"))


def offers_of(session: Session, campaign_ids: Sequence[UUID]) -> Offers:
    """What these campaigns sell."""
    if not campaign_ids:
        return {}
    c = table_of(Variant).c
    colours: dict[UUID, dict[UUID, str]] = defaultdict(dict)
    for part in chunks(campaign_ids):
        for campaign_id, variant_id, colour in session.execute(
            sa.select(c.campaign_id, c.id, c.colour).where(c.campaign_id.in_(part))
        ):
            colours[campaign_id][variant_id] = colour
    ladders = queries.ladders(session, campaign_ids)
    return {campaign_id: Offer(ladder, colours[campaign_id]) for campaign_id, ladder in ladders.items()}


def _known_keys(session: Session, requests: Sequence[PledgeRequest]) -> dict[tuple[UUID, str], tuple[UUID, str]]:
    keys = list({(r.buyer_id, r.idempotency_key) for r in requests})
    parts = (session.connection().execute(_KNOWN_KEYS, {"keys": part}) for part in chunks(keys, 200))
    return {(row[0], row[1]): (row[2], row[3]) for rows in parts for row in rows}


def _held(session: Session, totals: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], int]:
    c = table_of(BuyerTotal).c
    held: dict[tuple[UUID, UUID], int] = {}
    for part in chunks(totals, 200):
        found = sa.tuple_(c.campaign_id, c.buyer_id).in_(part)
        rows = session.execute(sa.select(c.campaign_id, c.buyer_id, c.quantity).where(found))
        held |= {(row.campaign_id, row.buyer_id): row.quantity for row in rows}
    return held


def teams_named(session: Session, requests: Sequence[PledgeRequest]) -> Teams:
    """The teams that these requests name, as far as there are such teams."""
    c = table_of(Team).c
    named = list({r.team_id for r in requests if r.team_id is not None})
    columns = sa.select(c.id, c.campaign_id, c.leader_id)
    parts = (session.execute(columns.where(c.id.in_(part))) for part in chunks(named))
    return {row.id: (row.campaign_id, row.leader_id) for rows in parts for row in rows}
