"""The shop that puts its products up for pooling, and the buyers who join: through the use cases of the web."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import Database, chunks, table_of
from c2m.demand.campaigns import CampaignDraft, create_campaigns, open_campaigns
from c2m.demand.joining import place_pledges
from c2m.demand.models import CampaignKind, Variant
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.policies import standard_policy
from c2m.demand.rules import Tier
from c2m.errors import N_, Invalid, Refusal
from c2m.identity.models import Role
from c2m.identity.queries import organisations_by_email
from c2m.identity.service import Registration, register_organisation, register_organisations
from c2m.money import share
from c2m.replay.lines import OrderLine
from c2m.replay.measures import Ladder
from c2m.replay.pooling import DailyPledge, MarketDay, Window

CATEGORY = "general"
AS_ORDERED = ("as ordered", "")
NO_PASSWORD = "!"  # noqa: S105 - no hash: nobody signs in as a replayed buyer
DOMAIN = "replay.invalid"  # never a real address (RFC 2606)
PLEDGES_AT_ONCE = 2_000


class LineRefused(Refusal):
    sentence = N_("Line %(line_no)s can't be replayed: %(problem)s")


@dataclass(frozen=True)
class Terms:
    """On what terms every product is put up."""

    ladder: Ladder
    minimum: int
    currency: str


@dataclass(frozen=True, slots=True)
class _Stall:
    """A campaign that is open, and its one variant."""

    campaign_id: UUID
    variant_id: UUID


class Shop:
    """The merchandiser with a campaign for each open window; memory holds the open ones only."""

    def __init__(self, database: Database, terms: Terms, *, zone: ZoneInfo, now: datetime) -> None:
        self.database = database
        self.terms = terms
        self._stalls: dict[Window, _Stall] = {}
        with database.transaction() as session:
            self._policy = standard_policy(session, now=now, time_zone=zone.key)
            shop = Registration(Role.MERCHANDISER, "The shop", f"shop@{DOMAIN}", "Merchandiser", NO_PASSWORD)
            self._merchandiser_id = register_organisation(session, shop, now=now).organisation_id

    def open(self, today: MarketDay, *, closes_at: Sequence[datetime], now: datetime) -> None:
        """Take down what closes and put up a campaign for each window that opens, at its first order's price.

        Raises:
            LineRefused
        """
        for window in today.closing:
            del self._stalls[window]
        firsts = first_lines(today)
        drafts = [self._draft(firsts[w], at) for w, at in zip(today.opening, closes_at, strict=True)]
        with self.database.transaction() as session:
            answers = create_campaigns(session, drafts, policy=self._policy, now=now)
            ids = _accepted(answers, [firsts[window] for window in today.opening])
            open_campaigns(session, ids, now=now)
            variants = _variants(session, ids)
        self._stalls |= {w: _Stall(i, variants[i]) for w, i in zip(today.opening, ids, strict=True)}

    def place(self, pledges: Sequence[DailyPledge], *, now: datetime) -> None:
        """Let the buyers join, in the order of their first lines.

        Raises:
            LineRefused
        """
        for part in chunks(pledges, PLEDGES_AT_ONCE):
            with self.database.transaction() as session:
                buyers = self._buyers(session, part, now)
                requests = [self._request(pledge, buyers[pledge.buyer]) for pledge in part]
                answers = place_pledges(session, requests, now=now)
                _accepted(answers, [pledge.lines[0] for pledge in part])

    def _draft(self, first: OrderLine, closes_at: datetime) -> CampaignDraft:
        return CampaignDraft(
            organisation_id=self._merchandiser_id,
            kind=CampaignKind.GROUP_BUY,
            title=f"{first.product} {first.description}".strip()[:120],
            category=CATEGORY,
            currency=self.terms.currency,
            variants=(AS_ORDERED,),
            tiers=tiers(first.unit_price_minor, self.terms.ladder),
            minimum=self.terms.minimum,
            deadline=closes_at,
        )

    def _request(self, pledge: DailyPledge, buyer_id: UUID) -> PledgeRequest:
        stall, first = self._stalls[pledge.window], pledge.lines[0]
        return PledgeRequest(
            campaign_id=stall.campaign_id,
            buyer_id=buyer_id,
            lines=((stall.variant_id, pledge.quantity),),
            idempotency_key=f"line {first.line_no}",
            region=first.country[:60],
        )

    def _buyers(self, session: Session, pledges: Sequence[DailyPledge], now: datetime) -> dict[str, UUID]:
        """The organisations behind these buyers' names; whoever orders for the first time is registered."""
        address = {pledge.buyer: email_of(pledge.buyer) for pledge in pledges}
        country = {pledge.buyer: pledge.lines[0].country for pledge in pledges}
        known = organisations_by_email(session, list(address.values()))
        new = [
            Registration(Role.BUYER, buyer[:120], email, buyer[:80], NO_PASSWORD, region=country[buyer][:60])
            for buyer, email in address.items()
            if email not in known
        ]
        for registration, answer in zip(new, register_organisations(session, new, now=now), strict=True):
            if isinstance(answer, Refusal):
                raise answer
            known[registration.email] = answer.organisation_id
        return {buyer: known[email] for buyer, email in address.items()}


def email_of(buyer: str) -> str:
    """The address a buyer is known by: any text in the file is one buyer, however long or odd."""
    return f"{blake2b(buyer.encode(), digest_size=16).hexdigest()}@{DOMAIN}"


def tiers(price_minor: int, ladder: Ladder) -> tuple[Tier, ...]:
    """The price from one piece on, then each step's share off, rounded; steps that save nothing are left out."""
    found = {1: price_minor}
    for step in ladder.steps:
        reduced = price_minor - share(price_minor, step.off_ppm)
        if 0 < reduced < min(found.values()):
            found[step.pieces] = reduced
    return tuple(Tier(pieces, minor) for pieces, minor in found.items())


def first_lines(today: MarketDay) -> dict[Window, OrderLine]:
    """The day's first order line in each window."""
    found: dict[Window, OrderLine] = {}
    for pledge in today.pledges:
        found.setdefault(pledge.window, pledge.lines[0])
    return found


def _variants(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Each of these campaigns' one variant."""
    c = table_of(Variant).c
    found: dict[UUID, UUID] = {}
    for part in chunks(campaign_ids):
        rows = session.execute(sa.select(c.campaign_id, c.id).where(c.campaign_id.in_(part)))
        found |= {row.campaign_id: row.id for row in rows}
    return found


def _accepted(answers: Sequence[UUID | Refusal], lines: Sequence[OrderLine]) -> list[UUID]:
    """The ids, where all were accepted.

    Raises:
        LineRefused: the platform says no to what a line asks for.
    """
    ids = []
    for answer, line in zip(answers, lines, strict=True):
        if isinstance(answer, Refusal):
            problem = " ".join(answer.errors.values()) if isinstance(answer, Invalid) and answer.errors else answer
            raise LineRefused(line_no=line.line_no, problem=problem)
        ids.append(answer)
    return ids
