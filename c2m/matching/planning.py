"""Matching: what is open is solved while nothing is locked, then made into offers as far as it still fits."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from statistics import median_low
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.clock import end_of_day
from c2m.db import chunks, insert_rows, lock_rows, table_of, uuid7
from c2m.demand.fulfilment import release_units
from c2m.demand.models import DemandSheet
from c2m.identity.models import Organisation, OrganisationState
from c2m.matching import bookings, queries
from c2m.matching.market import Line, Market, OpenSheet, PassedOver
from c2m.matching.models import Capability, MatchRun, Offer, OfferLine
from c2m.matching.optimiser import (
    QUICK,
    THOROUGH,
    Allocation,
    Crew,
    Hire,
    Params,
    Plan,
    Reason,
    Stop,
    Unserved,
    crew_of,
    solve,
)
from c2m.matching.rules import (
    ANSWER_WITHIN,
    WEEK,
    Fit,
    Quote,
    arrival,
    brought_forward,
    choice_of,
    fit,
    starts_at,
    whole_weeks,
)
from c2m.matching.terms_taken import document_of
from c2m.outbox import announce

MATCH = "matching.match"
EXPIRE = "matching.expire_offers"
TRY_AGAIN_AFTER = timedelta(minutes=5)
OFFERS_PER_JOB = 500

SEARCHED_OFFERS = 400  # up to so many offers a plan is searched for until it is proven; beyond, the first good one does
EFFORT = 50
SECONDS = 20.0  # the safety stop
SHARE_EFFORT, SHARE_SECONDS = 25, 5.0  # of the plan that shows what a share for new factories cost
SWEEP = replace(QUICK, search=False, ruins_per_sheet=0, pricing_rounds=4)


@dataclass(frozen=True)
class Proposal:
    """An allocation of the plan in our own terms."""

    sheet: OpenSheet
    line: Line
    quote: Quote
    pieces: Mapping[UUID, int]  # by variant
    weeks: Mapping[date, float]
    cost: Mapping[str, int]
    next_best: Mapping[str, Any] | None
    passed_over: Sequence[PassedOver]
    usual_on_time_ppm: int


@dataclass(frozen=True)
class Unmatched:
    """Pieces of a sheet that the plan leaves, and why."""

    sheet: OpenSheet
    quantity: int
    reason: str
    figures: Mapping[str, object]


@dataclass(frozen=True)
class ShareEffect:
    """What a share kept for new factories did to a plan: pieces they got by it, and what it cost, in minor units."""

    pieces: int
    cost_minor: int


@dataclass(frozen=True)
class Planned:
    """One solve: what it proposes, what it leaves, how good it is."""

    currency: str
    sheets: int
    factories: int
    plan: Plan
    proposals: Sequence[Proposal]
    unmatched: Sequence[Unmatched]
    share: ShareEffect | None = None  # None: nothing was kept for new factories

    @property
    def sheet_ids(self) -> set[UUID]:
        return {p.sheet.id for p in self.proposals} | {u.sheet.id for u in self.unmatched}

    def worth_another_try(self, offers: int) -> bool:
        """Whether the next run may do better: some proposal no longer fits, or shortlisted lines have filled up."""
        filled_up = offers > 0 and any(u.reason == Reason.CAPACITY for u in self.unmatched)
        return offers < len(self.proposals) or filled_up


def plan_matches(session: Session, _ids: Sequence[UUID], now: datetime, hire: Hire = crew_of) -> list[Planned]:
    """Solve all that is open, one currency after the other, with the help of who is hired; changes nothing."""
    market = queries.open_market(session, now=now)
    session.rollback()  # reading is over: no snapshot is held while the solver works
    if not market.currencies:
        return []
    with hire() as crew:
        return [plan_currency(market, currency, crew) for currency in market.currencies]


def plan_currency(market: Market, currency: str, crew: Crew | None = None) -> Planned:
    """The best plan for the sheets of one currency."""
    problem = market.problem(currency)
    params = THOROUGH if len(problem.offers) <= SEARCHED_OFFERS else SWEEP
    plan = solve(problem, Stop(effort=EFFORT, seconds=SECONDS), 0, params, crew=crew)
    usual = median_low([f.on_time_ppm or 0 for f in problem.factories] or [0])
    makes: dict[UUID, set[str]] = defaultdict(set)
    for allocation in plan.allocations:
        makes[UUID(allocation.factory)].add(allocation.sheet)
    return Planned(
        currency=currency,
        sheets=len(problem.sheets),
        factories=len(problem.factories),
        plan=plan,
        proposals=[_proposal(market, allocation, usual, makes) for allocation in plan.allocations],
        unmatched=[_unmatched(market, unserved) for unserved in plan.unserved],
        share=_share_effect(market, currency, plan, params, crew),
    )


def _share_effect(market: Market, currency: str, plan: Plan, params: Params, crew: Crew | None) -> ShareEffect | None:
    """What was kept for new factories did to a plan, beside one solved without it; a search that ended short of the
    best plan may find the other dearer, and the share then cost nothing that can be told."""
    if not any(market.sheets[sheet_id].currency == currency for sheet_id, _factory in market.kept_for_new):
        return None
    problem = market.without_share().problem(currency)
    without = solve(problem, Stop(effort=SHARE_EFFORT, seconds=SHARE_SECONDS), 0, params, crew=crew)

    def theirs(found: Plan) -> int:
        return sum(each.quantity for each in found.allocations if UUID(each.factory) in market.newcomers)

    cost_minor = (plan.objective or 0) - (without.objective or 0)
    return ShareEffect(max(theirs(plan) - theirs(without), 0), max(cost_minor, 0))


def make_offers(session: Session, planned: Sequence[Planned], now: datetime) -> None:
    """Write down what the plans come to: offers with their capacity held, and pieces handed back to their buyers.

    What no longer fits, because sheet or capacity was taken meanwhile, is left for the next run, which is then due
    soon. Sheets that can't be made in time any more, or for which a factory was looked for long enough, are given up.
    """
    over = queries.unmatched_for_good(session, now=now)
    lock_rows(session, DemandSheet, sorted({*over, *(sheet_id for plan in planned for sheet_id in plan.sheet_ids)}))
    lock_rows(session, Capability, sorted({p.line.id for plan in planned for p in plan.proposals}))
    for plan in planned:
        drafts = _fitting(session, plan.proposals, now)
        run_id = _store_run(session, plan, len(drafts), now)
        _store_offers(session, run_id, drafts, now)
        if plan.worth_another_try(len(drafts)):
            jobs.enqueue(session, MATCH, [], key=f"{MATCH}>{run_id}", due_at=now + TRY_AGAIN_AFTER, now=now)
    unmatched = [u for plan in planned for u in plan.unmatched]
    for u in unmatched:  # what is still left then is given up on the stated day
        jobs.enqueue(session, MATCH, [], key=f"{MATCH}!{u.sheet.id}", due_at=u.sheet.matched_until, now=now)
    give_up(session, [*over, *(u.sheet.id for u in unmatched if u.reason == Reason.LEAD_TIME)], now=now)


def give_up(session: Session, hopeless: Sequence[UUID], *, now: datetime) -> None:
    """Hand back to their buyers the pieces of these sheets that nobody makes and nobody was asked to make."""
    remaining = queries.remaining_pieces(session, hopeless)
    units = {(sheet, variant): n for sheet, pieces in remaining.items() for variant, n in pieces.items()}
    if units:
        release_units(session, units, now=now)
        mark_served(session, list(remaining), now=now)


def mark_served(session: Session, sheet_ids: Sequence[UUID], *, now: datetime) -> None:
    """Close the sheets whose every piece is in an accepted offer or released."""
    lock_rows(session, DemandSheet, sheet_ids)  # or two last offers accepted at once would not see each other
    table = table_of(DemandSheet)
    for part in chunks(queries.settled_sheets(session, sheet_ids)):
        session.execute(sa.update(table).where(table.c.id.in_(part), table.c.served_at.is_(None)).values(served_at=now))


@dataclass(frozen=True)
class _Draft:
    """A proposal that fits, with whole pieces in real weeks, and what was free in those weeks before it."""

    proposal: Proposal
    weeks: Mapping[date, int]
    free: int

    @property
    def arrives(self) -> datetime:
        return arrival(max(self.weeks), self.proposal.line.terms.lead_days)

    @property
    def deliver_by(self) -> datetime:
        """The end of the day promised to the buyers, or of the day that the plan could do no better than."""
        sheet = self.proposal.sheet
        return max(end_of_day(self.arrives, sheet.time_zone), sheet.required_date)

    def fit(self, now: datetime) -> Fit:
        sheet, line, quote = self.proposal.sheet, self.proposal.line, self.proposal.quote
        return fit(
            processes=(len({line.process} & set(sheet.processes)), len(sheet.processes)),
            pieces=(self.free, quote.quantity),
            cost_minor=(sheet.target_cost_minor, quote.each_minor),
            days=((sheet.required_date - now).days, (self.arrives - now).days),
            on_time_ppm=(line.on_time_ppm, self.proposal.usual_on_time_ppm),
        )


def _fitting(session: Session, proposals: Sequence[Proposal], now: datetime) -> list[_Draft]:
    """The proposals for which sheet, factory and capacity are still free, in the order of the plan."""
    remaining = queries.remaining_pieces(session, sorted({p.sheet.id for p in proposals}))
    active = _active(session, sorted({p.line.factory_id for p in proposals}))
    usual = {p.line.id: p.line.terms.weekly_capacity for p in proposals}
    weeks = sorted({week for p in proposals for week in p.weeks if starts_at(week) >= now})
    room = queries.free_pieces(session, usual, weeks)
    fitting: list[tuple[Proposal, dict[date, int]]] = []
    for proposal in proposals:
        left, free = remaining.get(proposal.sheet.id, {}), room[proposal.line.id]
        made = whole_weeks(proposal.weeks, proposal.quote.quantity, free)
        wanted = proposal.pieces.items()
        if made is None or proposal.line.factory_id not in active or any(n > left.get(v, 0) for v, n in wanted):
            continue
        fitting.append((proposal, made))
        for variant, pieces in wanted:
            left[variant] -= pieces
        for week, pieces in made.items():
            free[week] -= pieces
    return [_brought_forward(proposal, made, room[proposal.line.id]) for proposal, made in fitting]


def _brought_forward(proposal: Proposal, made: Mapping[date, int], free: dict[date, int]) -> _Draft:
    weeks = brought_forward(made, free)
    for week, pieces in made.items():
        free[week] += pieces
    before = sum(free[week] for week in weeks)
    for week, pieces in weeks.items():
        free[week] -= pieces
    return _Draft(proposal, weeks, before)


def _active(session: Session, factory_ids: Sequence[UUID]) -> set[UUID]:
    c = table_of(Organisation).c
    found: set[UUID] = set()
    for part in chunks(factory_ids):
        active = sa.select(c.id).where(c.id.in_(part), c.state == OrganisationState.ACTIVE)
        found |= set(session.execute(active).scalars())
    return found


def _store_run(session: Session, planned: Planned, offers: int, now: datetime) -> UUID:
    plan, run_id = planned.plan, uuid7()
    row = {
        "id": run_id,
        "started_at": now,
        "sheets": planned.sheets,
        "factories": planned.factories,
        "offers_made": offers,
        "status": plan.status.value,
        "time_limited": plan.time_limited,
        "objective_minor": plan.objective or 0,
        "bound_minor": plan.bound or 0,
        "gap_ppm": plan.gap_ppm or 0,
        "seconds": plan.seconds,
        "cpu_seconds": plan.cpu_seconds,
        "share_pieces": planned.share.pieces if planned.share else None,
        "share_cost_minor": planned.share.cost_minor if planned.share else None,
        "unserved": [
            {"sheet_id": str(u.sheet.id), "quantity": u.quantity, "reason": u.reason, **u.figures}
            for u in planned.unmatched
        ],
    }
    insert_rows(session, MatchRun, [row])
    return run_id


def _store_offers(session: Session, run_id: UUID, drafts: Sequence[_Draft], now: datetime) -> None:
    offers: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []
    taken: list[bookings.WeeksTaken] = []
    ids: list[UUID] = []
    for draft in drafts:
        proposal, offer_id = draft.proposal, uuid7()
        sheet, line, quote = proposal.sheet, proposal.line, proposal.quote
        ids.append(offer_id)
        offers.append(
            {
                "id": offer_id,
                "run_id": run_id,
                "sheet_id": sheet.id,
                "factory_id": line.factory_id,
                "capability_id": line.id,
                "quantity": quote.quantity,
                "unit_price_minor": quote.unit_price_minor,
                "setup_minor": quote.setup_minor,
                "total_minor": quote.total_minor,
                "currency": sheet.currency,
                "deliver_by": draft.deliver_by,
                "explanation": _explanation(draft, now),
                "offered_at": now,
                "expires_at": now + ANSWER_WITHIN,
            }
        )
        lines += [{"offer_id": offer_id, "variant_id": v, "quantity": n} for v, n in proposal.pieces.items()]
        taken.append(bookings.WeeksTaken(offer_id, line.id, draft.weeks))
    insert_rows(session, Offer, offers)
    insert_rows(session, OfferLine, lines)
    bookings.take(session, taken, usual={d.proposal.line.id: d.proposal.line.terms.weekly_capacity for d in drafts})
    announce(session, "matching.offers_made", ids, now=now)
    work = [(f"{EXPIRE}:{part[0]}", part, now + ANSWER_WITHIN) for part in chunks(ids, OFFERS_PER_JOB)]
    jobs.enqueue_all(session, EXPIRE, work, now=now)


def _explanation(draft: _Draft, now: datetime) -> dict[str, Any]:
    """Why this factory, in figures: cost parts in minor units, the next best factory, the fit."""
    proposal, next_best = draft.proposal, draft.proposal.next_best
    return {
        "reason": choice_of(
            next_best["extra_minor"] if next_best else None, makes_others=bool(next_best and next_best["makes_others"])
        ).value,
        "cost": proposal.cost,
        "next_best": next_best,
        "passed_over": [
            {"factory_id": str(p.factory_id), "why": p.why, "missing": p.missing} for p in proposal.passed_over
        ],
        "target_cost_minor": proposal.sheet.target_cost_minor,
        "each_minor": proposal.quote.each_minor,
        "weeks": {week.isoformat(): pieces for week, pieces in draft.weeks.items()},
        "fit": document_of(draft.fit(now)),
        "orders": dict(zip(("in_time", "due"), proposal.line.orders, strict=True)),
    }


def _proposal(
    market: Market, allocation: Allocation, usual_on_time_ppm: int, makes: Mapping[UUID, Set[str]]
) -> Proposal:
    busy = {factory_id for factory_id, sheets in makes.items() if sheets - {allocation.sheet}}
    sheet, line = market.sheets[UUID(allocation.sheet)], market.lines[UUID(allocation.line)]
    quote = line.terms.quote(allocation.quantity, sheet.target_cost_minor)
    if quote is None:
        raise ValueError(f"sheet {sheet.id}: {allocation.quantity} pieces are below the smallest order of {line.id}")
    cost, backup = allocation.cost, allocation.backup
    return Proposal(
        sheet=sheet,
        line=line,
        quote=quote,
        pieces={UUID(variant): pieces for variant, pieces in allocation.variants.items() if pieces},
        weeks=_weeks(market, allocation.weeks),
        cost={f"{part}_minor": amount for part, amount in asdict(cost).items()} | {"total_minor": cost.total},
        next_best=None
        if backup is None
        else {
            "factory_id": backup.factory,
            "capability_id": backup.line,
            "extra_minor": backup.extra_cost,
            "makes_others": UUID(backup.factory) in busy,
        },
        passed_over=market.passed_over(sheet, quote, cost.risk + cost.lateness, line.factory_id, busy),
        usual_on_time_ppm=usual_on_time_ppm,
    )


def _weeks(market: Market, planned: Mapping[int, float]) -> dict[date, float]:
    """The plan's weeks with their pieces, and those before them, where a piece cut in two may go as well."""
    return {week: planned.get(at, 0.0) for at, week in enumerate(market.weeks, start=1) if at <= max(planned)}


def _unmatched(market: Market, unserved: Unserved) -> Unmatched:
    sheet = market.sheets[UUID(unserved.sheet)]
    figures: dict[str, object] = {}
    if unserved.pieces_missing is not None:
        figures["pieces_missing"] = unserved.pieces_missing
    if unserved.earliest_week is not None:
        earliest = sheet.required_date + WEEK * (unserved.earliest_week - market.due(sheet))
        figures["earliest"] = earliest.astimezone(ZoneInfo(sheet.time_zone)).date().isoformat()
    if unserved.shortfall is not None:
        figures["shortfall_minor"] = unserved.shortfall
    return Unmatched(sheet, unserved.quantity, unserved.reason.value, figures)
