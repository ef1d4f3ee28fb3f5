"""A small market that lives through demand's own use cases: what the tests of demand are written with."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from c2m.app import build_worker
from c2m.db import Database, uuid7
from c2m.demand import queries
from c2m.demand.campaigns import CampaignDraft, create_campaign, open_campaign
from c2m.demand.joining import place_pledge
from c2m.demand.models import Campaign, CampaignKind, Pledge, PledgeState
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.policies import standard_policy
from c2m.demand.rules import Tier
from c2m.identity.models import Organisation, Role
from c2m.jobs import Worker
from c2m.ledger.models import AccountKind
from c2m.ledger.provider import SandboxProvider
from c2m.ledger.queries import balance, balances_by_kind
from c2m.ledger.rules import AccountRef
from tests.builders import MORNING, an_organisation

WEEK = timedelta(days=7)
LADDER = ((1, 40_00), (50, 34_00), (200, 29_00))


@dataclass
class Market:
    """A merchandiser, any number of buyers, and time that moves when told to."""

    database: Database
    provider: SandboxProvider = field(default_factory=SandboxProvider)
    now: datetime = MORNING

    def __post_init__(self) -> None:
        self.worker: Worker = build_worker(self.database, self.provider)
        with self.database.transaction() as session:
            standard_policy(session, now=self.now)
            self.merchandiser = an_organisation(session, Role.MERCHANDISER).id

    def buyer(self) -> UUID:
        with self.database.transaction() as session:
            return an_organisation(session, Role.BUYER).id

    def campaign(self, kind: CampaignKind = CampaignKind.GROUP_BUY, **fields: object) -> UUID:
        """An open campaign of T-shirts in black M and L, ¥40 falling to ¥34 from 50 and ¥29 from 200."""
        if kind is CampaignKind.PRESALE:
            fields = {"deposit_minor": 5_00, "deposit_counts_minor": 10_00} | fields
        tiers = tuple(Tier(*pair) for pair in fields.pop("ladder", LADDER))  # type: ignore[attr-defined]
        terms = {
            "category": "tshirt",
            "minimum": 50,
            "deadline": self.now + WEEK,
            "variants": (("black", "M"), ("black", "L")),
        } | fields
        draft = CampaignDraft(
            organisation_id=self.merchandiser,
            kind=kind,
            title="Tee",
            currency="CNY",
            tiers=tiers,
            **terms,  # type: ignore[arg-type]
        )
        with self.database.transaction() as session:
            policy = standard_policy(session, now=self.now)
            campaign_id = create_campaign(session, draft, policy=policy, now=self.now)
            open_campaign(session, campaign_id, now=self.now)
        return campaign_id

    def variant(self, campaign_id: UUID, index: int = 0) -> UUID:
        with self.database.reading() as session:
            return queries.variants(session, campaign_id)[index].id

    def request(
        self,
        campaign_id: UUID,
        quantity: int,
        *,
        buyer: UUID | None = None,
        key: str = "",
        index: int = 0,
        flexible: int = 0,
        **terms: Any,
    ) -> PledgeRequest:
        """Pieces, and flexible ones beside them, of the variant at this place, on these further terms."""
        variant = self.variant(campaign_id, index)
        extra = ((variant, flexible),) if flexible else ()
        request = PledgeRequest(campaign_id, buyer or self.buyer(), ((variant, quantity),), key or str(uuid7()))
        return replace(request, flexible=extra, **terms)

    def join(self, campaign_id: UUID, quantity: int, **terms: Any) -> UUID:
        """A pledge whose payment has been asked for, not yet carried out."""
        request = self.request(campaign_id, quantity, **terms)
        with self.database.transaction() as session:
            return place_pledge(session, request, now=self.now)

    def join_and_pay(self, campaign_id: UUID, quantity: int, **terms: Any) -> UUID:
        pledge_id = self.join(campaign_id, quantity, **terms)
        self.work()
        return pledge_id

    def work(self) -> None:
        """Work off what is due; a job that failed fails the test."""
        self.worker.run_until_idle(self.now)

    def pass_time(self, by: timedelta) -> None:
        self.now += by
        self.work()

    def state(self, pledge_id: UUID) -> PledgeState:
        return self.pledge(pledge_id).state

    def pledge(self, pledge_id: UUID) -> Pledge:
        with self.database.reading() as session:
            return session.get_one(Pledge, pledge_id)

    def get(self, campaign_id: UUID) -> Campaign:
        with self.database.reading() as session:
            return session.get_one(Campaign, campaign_id)

    def pledges(self, campaign_id: UUID) -> list[Pledge]:
        with self.database.reading() as session:
            return list(session.exec(select(Pledge).where(col(Pledge.campaign_id) == campaign_id)).all())

    def escrow(self, owner: UUID) -> int:
        return self.balance(AccountKind.ESCROW, owner)

    def spent(self, buyer: UUID) -> int:
        """What has left a buyer's outside money for good."""
        return -self.balance(AccountKind.OUTSIDE, buyer)

    def balance(self, kind: AccountKind, owner: UUID) -> int:
        with self.database.reading() as session:
            return balance(session, AccountRef(kind, owner, "CNY"))

    def ledger_sum(self) -> int:
        with self.database.reading() as session:
            return sum(balances_by_kind(session).values())

    def organisation(self, organisation_id: UUID) -> Organisation:
        with self.database.reading() as session:
            return session.get_one(Organisation, organisation_id)
