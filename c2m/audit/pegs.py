"""I12, and each order's one effect: every piece followed from the shop floor to the pledge it was made for."""

import sqlalchemy as sa

from c2m.audit.check import UNDONE, Broken, Check, Part, text_of, underway
from c2m.db import table_of
from c2m.demand.models import ChangeKind, Pledge, PledgeChange, PledgeState, SheetPledge, SheetRelease
from c2m.errors import N_
from c2m.jobs import Job
from c2m.ledger.models import Hold
from c2m.matching.models import Offer, OfferLine, OfferState
from c2m.production.first_articles import END_WINDOWS
from c2m.production.jobs import CREATE
from c2m.production.models import (
    FirstArticle,
    Lot,
    Milestone,
    Parcel,
    ParcelLine,
    Report,
    Settlement,
    WorkOrder,
    WorkOrderLine,
    WorkOrderState,
)

DONE = (WorkOrderState.DELIVERED, WorkOrderState.SETTLED)
LEFT = (WorkOrderState.SHIPPED, *DONE)
ORDERS_A_PART = 5_000

order, order_line, milestone, report, lot, parcel, parcel_line, settlement = (
    table_of(model) for model in (WorkOrder, WorkOrderLine, Milestone, Report, Lot, Parcel, ParcelLine, Settlement)
)
offer, offered, pledge, made_of, released, job = (
    table_of(model) for model in (Offer, OfferLine, Pledge, SheetPledge, SheetRelease, Job)
)
article, hold, change = (table_of(model) for model in (FirstArticle, Hold, PledgeChange))


def _ordered_twice(_part: Part) -> Broken:
    return sa.select(order.c.offer_id).group_by(order.c.offer_id).having(sa.func.count() > 1)


def _never_ordered(part: Part) -> Broken:
    return sa.select(offer.c.id).where(
        part.of(offer.c.id),
        offer.c.state == OfferState.ACCEPTED,
        ~sa.exists().where(order.c.offer_id == offer.c.id),
        ~underway(offer.c.id, CREATE, "matching.offers_accepted"),
    )


def _never_settled(part: Part) -> Broken:
    settling = sa.exists().where(job.c.key == "settle:" + text_of(order.c.id), job.c.state.in_(UNDONE))
    return sa.select(order.c.id).where(part.of(order.c.id), order.c.state == WorkOrderState.DELIVERED, ~settling)


def _not_as_offered(part: Part) -> Broken:
    """A work order is its accepted offer, variant by variant, less what buyers left free of charge."""
    agreed = sa.exists().where(
        offer.c.id == order.c.offer_id,
        offer.c.state == OfferState.ACCEPTED,
        *(offer.c[name] == order.c[name] for name in ("sheet_id", "factory_id", "currency")),
        offer.c.quantity == order.c.quantity + order.c.left_quantity,
        offer.c.total_minor == order.c.total_minor + order.c.left_quantity * offer.c.unit_price_minor,
    )
    same = sa.and_(offered.c.offer_id == order.c.offer_id, offered.c.variant_id == order_line.c.variant_id)
    asked = sa.select(sa.func.count()).where(offered.c.offer_id == order.c.offer_id).correlate(order).scalar_subquery()
    listed = (
        sa.select(sa.func.count())
        .select_from(sa.join(order_line, offered, same))
        .where(order_line.c.work_order_id == order.c.id)
        .where(order_line.c.quantity + order_line.c.left_quantity == offered.c.quantity)
        .correlate(order)
        .scalar_subquery()
    )
    return sa.select(order.c.id).where(part.of(order.c.id), sa.or_(~agreed, asked != listed))


def _left_differs(part: Part) -> Broken:
    """What buyers left free of charge is what was taken off the orders of their sheet, variant by variant."""
    freed = sa.select(released.c.sheet_id, released.c.variant_id, released.c.quantity.label("pieces")).where(
        part.of(released.c.sheet_id), released.c.left_free.is_(True)
    )
    lowered = (
        sa.select(order.c.sheet_id, order_line.c.variant_id, -order_line.c.left_quantity)
        .join_from(order_line, order, order.c.id == order_line.c.work_order_id)
        .where(part.of(order.c.sheet_id), order_line.c.left_quantity != 0)
    )
    both = sa.union_all(freed, lowered).subquery()
    same_line = (both.c.sheet_id, both.c.variant_id)
    return sa.select(*same_line).group_by(*same_line).having(sa.func.sum(both.c.pieces) != 0)


def _sent_after_leaving(part: Part) -> Broken:
    """Whoever left with everything is sent nothing and, to the cent, paid nothing."""
    kept = sa.exists().where(hold.c.subject_id == pledge.c.id, hold.c.amount_minor != hold.c.refunded_minor)
    sent = sa.exists().where(parcel.c.pledge_id == pledge.c.id)
    left = sa.exists().where(change.c.pledge_id == pledge.c.id, change.c.kind == ChangeKind.LEFT_FREE)
    return sa.select(pledge.c.id).where(
        part.of(pledge.c.id), pledge.c.state == PledgeState.REFUNDED, left, sa.or_(kept, sent)
    )


def _window_left_open(part: Part) -> Broken:
    """The time to leave is over and nothing will let the rest be made."""
    return sa.select(article.c.id).where(
        part.of(article.c.id),
        article.c.leave_until.is_not(None),
        article.c.window_ended_at.is_(None),
        ~underway(article.c.id, END_WINDOWS),
    )


def _misreported(part: Part) -> Broken:
    """A step has done what was reported of it."""
    reported = (
        sa.select(
            report.c.work_order_id,
            report.c.position,
            sa.func.sum(report.c.made - report.c.rejected).label("good"),
            sa.func.sum(report.c.rejected).label("rejected"),
        )
        .where(part.of(report.c.work_order_id))
        .group_by(report.c.work_order_id, report.c.position)
        .subquery()
    )
    same = sa.and_(reported.c.work_order_id == milestone.c.work_order_id, reported.c.position == milestone.c.position)
    return (
        sa.select(milestone.c.work_order_id, milestone.c.position)
        .join_from(milestone, reported, same, isouter=True)
        .where(part.of(milestone.c.work_order_id))
        .where(
            sa.or_(
                milestone.c.done != sa.func.coalesce(reported.c.good, 0),
                milestone.c.rejected != sa.func.coalesce(reported.c.rejected, 0),
            )
        )
    )


def _produced_differs(part: Part) -> Broken:
    """What an order has produced is what its last step let through and rejected."""
    last = (
        sa.select(milestone.c.work_order_id, sa.func.max(milestone.c.position).label("position"))
        .where(part.of(milestone.c.work_order_id))
        .group_by(milestone.c.work_order_id)
        .subquery()
    )
    step = sa.and_(milestone.c.work_order_id == last.c.work_order_id, milestone.c.position == last.c.position)
    return (
        sa.select(order.c.id)
        .join_from(order, last, last.c.work_order_id == order.c.id, isouter=True)
        .outerjoin(milestone, step)
        .where(part.of(order.c.id))
        .where(
            sa.or_(
                milestone.c.position.is_(None),
                order.c.produced != milestone.c.done + milestone.c.rejected,
                order.c.rejected != milestone.c.rejected,
            )
        )
    )


def _shipped_unmade(part: Part) -> Broken:
    left = _lots(part)
    return (
        sa.select(order.c.id)
        .join_from(order, left, left.c.work_order_id == order.c.id)
        .where(sa.or_(left.c.pieces > order.c.produced - order.c.rejected, left.c.pieces > order.c.quantity))
    )


def _lots(part: Part) -> sa.Subquery:
    return (
        sa.select(lot.c.work_order_id, sa.func.sum(lot.c.quantity).label("pieces"))
        .where(part.of(lot.c.work_order_id))
        .group_by(lot.c.work_order_id)
        .subquery()
    )


def _miscounted(part: Part) -> Broken:
    """Shipped is the sum of lots, delivered of parcels that arrived; the state follows from both."""
    left = _lots(part)
    arrived = (
        sa.select(parcel.c.work_order_id, sa.func.sum(parcel.c.quantity).label("pieces"))
        .where(part.of(parcel.c.work_order_id), parcel.c.delivered_at.is_not(None))
        .group_by(parcel.c.work_order_id)
        .subquery()
    )
    return (
        sa.select(order.c.id)
        .join_from(order, left, left.c.work_order_id == order.c.id, isouter=True)
        .outerjoin(arrived, arrived.c.work_order_id == order.c.id)
        .where(part.of(order.c.id))
        .where(
            sa.or_(
                order.c.shipped != sa.func.coalesce(left.c.pieces, 0),
                order.c.delivered != sa.func.coalesce(arrived.c.pieces, 0),
                order.c.state.in_(LEFT) != (order.c.shipped == order.c.quantity),
                order.c.state.in_(DONE) != (order.c.delivered == order.c.quantity),
                order.c.state.in_(DONE) != order.c.delivered_at.is_not(None),
            )
        )
    )


def _lot_differs(part: Part) -> Broken:
    pieces = sa.func.coalesce(sa.func.sum(parcel.c.quantity), 0)
    return (
        sa.select(lot.c.id)
        .join_from(lot, parcel, parcel.c.lot_id == lot.c.id, isouter=True)
        .where(part.of(lot.c.id))
        .group_by(lot.c.id, lot.c.quantity)
        .having(pieces != lot.c.quantity)
    )


def _parcel_differs(part: Part) -> Broken:
    pieces = sa.func.coalesce(sa.func.sum(parcel_line.c.quantity), 0)
    own_lot = sa.exists().where(lot.c.id == parcel.c.lot_id, lot.c.work_order_id == parcel.c.work_order_id)
    return (
        sa.select(parcel.c.id)
        .join_from(parcel, parcel_line, parcel_line.c.parcel_id == parcel.c.id, isouter=True)
        .where(part.of(parcel.c.id))
        .group_by(parcel.c.id, parcel.c.quantity, parcel.c.lot_id, parcel.c.work_order_id)
        .having(sa.or_(pieces != parcel.c.quantity, ~own_lot))
    )


def _variant_miscounted(part: Part) -> Broken:
    """What has left of an order's variant is what lies in its parcels, and no more than was ordered."""
    packed = (
        sa.select(parcel.c.work_order_id, parcel_line.c.variant_id, sa.func.sum(parcel_line.c.quantity).label("pieces"))
        .join_from(parcel, parcel_line, parcel_line.c.parcel_id == parcel.c.id)
        .where(part.of(parcel.c.work_order_id))
        .group_by(parcel.c.work_order_id, parcel_line.c.variant_id)
        .subquery()
    )
    same = sa.and_(packed.c.work_order_id == order_line.c.work_order_id, packed.c.variant_id == order_line.c.variant_id)
    return (
        sa.select(order_line.c.work_order_id, order_line.c.variant_id)
        .join_from(order_line, packed, same, isouter=True)
        .where(part.of(order_line.c.work_order_id))
        .where(
            sa.or_(
                order_line.c.shipped != sa.func.coalesce(packed.c.pieces, 0),
                order_line.c.shipped > order_line.c.quantity,
            )
        )
    )


def _overpegged(part: Part) -> Broken:
    """A pledge gets no more of a variant than its sheet has for it, less what it let go of."""
    packed = (
        sa.select(
            parcel.c.pledge_id,
            order.c.sheet_id,
            parcel_line.c.variant_id,
            sa.func.sum(parcel_line.c.quantity).label("pieces"),
        )
        .join_from(parcel, parcel_line, parcel_line.c.parcel_id == parcel.c.id)
        .join(order, order.c.id == parcel.c.work_order_id)
        .where(part.of(parcel.c.pledge_id))
        .group_by(parcel.c.pledge_id, order.c.sheet_id, parcel_line.c.variant_id)
        .subquery()
    )
    own, freed = (
        sa.and_(*(table.c[name] == packed.c[name] for name in ("sheet_id", "variant_id", "pledge_id")))
        for table in (made_of, released)
    )
    waited_for = sa.func.coalesce(made_of.c.quantity, 0) - sa.func.coalesce(released.c.quantity, 0)
    return (
        sa.select(packed.c.pledge_id, packed.c.variant_id)
        .join_from(packed, made_of, own, isouter=True)
        .outerjoin(released, freed)
        .where(packed.c.pieces > waited_for)
    )


def _delivered_differs(part: Part) -> Broken:
    arrived = (
        sa.select(parcel.c.pledge_id, sa.func.sum(parcel.c.quantity).label("pieces"))
        .where(part.of(parcel.c.pledge_id), parcel.c.delivered_at.is_not(None))
        .group_by(parcel.c.pledge_id)
        .subquery()
    )
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, arrived, arrived.c.pledge_id == pledge.c.id, isouter=True)
        .where(part.of(pledge.c.id), pledge.c.delivered_quantity != sa.func.coalesce(arrived.c.pieces, 0))
    )


def _key_used_twice(part: Part, table: sa.Table) -> Broken:
    return (
        sa.select(table.c.work_order_id, table.c.idempotency_key)
        .where(part.of(table.c.work_order_id))
        .group_by(table.c.work_order_id, table.c.idempotency_key)
        .having(sa.func.count() > 1)
    )


def _report_counted_twice(part: Part) -> Broken:
    return _key_used_twice(part, report)


def _lot_counted_twice(part: Part) -> Broken:
    return _key_used_twice(part, lot)


ORDERS, PARCELS, PLEDGES = order.c.id, parcel.c.id, pledge.c.id
STEPS, LINES = milestone.c.work_order_id, order_line.c.work_order_id
CHECKS = (
    Check("I5", N_("A report was counted twice."), _report_counted_twice, report.c.work_order_id),
    Check("I5", N_("A lot was shipped twice."), _lot_counted_twice, lot.c.work_order_id),
    Check("I10", N_("An offer became two work orders."), _ordered_twice),
    Check(
        "I10", N_("An accepted offer became no work order and nothing will make it one."), _never_ordered, offer.c.id
    ),
    Check("I10", N_("A delivered work order isn't settled and nothing will settle it."), _never_settled, ORDERS),
    Check("I12", N_("A work order isn't what its offer says."), _not_as_offered, ORDERS, ORDERS_A_PART),
    Check(
        "I10", N_("A time to leave free of charge has no end that is still to come."), _window_left_open, article.c.id
    ),
    Check("I12", N_("Pieces that buyers left aren't those taken off their orders."), _left_differs, order.c.sheet_id),
    Check("I12", N_("Somebody who left free of charge was sent or charged something."), _sent_after_leaving, PLEDGES),
    Check("I12", N_("A step's count isn't what was reported."), _misreported, STEPS),
    Check("I12", N_("An order's produced pieces aren't those of its last step."), _produced_differs, ORDERS),
    Check("I12", N_("More was shipped than good pieces were made."), _shipped_unmade, ORDERS),
    Check("I12", N_("An order's counts aren't those of its lots and parcels."), _miscounted, ORDERS, ORDERS_A_PART),
    Check("I12", N_("A lot isn't the sum of its parcels."), _lot_differs, lot.c.id),
    Check("I12", N_("A parcel isn't the sum of its variants, or not of its lot's order."), _parcel_differs, PARCELS),
    Check("I12", N_("A variant's shipped count isn't what lies in parcels."), _variant_miscounted, LINES),
    Check("I12", N_("More was sent to a pledge than it waits for."), _overpegged, PLEDGES),
    Check("I12", N_("A pledge's delivered pieces aren't those of its parcels."), _delivered_differs, PLEDGES),
)
