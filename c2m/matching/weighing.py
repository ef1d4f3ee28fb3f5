"""What a counter-offer would do: the rest of the market solved with its terms agreed to, with the offer taken as it
stands, and with its pieces back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from c2m import money
from c2m.demand.models import DemandSheet
from c2m.matching import bookings, queries
from c2m.matching.bargaining import CounterTerms, Effect, Outcome
from c2m.matching.market import HORIZON_WEEKS, Market, OpenSheet
from c2m.matching.models import Factory, Offer, OfferLine
from c2m.matching.optimiser import Crew
from c2m.matching.planning import plan_currency
from c2m.matching.rules import arrival, first_week, weeks_from, weeks_late


@dataclass(frozen=True)
class Case:
    """A counter-offer before it is decided: its sheet, its terms beside those offered, and the three markets that would
    be left to match.

    `sheet` is the offer's sheet with all its pieces; `on_time_ppm` is its factory's share of deliveries in time.
    """

    sheet: OpenSheet
    factory_id: UUID
    on_time_ppm: int
    asked: CounterTerms
    offered: CounterTerms
    agreed: Market
    stands: Market
    elsewhere: Market

    def effect(self, crew: Crew | None = None) -> Effect:
        """The three markets solved, with the factory's own cost, lateness and risk on the sides where it makes them."""
        pieces = self.sheet.quantity
        return Effect(
            agreed=_sum([self._own(self.asked), self._solved(self.agreed, pieces - self.asked.quantity, crew)]),
            stands=_sum([self._own(self.offered), self._solved(self.stands, 0, crew)]),
            elsewhere=self._solved(self.elsewhere, pieces, crew),
        )

    def _own(self, terms: CounterTerms) -> Outcome:
        """What the factory's pieces come to on these terms."""
        rate, weeks = self.sheet.late_week, weeks_late(terms.deliver_by, self.sheet.required_date)
        late_cost = rate.money * weeks * terms.quantity // rate.per
        risk = rate.money * (money.PPM - self.on_time_ppm) // money.PPM * terms.quantity // rate.per
        return Outcome(
            cost_minor=terms.total_minor + late_cost + risk,
            lateness_minor=late_cost,
            risk_minor=risk,
            served=terms.quantity,
            late=terms.quantity if weeks else 0,
            left=0,
            makers=((str(self.factory_id), terms.quantity),),
        )

    def _solved(self, market: Market, given_back: int, crew: Crew | None) -> Outcome:
        """What a market comes to; pieces of a sheet nobody is looked for any more stay unserved."""
        lost = 0 if self.sheet.id in market.sheets else given_back
        unserved = Outcome(lost * self.sheet.target_cost_minor, 0, 0, 0, 0, lost)
        if not market.sheets:
            return unserved
        planned = plan_currency(market, self.sheet.currency, crew)
        made = sum(proposal.quote.quantity for proposal in planned.proposals)
        late = sum(
            pieces
            for proposal in planned.proposals
            for week, pieces in proposal.weeks.items()
            if weeks_late(arrival(week, proposal.line.terms.lead_days), proposal.sheet.required_date)
        )
        return _sum(
            [
                unserved,
                Outcome(
                    cost_minor=planned.plan.objective or 0,
                    lateness_minor=sum(proposal.cost["lateness_minor"] for proposal in planned.proposals),
                    risk_minor=sum(proposal.cost["risk_minor"] for proposal in planned.proposals),
                    served=made,
                    late=round(late),
                    left=sum(unmatched.quantity for unmatched in planned.unmatched),
                    makers=tuple(
                        (str(proposal.line.factory_id), proposal.quote.quantity)
                        for proposal in planned.proposals
                        if proposal.sheet.id == self.sheet.id
                    ),
                ),
            ]
        )


def case_of(session: Session, offer: Offer, asked: CounterTerms, weeks: Mapping[date, int], *, now: datetime) -> Case:
    """A counter-offer as the solver needs it; `weeks` are those in which its pieces would be made.

    Only what shares a line with the sheet is solved: sheets and lines of its category and currency.
    """
    lines = session.exec(
        select(OfferLine).where(OfferLine.offer_id == offer.id).order_by(col(OfferLine.variant_id))
    ).all()
    offered = {line.variant_id: line.quantity for line in lines}
    kept = dict(zip(offered, money.allocate(asked.quantity, list(offered.values())), strict=True))
    back = {variant: offered[variant] - kept[variant] for variant in offered}
    held = bookings.weeks_held(session, [offer.id])[offer.id].pieces
    remaining = queries.remaining_pieces(session)
    left = remaining.get(offer.sheet_id, {})
    sheet = _whole_sheet(session, offer.sheet_id, offered)

    def market(pieces: Mapping[UUID, int], taken: Mapping[date, int]) -> Market:
        more = {v: left.get(v, 0) + pieces.get(v, 0) for v in {*left, *pieces} if left.get(v, 0) + pieces.get(v, 0)}
        wanted = remaining | ({offer.sheet_id: more} if more else {})
        return _market(session, wanted, sheet, offer, held, taken, now)

    return Case(
        sheet,
        factory_id=offer.factory_id,
        on_time_ppm=session.get_one(Factory, offer.factory_id).on_time_ppm,
        asked=asked,
        offered=CounterTerms(offer.quantity, offer.unit_price_minor, offer.setup_minor, offer.deliver_by),
        agreed=market(back, weeks),
        stands=market({}, held),
        elsewhere=market(offered, {}),
    )


def _market(
    session: Session,
    pieces: queries.Pieces,
    like: OpenSheet,
    offer: Offer,
    held: Mapping[date, int],
    taken: Mapping[date, int],
    now: datetime,
) -> Market:
    """The open market of a sheet's kind, with the offer's held weeks free and the weeks of its counter-offer taken."""
    start = first_week(now)
    weeks = weeks_from(start, HORIZON_WEEKS)
    sheets = {
        sheet.id: sheet
        for sheet in queries.open_sheets(session, pieces, now=now).values()
        if (sheet.category, sheet.currency) == (like.category, like.currency)
    }
    lines = queries.lines_for(session, {like.category}, weeks)
    if own := lines.get(offer.capability_id):
        free = (max(0, n + held.get(w, 0) - taken.get(w, 0)) for w, n in zip(weeks, own.free, strict=True))
        lines[own.id] = replace(own, free=tuple(free))
    banned = queries.banned(session, list(sheets)) | {(offer.sheet_id, offer.factory_id)}
    return Market(start=start, sheets=sheets, lines=lines, banned=banned)


def _whole_sheet(session: Session, sheet_id: UUID, pieces: Mapping[UUID, int]) -> OpenSheet:
    """The offer's sheet, whether or not a factory is still looked for."""
    issued = session.get_one(DemandSheet, sheet_id).issued_at
    return queries.open_sheets(session, {sheet_id: dict(pieces)}, now=issued)[sheet_id]


def _sum(outcomes: Iterable[Outcome]) -> Outcome:
    found = list(outcomes)
    return Outcome(
        cost_minor=sum(o.cost_minor for o in found),
        lateness_minor=sum(o.lateness_minor for o in found),
        risk_minor=sum(o.risk_minor for o in found),
        served=sum(o.served for o in found),
        late=sum(o.late for o in found),
        left=sum(o.left for o in found),
        makers=_joined(pair for o in found for pair in o.makers),
    )


def _joined(makers: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Each maker once, with all its pieces, the largest share first."""
    pieces: dict[str, int] = {}
    for maker, count in makers:
        pieces[maker] = pieces.get(maker, 0) + count
    return tuple(sorted(pieces.items(), key=lambda pair: (-pair[1], pair[0])))
