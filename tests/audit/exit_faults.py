"""Faults of free exits, planted like the others."""

from sqlmodel import Session

from c2m.db import table_of
from c2m.jobs import Job
from c2m.production.models import Parcel, WorkOrder, WorkOrderLine
from tests.audit.faults import change, fault, remove, rows
from tests.audit.market import Life


@fault("I10", "A time to leave free of charge has no end that is still to come.")
def a_window_that_nothing_ends(session: Session, life: Life) -> list[str]:
    [job] = rows(session, Job, table_of(Job).c.key == f"end_exit:{life.exits.article}")
    remove(session, Job, table_of(Job).c.id == job["id"])
    return [str(life.exits.article)]


@fault("I12", "Pieces that buyers left aren't those taken off their orders.")
def a_piece_that_was_left_and_is_made_all_the_same(session: Session, life: Life) -> list[str]:
    [order] = rows(session, WorkOrder, table_of(WorkOrder).c.sheet_id == life.exits.sheet)
    [line] = rows(
        session,
        WorkOrderLine,
        table_of(WorkOrderLine).c.work_order_id == order["id"],
        table_of(WorkOrderLine).c.left_quantity > 0,
    )
    change(session, WorkOrderLine, line, quantity=line["quantity"] + 1, left_quantity=line["left_quantity"] - 1)
    return [f"{life.exits.sheet}/{line['variant_id']}"]


@fault("I12", "Somebody who left free of charge was sent or charged something.")
def a_parcel_for_somebody_who_left(session: Session, life: Life) -> list[str]:
    [parcel, *_] = rows(session, Parcel, table_of(Parcel).c.delivered_at.is_(None))
    change(session, Parcel, parcel, pledge_id=life.exits.left)
    return [str(life.exits.left)]
