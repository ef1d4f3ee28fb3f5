"""Rows for tests: each builder inserts what it names, with sensible values where the test says nothing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from c2m.db import number_of, uuid7
from c2m.demand.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    DemandSheet,
    Pledge,
    PledgeLine,
    PledgeState,
    Policy,
    PriceTier,
    SheetLine,
    SheetPledge,
    Variant,
)
from c2m.identity.models import Organisation, Role
from c2m.ledger.models import Transfer
from c2m.ledger.provider import Answer
from c2m.ledger.service import Charge, record_answers, request_charges
from c2m.matching.models import (
    Capability,
    Claim,
    ClaimKind,
    ClaimState,
    Factory,
    FactoryLevel,
    MatchRun,
    Offer,
    OfferLine,
    OfferState,
    PriceBreak,
)

MORNING = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
"""When the rows came into being, unless a test says otherwise."""


def an_organisation(session: Session, kind: Role, **fields: Any) -> Organisation:
    """A buyer, factory or merchandiser that may act."""
    organisation = Organisation(**{"name": f"A {kind} house", "kind": kind, "registered_at": MORNING} | fields)
    session.add(organisation)
    session.flush()
    return organisation


def a_factory(session: Session, **fields: Any) -> Factory:
    """A verified factory of a belt, without capabilities."""
    organisation = an_organisation(session, Role.FACTORY)
    factory = Factory(**{"id": organisation.id, "belt": "Humen", "region": "Guangdong"} | fields)
    session.add(factory)
    session.flush()
    verify(session, factory)
    return factory


def verify(session: Session, factory: Factory) -> Factory:
    """Have a factory's licence verified for a long time."""
    factory.level = FactoryLevel.VERIFIED
    licence = Claim(
        factory_id=factory.id,
        kind=ClaimKind.LICENCE,
        title="Licence",
        made_at=MORNING,
        state=ClaimState.VERIFIED,
        evidence="seen",
        checked_at=MORNING,
        expires_at=MORNING + timedelta(days=3650),
    )
    session.add_all([factory, licence])
    session.flush()
    return factory


def a_capability(session: Session, factory: Factory, **fields: Any) -> Capability:
    """A line that sews T-shirts."""
    line = {"category": "tshirt", "process": "sewing", "weekly_capacity": 1000, "minimum": 1, "lead_days": 3}
    capability = Capability(**{"factory_id": factory.id} | line | fields)
    session.add(capability)
    session.flush()
    return capability


def a_line(session: Session, factory: Factory | None = None, **fields: Any) -> Capability:
    """A line that sews T-shirts at ¥60 a piece, or at `prices` {from pieces: minor units}; of a factory of its own."""
    prices = fields.pop("prices", {1: 60_00})
    capability = a_capability(session, factory or a_factory(session), **fields)
    for from_quantity, price_minor in prices.items():
        session.add(PriceBreak(capability_id=capability.id, from_quantity=from_quantity, unit_price_minor=price_minor))
    session.flush()
    return capability


def a_policy(session: Session, **fields: Any) -> Policy:
    """Terms: fee 3 %, compensation 1 % a day up to 30 %, settled after 15 days."""
    terms = {
        "name": f"terms-{uuid7()}",
        "fee_ppm": 30_000,
        "target_cost_ppm": 800_000,
        "compensation_ppm_per_day": 10_000,
        "compensation_cap_ppm": 300_000,
        "settlement_days": 15,
        "balance_days": 3,
        "payment_minutes": 30,
        "production_days": 28,
        "created_at": MORNING,
    }
    policy = Policy(**terms | fields)
    session.add(policy)
    session.flush()
    return policy


def a_campaign(
    session: Session,
    *,
    policy: Policy | None = None,
    tiers: Mapping[int, int] | None = None,
    variants: Sequence[tuple[str, str]] = (("black", "M"),),
    **fields: Any,
) -> tuple[Campaign, list[Variant]]:
    """An open group-buy of T-shirts at ¥100 with these variants (colour, size) and tiers {from: price_minor}."""
    campaign_id = uuid7()
    row = {
        "id": campaign_id,
        "number": number_of("C", campaign_id),
        "kind": CampaignKind.GROUP_BUY,
        "title": "T 恤",
        "title_en": "T-shirt",
        "category": "tshirt",
        "currency": "CNY",
        "minimum": 1,
        "deadline": MORNING + timedelta(days=7),
        "promised_date": MORNING + timedelta(days=35),
        "state": CampaignState.OPEN,
        "created_at": MORNING,
        "opened_at": MORNING,
    }
    if "organisation_id" not in fields:
        row["organisation_id"] = an_organisation(session, Role.MERCHANDISER).id
    campaign = Campaign(**row | {"policy_id": (policy or a_policy(session)).id} | fields)
    session.add(campaign)
    session.flush()
    for from_quantity, price_minor in (tiers or {1: 100_00}).items():
        session.add(PriceTier(campaign_id=campaign.id, from_quantity=from_quantity, price_minor=price_minor))
    found = [Variant(campaign_id=campaign.id, position=i, colour=c, size=s) for i, (c, s) in enumerate(variants)]
    session.add_all(found)
    session.flush()
    return campaign, found


def a_confirmed_pledge(
    session: Session,
    campaign: Campaign,
    lines: Mapping[UUID, int],
    *,
    price_minor: int = 100_00,
    payments: Sequence[int] | None = None,
    placed_at: datetime = MORNING,
) -> Pledge:
    """A pledge for pieces by variant, its payments (the full price unless named) held in escrow."""
    quantity = sum(lines.values())
    payments = [price_minor * quantity] if payments is None else payments
    pledge = Pledge(
        campaign_id=campaign.id,
        buyer_id=an_organisation(session, Role.BUYER).id,
        quantity=quantity,
        unit_price_minor=price_minor,
        charged_minor=payments[0],
        final_price_minor=price_minor,
        state=PledgeState.CONFIRMED,
        idempotency_key="once",
        request_hash="",
        placed_at=placed_at,
        paid_at=placed_at,
    )
    session.add(pledge)
    session.flush()
    session.add_all(PledgeLine(pledge_id=pledge.id, variant_id=v, quantity=q) for v, q in lines.items())
    session.flush()
    for number, amount_minor in enumerate(payments):
        charge_into_escrow(session, pledge, campaign, amount_minor, reference=f"charge:{pledge.id}:{number}")
    return pledge


def charge_into_escrow(
    session: Session, pledge: Pledge, campaign: Campaign, amount_minor: int, *, reference: str
) -> Transfer:
    """Money of a pledge's buyer, asked for and arrived in the campaign's escrow."""
    charge = Charge(
        reference,
        "test",
        pledge.id,
        pledge.buyer_id,
        campaign.id,
        amount_minor=amount_minor,
        currency=campaign.currency,
    )
    [transfer_id] = request_charges(session, [charge], now=pledge.placed_at)
    record_answers(session, [(transfer_id, Answer(accepted=True))], "test", now=pledge.placed_at)
    return session.get_one(Transfer, transfer_id)


def a_sheet(session: Session, campaign: Campaign, pledges: Sequence[Pledge], **fields: Any) -> DemandSheet:
    """The demand sheet of a succeeded campaign, made of all lines of these pledges."""
    sheet_id = uuid7()
    row = {
        "id": sheet_id,
        "number": number_of("DS", sheet_id),
        "campaign_id": campaign.id,
        "title": campaign.title,
        "title_en": campaign.title_en,
        "category": campaign.category,
        "processes": ["sewing"],
        "currency": campaign.currency,
        "quantity": sum(pledge.quantity for pledge in pledges),
        "unit_price_minor": 100_00,
        "target_cost_minor": 80_00,
        "required_date": campaign.promised_date,
        "issued_at": MORNING,
    }
    sheet = DemandSheet(**row | fields)
    campaign.state = CampaignState.SUCCEEDED
    session.add_all([sheet, campaign])
    session.flush()
    totals: dict[UUID, int] = {}
    for pledge in pledges:
        for line in session.exec(select(PledgeLine).where(PledgeLine.pledge_id == pledge.id)):
            totals[line.variant_id] = totals.get(line.variant_id, 0) + line.quantity
            session.add(
                SheetPledge(sheet_id=sheet.id, variant_id=line.variant_id, pledge_id=pledge.id, quantity=line.quantity)
            )
    session.add_all(SheetLine(sheet_id=sheet.id, variant_id=v, quantity=q) for v, q in totals.items())
    session.flush()
    return sheet


def an_open_sheet(
    session: Session, quantity: int, *, variants: Sequence[tuple[str, str]] = (("black", "M"),), **fields: Any
) -> DemandSheet:
    """A sheet of a T-shirt campaign with one pledge for all its pieces, spread evenly over the variants."""
    campaign, found = a_campaign(session, variants=variants)
    share, more = divmod(quantity, len(found))
    lines = {variant.id: share + (i < more) for i, variant in enumerate(found) if share + (i < more)}
    return a_sheet(session, campaign, [a_confirmed_pledge(session, campaign, lines)], **fields)


def an_offer(
    session: Session,
    sheet: DemandSheet,
    capability: Capability,
    lines: Mapping[UUID, int],
    *,
    unit_price_minor: int = 60_00,
    **fields: Any,
) -> Offer:
    """An accepted offer of these pieces by variant."""
    run = MatchRun(started_at=MORNING, sheets=1, factories=1, offers_made=1, status="optimal")
    session.add(run)
    session.flush()
    quantity = sum(lines.values())
    row = {
        "run_id": run.id,
        "sheet_id": sheet.id,
        "factory_id": capability.factory_id,
        "capability_id": capability.id,
        "quantity": quantity,
        "unit_price_minor": unit_price_minor,
        "total_minor": unit_price_minor * quantity,
        "currency": sheet.currency,
        "deliver_by": sheet.required_date,
        "state": OfferState.ACCEPTED,
        "offered_at": MORNING,
        "expires_at": MORNING + timedelta(days=2),
        "answered_at": MORNING,
    }
    offer = Offer(**row | fields)
    session.add(offer)
    session.flush()
    session.add_all(OfferLine(offer_id=offer.id, variant_id=v, quantity=q) for v, q in lines.items())
    session.flush()
    return offer
