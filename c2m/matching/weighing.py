"""What a counter-offer would do: the rest of the market solved with its terms agreed to, and with its pieces back."""

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
from c2m.matching.models import Offer, OfferLine
from c2m.matching.optimiser import Crew
from c2m.matching.planning import plan_currency
from c2m.matching.rules import arrival, first_week, weeks_from, weeks_late


@dataclass(frozen=True)
class Case:
    """A counter-offer before it is decided: its sheet, and the two markets that would be left to match.

    `sheet` is the offer's sheet with all its pieces.
    """

    sheet: OpenSheet
    asked: CounterTerms
    agreed: Market
    refused: Market

    def effect(self, crew: Crew | None = None) -> Effect:
        """Both markets solved, the counter-offer's own cost on the agreed side."""
        late_weeks = weeks_late(self.asked.deliver_by, self.sheet.required_date)
        late_cost = _late_cost(self.sheet, late_weeks, self.asked.quantity)
        own = Outcome(
            self.asked.total_minor + late_cost,
            late_cost,
            self.asked.quantity,
            self.asked.quantity if late_weeks else 0,
            0,
        )
        pieces = self.sheet.quantity
        return Effect(
            agreed=_sum([own, self._solved(self.agreed, pieces - self.asked.quantity, crew)]),
            refused=self._solved(self.refused, pieces, crew),
        )

    def _solved(self, market: Market, given_back: int, crew: Crew | None) -> Outcome:
        """What a market comes to; pieces of a sheet nobody is looked for any more stay unserved."""
        lost = 0 if self.sheet.id in market.sheets else given_back
        unserved = Outcome(lost * self.sheet.target_cost_minor, 0, 0, 0, lost)
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
                    served=made,
                    late=round(late),
                    left=sum(unmatched.quantity for unmatched in planned.unmatched),
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

    return Case(sheet, asked, agreed=market(back, weeks), refused=market(offered, {}))


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


def _late_cost(sheet: OpenSheet, weeks: int, pieces: int) -> int:
    rate = sheet.late_week
    return rate.money * weeks * pieces // rate.per


def _sum(outcomes: Iterable[Outcome]) -> Outcome:
    found = list(outcomes)
    return Outcome(
        cost_minor=sum(o.cost_minor for o in found),
        lateness_minor=sum(o.lateness_minor for o in found),
        served=sum(o.served for o in found),
        late=sum(o.late for o in found),
        left=sum(o.left for o in found),
    )
