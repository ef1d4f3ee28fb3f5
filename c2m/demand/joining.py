"""Joining a campaign: first come, first served, within cap and limit, each key once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_missing, insert_rows, lock_rows, table_of, update_rows, uuid7
from c2m.demand import queries
from c2m.demand.campaigns import CampaignNotOpen
from c2m.demand.models import BuyerTotal, Campaign, CampaignState, Pledge, PledgeLine, Variant
from c2m.demand.rules import Ladder, charge_at_joining
from c2m.errors import N_, Conflict, Invalid, Refusal
from c2m.ledger.service import Charge, request_charges

MOST_PIECES_A_PLEDGE = 1_000_000


class NothingChosen(Invalid):
    sentence = N_("Choose at least one piece.")


class UnknownVariant(Invalid):
    sentence = N_("This campaign has no such variant.")


class QuantityRefused(Invalid):
    sentence = N_("Quantities are whole numbers between 1 and 1,000,000.")


class CampaignFull(Conflict):
    sentence = N_("Only %(left)s pieces are left.")


class LimitReached(Conflict):
    sentence = N_("One buyer may take %(limit)s pieces; you already have %(held)s.")


class KeyReused(Invalid):
    sentence = N_("This form was already sent with different content. Please start again.")


@dataclass(frozen=True)
class PledgeRequest:
    """One buyer joins a campaign with (variant, pieces) pairs; the key makes sending it twice harmless."""

    campaign_id: UUID
    buyer_id: UUID
    lines: tuple[tuple[UUID, int], ...]
    idempotency_key: str
    region: str = ""

    @cached_property
    def quantity(self) -> int:
        return sum(quantity for _, quantity in self.lines)

    @cached_property
    def fingerprint(self) -> str:
        """Says whether two requests with one key ask for the same."""
        body = "|".join([str(self.campaign_id), *sorted(f"{variant}:{quantity}" for variant, quantity in self.lines)])
        return hashlib.sha256(body.encode()).hexdigest()


def place_pledges(session: Session, requests: Sequence[PledgeRequest], *, now: datetime) -> list[UUID | Refusal]:
    """Let buyers join, first come first served; each answer is the pledge's id or why not.

    Pieces are reserved and the payment is asked for in the same unit of work; a repeated key gets its first answer.
    """
    counter = _Counter.open(session, requests)
    answers: list[UUID | Refusal] = []
    accepted: list[tuple[UUID, PledgeRequest, int]] = []
    for request in requests:
        answer = counter.join(request, now)
        answers.append(answer)
        if isinstance(answer, UUID) and answer not in counter.replayed:
            accepted.append((answer, request, counter.price[answer]))
    insert_rows(session, Pledge, [counter.row(pledge_id, r, price, now) for pledge_id, r, price in accepted])
    lines = [
        {"pledge_id": pledge_id, "variant_id": variant_id, "quantity": quantity}
        for pledge_id, request, _ in accepted
        for variant_id, quantity in request.lines
    ]
    insert_rows(session, PledgeLine, lines)
    counter.write(session)
    request_charges(session, [counter.charge(pledge_id, r, price) for pledge_id, r, price in accepted], now=now)
    return answers


def place_pledge(session: Session, request: PledgeRequest, *, now: datetime) -> UUID:
    """Let one buyer join.

    Raises:
        CampaignNotOpen, CampaignFull, LimitReached, UnknownVariant, NothingChosen, QuantityRefused, KeyReused
    """
    [answer] = place_pledges(session, [request], now=now)
    if isinstance(answer, Refusal):
        raise answer
    return answer


@dataclass
class _Counter:
    """What a batch of joins is judged against: the locked campaigns and what their buyers hold."""

    campaigns: dict[UUID, dict[str, Any]]
    ladders: dict[UUID, Ladder]
    variants: dict[UUID, UUID]  # variant → campaign
    known: dict[tuple[UUID, str], tuple[UUID, str]]  # (buyer, key) → (pledge, fingerprint)
    held: dict[tuple[UUID, UUID], int]  # (campaign, buyer) → pieces, where a limit applies
    touched: set[UUID]
    touched_totals: set[tuple[UUID, UUID]]
    replayed: set[UUID]
    price: dict[UUID, int]

    @classmethod
    def open(cls, session: Session, requests: Sequence[PledgeRequest]) -> "_Counter":
        """Lock the campaigns in id order and read everything the decisions need."""
        ids = sorted({r.campaign_id for r in requests})
        lock_rows(session, Campaign, ids)
        campaigns = _campaign_rows(session, ids)
        limited = [i for i, row in campaigns.items() if row["per_buyer_limit"] is not None]
        return cls(
            campaigns=campaigns,
            ladders=queries.ladders(session, ids),
            variants=_variant_owners(session, ids),
            known=_known_keys(session, requests),
            held=_held(session, limited),
            touched=set(),
            touched_totals=set(),
            replayed=set(),
            price={},
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
        campaign = self.campaigns[request.campaign_id]
        campaign["pledged_quantity"] += request.quantity
        self.touched.add(request.campaign_id)
        if campaign["per_buyer_limit"] is not None:
            total = (request.campaign_id, request.buyer_id)
            self.held[total] = self.held.get(total, 0) + request.quantity
            self.touched_totals.add(total)
        pledge_id = uuid7()
        self.known[key] = (pledge_id, request.fingerprint)
        self.price[pledge_id] = self.ladders[request.campaign_id].price_at(campaign["pledged_quantity"])
        return pledge_id

    def _refusal(self, request: PledgeRequest, now: datetime) -> Refusal | None:
        campaign = self.campaigns.get(request.campaign_id)
        if campaign is None:
            return queries.CampaignNotFound(campaign_id=request.campaign_id)
        if campaign["state"] != CampaignState.OPEN or now >= campaign["deadline"]:
            return CampaignNotOpen(campaign_id=request.campaign_id)
        if not request.lines:
            return NothingChosen()
        if len({variant_id for variant_id, _ in request.lines}) < len(request.lines):
            return UnknownVariant()
        for variant_id, quantity in request.lines:
            if isinstance(quantity, bool) or not 1 <= quantity <= MOST_PIECES_A_PLEDGE:
                return QuantityRefused(quantity=quantity)
            if self.variants.get(variant_id) != request.campaign_id:
                return UnknownVariant(variant_id=variant_id)
        limit = campaign["per_buyer_limit"]
        held = self.held.get((request.campaign_id, request.buyer_id), 0)
        if limit is not None and held + request.quantity > limit:
            return LimitReached(limit=limit, held=held)
        left = None if campaign["cap"] is None else campaign["cap"] - campaign["pledged_quantity"]
        if left is not None and request.quantity > left:
            return CampaignFull(left=left, campaign_id=request.campaign_id)
        return None

    def row(self, pledge_id: UUID, request: PledgeRequest, price_minor: int, now: datetime) -> dict[str, object]:
        campaign = self.campaigns[request.campaign_id]
        return {
            "id": pledge_id,
            "campaign_id": request.campaign_id,
            "buyer_id": request.buyer_id,
            "quantity": request.quantity,
            "unit_price_minor": price_minor,
            "charged_minor": charge_at_joining(price_minor, request.quantity, campaign["deposit_minor"]),
            "region": request.region,
            "idempotency_key": request.idempotency_key,
            "request_hash": request.fingerprint,
            "placed_at": now,
        }

    def charge(self, pledge_id: UUID, request: PledgeRequest, price_minor: int) -> Charge:
        campaign = self.campaigns[request.campaign_id]
        return Charge(
            reference=f"pledge:{pledge_id}",
            purpose="demand.pledge",
            subject_id=pledge_id,
            payer_id=request.buyer_id,
            escrow_owner_id=request.campaign_id,
            amount_minor=charge_at_joining(price_minor, request.quantity, campaign["deposit_minor"]),
            currency=campaign["currency"],
        )

    def write(self, session: Session) -> None:
        """Store the new totals; the CHECK constraints judge them once more."""
        totals = [{"id": i, "pledged_quantity": self.campaigns[i]["pledged_quantity"]} for i in self.touched]
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


def _campaign_rows(session: Session, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    c = table_of(Campaign).c
    columns = (c.id, c.state, c.deadline, c.cap, c.per_buyer_limit, c.pledged_quantity, c.deposit_minor, c.currency)
    rows: dict[UUID, dict[str, Any]] = {}
    for part in chunks(ids):
        rows |= {row.id: dict(row._mapping) for row in session.execute(sa.select(*columns).where(c.id.in_(part)))}
    return rows


def _variant_owners(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    c = table_of(Variant).c
    owners: dict[UUID, UUID] = {}
    for part in chunks(campaign_ids):
        rows = session.execute(sa.select(c.id, c.campaign_id).where(c.campaign_id.in_(part)))
        owners |= {row.id: row.campaign_id for row in rows}
    return owners


def _known_keys(session: Session, requests: Sequence[PledgeRequest]) -> dict[tuple[UUID, str], tuple[UUID, str]]:
    c = table_of(Pledge).c
    keys = list({(r.buyer_id, r.idempotency_key) for r in requests})
    known: dict[tuple[UUID, str], tuple[UUID, str]] = {}
    for part in chunks(keys, 200):
        statement = sa.select(c.buyer_id, c.idempotency_key, c.id, c.request_hash).where(
            sa.tuple_(c.buyer_id, c.idempotency_key).in_(part)
        )
        known |= {(row[0], row[1]): (row[2], row[3]) for row in session.execute(statement)}
    return known


def _held(session: Session, limited: Sequence[UUID]) -> dict[tuple[UUID, UUID], int]:
    c = table_of(BuyerTotal).c
    held: dict[tuple[UUID, UUID], int] = {}
    for part in chunks(limited):
        rows = session.execute(sa.select(c.campaign_id, c.buyer_id, c.quantity).where(c.campaign_id.in_(part)))
        held |= {(row.campaign_id, row.buyer_id): row.quantity for row in rows}
    return held
