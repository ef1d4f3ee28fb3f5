"""The market that the joining benchmarks rush at: campaigns without and with a crowd, buyers who are signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa

from c2m import migrations
from c2m.db import Database, insert_rows
from c2m.demand.joining import place_pledges
from c2m.demand.models import Campaign, CampaignKind, CampaignState, PriceTier, Variant
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.policies import standard_policy
from c2m.identity.models import Organisation, Role, RoleGrant, SignIn, User
from c2m.ledger.service import escrow, open_accounts
from c2m.outbox import announce

CURRENCY = "CNY"
LIVED = 3_000  # pledges there are before anybody rushes


def campaign_id(number: int) -> UUID:
    return UUID(f"00000000-0000-7000-8001-{number:012x}")


def variant_id(number: int) -> UUID:
    return UUID(f"00000000-0000-7000-8002-{number:012x}")


def buyer_id(number: int) -> UUID:
    return UUID(f"00000000-0000-7000-8003-{number:012x}")


def sign_in_token(number: int) -> str:
    return f"bench-{number:012x}-{'x' * 24}"


@dataclass(frozen=True)
class Size:
    """How large the market is; `cap` is of each campaign."""

    campaigns: int
    buyers: int
    cap: int | None = None


def fill(database: Database, size: Size, *, now: datetime) -> None:
    """Make every table of an empty database and fill it: campaigns, buyers 1… and a sign-in for each of them.

    Campaign 0 is not part of the rush: its pledges stand for a platform that has lived, as plans made on empty tables
    are not those that a platform runs on.
    """
    migrations.create(database)
    people = [(UUID(int=1), Role.MERCHANDISER)] + [(buyer_id(n), Role.BUYER) for n in range(1, size.buyers + 1)]
    with database.transaction() as session:
        policy = standard_policy(session, now=now)
        organisations = [
            {"id": i, "name": f"House {i.int % 10**6}", "kind": role, "region": "Hangzhou", "registered_at": now}
            for i, role in people
        ]
        insert_rows(session, Organisation, organisations)
        users = [
            {
                "id": i,
                "organisation_id": i,
                "email": f"{i.hex}@bench.test",
                "name": "Somebody",
                "password_hash": "nobody signs in with a password here",
                "registered_at": now,
            }
            for i, _role in people
        ]
        insert_rows(session, User, users)
        insert_rows(session, RoleGrant, [{"user_id": i, "role": role.value} for i, role in people])
        sign_ins = [
            {
                "token_hash": sha256(sign_in_token(n).encode()).hexdigest(),
                "user_id": buyer_id(n),
                "signed_in_at": now,
                "expires_at": now + timedelta(days=1),
            }
            for n in range(1, size.buyers + 1)
        ]
        insert_rows(session, SignIn, sign_ins)
        numbers = range(size.campaigns + 1)
        campaigns = [
            {
                "id": campaign_id(n),
                "number": f"C-BENCH-{n}",
                "organisation_id": UUID(int=1),
                "kind": CampaignKind.GROUP_BUY,
                "title": "Phone",
                "category": "electronics",
                "currency": CURRENCY,
                "minimum": 1,
                "cap": size.cap if n else None,
                "policy_id": policy.id,
                "state": CampaignState.OPEN,
                "deadline": now + timedelta(days=7),
                "promised_date": now + timedelta(days=40),
                "created_at": now,
                "opened_at": now,
            }
            for n in numbers
        ]
        insert_rows(session, Campaign, campaigns)
        ladder = ((1, 199_900), (1_000, 189_900), (10_000, 179_900))
        tiers = [
            {"campaign_id": campaign_id(n), "from_quantity": at, "price_minor": price}
            for n in numbers
            for at, price in ladder
        ]
        insert_rows(session, PriceTier, tiers)
        variants = [
            {"id": variant_id(n), "campaign_id": campaign_id(n), "position": 0, "colour": "black", "size": "256 GB"}
            for n in numbers
        ]
        insert_rows(session, Variant, variants)
        announce(session, "demand.campaigns_opened", [campaign_id(n) for n in numbers], now=now)
        open_accounts(session, [escrow(campaign_id(n), CURRENCY) for n in numbers])
    for batch in range(LIVED // 250):
        with database.transaction() as session:
            buyers = [batch * 250 + n for n in range(250)]
            place_pledges(session, [_lived(n, buyer_id(n % size.buyers + 1)) for n in buyers], now=now)
    analyse(database)


def _lived(number: int, buyer: UUID) -> PledgeRequest:
    return PledgeRequest(campaign_id(0), buyer, ((variant_id(0), 1),), f"lived-{number}")


def analyse(database: Database) -> None:
    """Tell the planner what it has before it plans."""
    with database.engine.begin() as connection:
        connection.execute(sa.text("ANALYZE"))
