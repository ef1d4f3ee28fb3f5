"""Buyers: they join campaigns, leave some, pay balances or forget to, and say what concepts they want."""

import contextlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.demand.joining import place_pledges
from c2m.demand.models import Campaign, Pledge, PledgeState
from c2m.demand.pledge_requests import CampaignFull, PledgeRequest
from c2m.demand.pledges import PledgeNotCancellable, cancel_pledge, pay_balance
from c2m.demand.waiting import wait_for_pieces
from c2m.demo import demand
from c2m.demo.calendar import Diary
from c2m.demo.habits import Habits
from c2m.demo.leaders import Leaders
from c2m.demo.market import Market
from c2m.demo.merchandisers import Merchandisers, Offered, Shown
from c2m.demo.products import minor
from c2m.demo.town import Buyer, Town
from c2m.design.models import Want, WantState
from c2m.design.wants import WantRequest, state_want, want_of, withdraw_want
from c2m.errors import Refusal

CARD_REFUSED = 0.015  # share of payments
LEAVES = 0.03  # share of pledges
WAITS = 0.5  # share of those who come when everything is sold
TAKES_PART = 0.4
PAYS_BALANCE = 0.92
TAKES_WANT_BACK = 0.04
COMES_BACK = 0.75  # of those who join what was a concept, had wanted it


@dataclass
class Buyers:
    """All of them together: what they do this hour goes to the platform as one set."""

    market: Market
    town: Town
    merchandisers: Merchandisers
    refusals: dict[str, int] = field(default_factory=dict)  # why pledges were refused: code → times
    _rng: Random = field(init=False)
    _counts: np.random.Generator = field(init=False)
    _fancies: Random = field(init=False)  # rules what is said of concepts, apart from everything else
    _tastes: np.random.Generator = field(init=False)
    _leaders: Leaders = field(init=False)
    _habits: Habits = field(init=False)
    _popularity: dict[UUID, list[float]] = field(default_factory=dict)
    _wanting: dict[UUID, list[UUID]] = field(default_factory=dict)  # concept → buyers
    _leaving: Diary[UUID] = field(default_factory=Diary)
    _balances: Diary[UUID] = field(default_factory=Diary)
    _taking_back: Diary[tuple[UUID, UUID]] = field(default_factory=Diary)
    _balances_seen: set[UUID] = field(default_factory=set)
    _keys: int = 0

    def __post_init__(self) -> None:
        self._rng = self.market.chance("buyers")
        self._counts = self.market.counts("buyers")
        self._fancies, self._tastes = self.market.chance("fancies"), self.market.counts("fancies")
        self._leaders = Leaders(self.market, self.town)
        self._habits = Habits(self.market, self.town)

    def act(self, session: Session, *, now: datetime) -> None:
        """Everything buyers do this hour. Some cards are refused until `market.provider` is told otherwise."""
        self._leave(session, now)
        self._take_wants_back(session, now)
        self._join(session, now)
        self._pay_balances(session, now)
        self._want(session, now)
        self._habits.act(session, now=now)

    def _join(self, session: Session, now: datetime) -> None:
        open_now = [offered for offered in self.merchandisers.offered.values() if now < offered.deadline]
        pledged = _pledged(session, [offered.id for offered in open_now])
        requests = [r for offered in open_now for r in self._joiners(session, offered, pledged[offered.id], now)]
        for answer, request in zip(place_pledges(session, requests, now=now), requests, strict=True):
            if not isinstance(answer, UUID):
                self.refusals[answer.code] = self.refusals.get(answer.code, 0) + 1
                if isinstance(answer, CampaignFull) and self._rng.random() < WAITS:
                    self._wait(session, request, now)
                continue
            self._leaders.joined(session, answer, request, now=now)
            if self._rng.random() < CARD_REFUSED:
                self.market.provider.declined_organisations.add(str(request.buyer_id))
            elif self._rng.random() < LEAVES:
                self._leaving.note(now + timedelta(hours=self._rng.uniform(3, 60)), answer)

    def _wait(self, session: Session, refused: PledgeRequest, now: datetime) -> None:
        """Who came too late waits for what is sold out, unless the platform says no to that too."""
        with contextlib.suppress(Refusal):
            wait_for_pieces(session, replace(refused, flexible=()), takes_part=self._rng.random() < TAKES_PART, now=now)

    def _joiners(self, session: Session, offered: Offered, pledged: int, now: datetime) -> list[PledgeRequest]:
        """Who joins a campaign in this hour, and with what."""
        product = offered.product
        expected = product.draws * demand.share_of_hour(offered.opens_at, offered.deadline, now)
        tiers = [(tier.from_quantity, tier.price_minor) for tier in product.tiers]
        expected *= demand.eagerness(tiers, pledged) / demand.usual_pieces(product)
        shares = self._popularity.setdefault(offered.id, demand.popularity(product, self._counts))
        found = []
        joining = self._some_buyers(int(self._counts.poisson(expected)))
        joining = self._back(session, offered, joining)
        if now == offered.opens_at:
            holders = set(self._habits.sample_holders(session, offered.id))
            joining += [buyer for buyer in self.town.buyers if buyer.id in holders and buyer not in joining]
            joining = [buyer for buyer in joining if buyer != self.town.buyer_to_try] + [self.town.buyer_to_try]
        for buyer in joining:
            quantity = demand.pieces(product, buyer.profile, self._rng)
            lines = demand.divided(quantity, shares, self._counts)
            request = PledgeRequest(
                campaign_id=offered.id,
                buyer_id=buyer.id,
                lines=tuple((offered.variants[position], count) for position, count in lines.items()),
                idempotency_key=self._key(),
                region=buyer.profile.registration.region,
                team_id=self._leaders.team_for(offered.id),
            )
            found.append(self._habits.agreed(request, product))
        return found

    def _back(self, session: Session, offered: Offered, joining: list[Buyer]) -> list[Buyer]:
        """Of those who join what was a concept, most had wanted it: they come in place of others."""
        concept_id = session.get_one(Campaign, offered.id).concept_id
        wanted_it = self._wanting.get(concept_id) if concept_id else None
        if not wanted_it:
            return joining
        buyers = {buyer.id: buyer for buyer in self.town.buyers}
        back = []
        for buyer in joining:
            if wanted_it and self._fancies.random() < COMES_BACK:
                chosen = self._fancies.choice(wanted_it)
                wanted_it.remove(chosen)
                back.append(buyers[chosen])
            else:
                back.append(buyer)
        return back

    def _leave(self, session: Session, now: datetime) -> None:
        for pledge_id in self._leaving.due(now):
            with contextlib.suppress(PledgeNotCancellable):  # the campaign has closed before they made up their mind
                cancel_pledge(session, session.get_one(Pledge, pledge_id), now=now)

    def _pay_balances(self, session: Session, now: datetime) -> None:
        for row in _balances_due(session):
            if row.id not in self._balances_seen:
                self._balances_seen.add(row.id)
                left = row.balance_due_at - now
                if row.buyer_id == self.town.buyer_to_try.id:
                    self._balances.note(now + left * 0.9, row.id)
                elif self._rng.random() < PAYS_BALANCE:
                    self._balances.note(now + demand.within(self._rng, left * 0.03, left * 0.93), row.id)
        for pledge_id in self._balances.due(now):
            pledge = session.get_one(Pledge, pledge_id, populate_existing=True)
            if pledge.state is not PledgeState.BALANCE_DUE:
                continue
            pay_balance(session, pledge, now=now)
            if self._rng.random() < 2 * CARD_REFUSED:
                self.market.provider.declined_organisations.add(str(pledge.buyer_id))
                self._balances.note(now + timedelta(hours=2), pledge_id)

    def _want(self, session: Session, now: datetime) -> None:
        for shown in self.merchandisers.shown.values():
            expected = shown.idea.wanted * demand.share_of_hour(shown.published_at, shown.ends_at, now)
            for buyer in self._some_buyers(int(self._tastes.poisson(expected)), self._fancies):
                already = self._wanting.setdefault(shown.id, [])
                if buyer.id not in already:
                    already.append(buyer.id)
                    self._state(session, shown, buyer, now)

    def _state(self, session: Session, shown: Shown, buyer: Buyer, now: datetime) -> None:
        rng = self._fancies
        shares = self._popularity.setdefault(shown.id, list(self._tastes.dirichlet([2.0] * len(shown.variants))))
        request = WantRequest(
            concept_id=shown.id,
            variant_id=rng.choices(shown.variants, weights=shares)[0],
            buyer_id=buyer.id,
            quantity=rng.choices((1, 2, 3, 5, 10), weights=(4, 4, 3, 2, 1))[0],
            price_minor=minor(round(shown.idea.price * rng.choice((0.8, 0.9, 1, 1, 1, 1, 1.05, 1.15)))),
            idempotency_key=self._key(),
        )
        want = state_want(session, request, now=now)
        if rng.random() < TAKES_WANT_BACK:
            self._taking_back.note(now + timedelta(hours=rng.uniform(5, 80)), (want.id, buyer.id))

    def _take_wants_back(self, session: Session, now: datetime) -> None:
        for want_id, buyer_id in self._taking_back.due(now):
            want: Want = want_of(session, want_id, buyer_id=buyer_id)
            if want.state in (WantState.STATED, WantState.DEPOSITED):
                withdraw_want(session, want, now=now)

    def _some_buyers(self, count: int, rng: Random | None = None) -> list[Buyer]:
        if not count or not self.town.buyers:
            return []
        weights = list(accumulate(buyer.profile.activity for buyer in self.town.buyers))
        return (rng or self._rng).choices(self.town.buyers, cum_weights=weights, k=count)

    def _key(self) -> str:
        self._keys += 1
        return f"demo-{self._keys}"


def _pledged(session: Session, campaign_ids: list[UUID]) -> dict[UUID, int]:
    c = table_of(Campaign).c
    rows = session.execute(sa.select(c.id, c.pledged_quantity).where(c.id.in_(campaign_ids)))
    return {row.id: row.pledged_quantity for row in rows}


def _balances_due(session: Session) -> list[sa.Row[Any]]:
    pledge, campaign = table_of(Pledge), table_of(Campaign)
    statement = (
        sa.select(pledge.c.id, pledge.c.buyer_id, campaign.c.balance_due_at)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(pledge.c.state == PledgeState.BALANCE_DUE)
        .order_by(pledge.c.id)
    )
    return list(session.execute(statement))
