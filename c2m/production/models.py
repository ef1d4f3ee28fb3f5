"""Making and delivering: work orders, milestones, lots, parcels, compensation, settlement."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, enum_field, id_field, time_field


class WorkOrderState(StrEnum):
    PLANNED = "planned"
    IN_PRODUCTION = "in_production"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    SETTLED = "settled"


class WorkOrder(Table, table=True):
    """What one factory makes of one accepted offer."""

    __table_args__ = (
        sa.CheckConstraint("produced >= 0 AND rejected >= 0 AND rejected <= produced", name="rejected_within"),
        sa.CheckConstraint("shipped >= 0 AND shipped <= produced - rejected", name="shipped_within"),
        sa.CheckConstraint("shipped <= quantity", name="shipped_as_ordered"),
        sa.CheckConstraint("delivered >= 0 AND delivered <= shipped", name="delivered_within"),
        sa.CheckConstraint("quantity >= 0 AND left_quantity >= 0", name="left_within"),
        sa.Index("ix_work_order_factory_id", "factory_id", "state"),
        sa.Index("ix_work_order_state", "state", "due_at"),
    )

    id: UUID = id_field()
    number: str = Field(unique=True, max_length=24)
    offer_id: UUID = Field(foreign_key="offer.id", unique=True)
    sheet_id: UUID = Field(foreign_key="demand_sheet.id", index=True)
    factory_id: UUID = Field(foreign_key="factory.id")
    quantity: int
    left_quantity: int = 0  # of the offer's pieces: their buyers left free of charge before bulk began
    total_minor: int = amount_field()  # what the factory earns when all is delivered
    currency: str = Field(max_length=3)
    due_at: datetime = time_field()
    state: WorkOrderState = enum_field(WorkOrderState, WorkOrderState.PLANNED)
    produced: int = 0
    rejected: int = 0
    shipped: int = 0
    delivered: int = 0
    earned_minor: int = amount_field(0)  # by parcels delivered so far
    margin_minor: int = amount_field(0)  # buyers' money for them less what the factory earned
    planned_at: datetime = time_field()
    shipped_at: datetime | None = time_field(nullable=True)
    delivered_at: datetime | None = time_field(nullable=True)


class WorkOrderLine(Table, table=True):
    """Pieces of one variant to be made."""

    work_order_id: UUID = Field(primary_key=True, foreign_key="work_order.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id")
    quantity: int
    left_quantity: int = 0
    shipped: int = 0


class Milestone(Table, table=True):
    """A step of the route, planned backward from the due date, reported by quantity."""

    __table_args__ = (
        sa.CheckConstraint("done >= 0", name="done_not_negative"),
        sa.CheckConstraint("rejected >= 0", name="rejected_not_negative"),
    )

    work_order_id: UUID = Field(primary_key=True, foreign_key="work_order.id")
    position: int = Field(primary_key=True)
    step: str = Field(max_length=40)
    planned_on: date
    done: int = 0  # good pieces
    rejected: int = 0
    completed_at: datetime | None = time_field(nullable=True)


class Report(Table, table=True):
    """What the shop floor reported, once: so many pieces through one step."""

    __table_args__ = (
        sa.UniqueConstraint("work_order_id", "idempotency_key"),
        sa.CheckConstraint("made > 0 AND rejected >= 0 AND rejected <= made", name="quantities"),
    )

    id: UUID = id_field()
    work_order_id: UUID = Field(foreign_key="work_order.id")
    position: int
    made: int
    rejected: int = 0
    idempotency_key: str = Field(max_length=80)
    reported_by: UUID | None = None
    reported_at: datetime = time_field()


class FirstArticleState(StrEnum):
    SENT = "sent"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class FirstArticle(Table, table=True):
    """The first piece of what was a concept, photographed by its factory, to be judged beside the concept's picture."""

    __table_args__ = (
        sa.UniqueConstraint("work_order_id", "attempt"),
        sa.CheckConstraint("(state = 'sent') = (judged_at IS NULL)", name="judged_or_waiting"),
        sa.CheckConstraint("leave_until IS NULL OR state = 'accepted'", name="left_once_accepted"),
        sa.CheckConstraint("window_ended_at IS NULL OR leave_until IS NOT NULL", name="window_before_its_end"),
    )

    id: UUID = id_field()
    work_order_id: UUID = Field(foreign_key="work_order.id")
    attempt: int = 1
    picture_id: UUID = Field(foreign_key="picture.id")
    note: str = Field(default="", max_length=500)  # what differs from the concept, says the factory
    state: FirstArticleState = enum_field(FirstArticleState, FirstArticleState.SENT)
    verdict: str = Field(default="", max_length=500)  # of the merchandiser
    judged_by: UUID | None = Field(default=None, foreign_key="user_account.id")
    sent_at: datetime = time_field()
    judged_at: datetime | None = time_field(nullable=True)
    leave_until: datetime | None = time_field(nullable=True)  # it differs: buyers may leave free of charge until then
    window_ended_at: datetime | None = time_field(nullable=True)  # and the rest may be made


class Lot(Table, table=True):
    """Pieces that leave the factory together."""

    __table_args__ = (
        sa.UniqueConstraint("work_order_id", "position"),
        sa.UniqueConstraint("work_order_id", "idempotency_key"),
    )

    id: UUID = id_field()
    work_order_id: UUID = Field(foreign_key="work_order.id")
    position: int
    quantity: int
    carrier: str = Field(max_length=60)
    tracking_number: str = Field(max_length=60)
    idempotency_key: str = Field(max_length=80)
    shipped_at: datetime = time_field()


class Parcel(Table, table=True):
    """What of a lot goes to one pledge."""

    __table_args__ = (
        sa.UniqueConstraint("lot_id", "pledge_id"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    id: UUID = id_field()
    lot_id: UUID = Field(foreign_key="lot.id")
    work_order_id: UUID = Field(foreign_key="work_order.id", index=True)
    pledge_id: UUID = Field(foreign_key="pledge.id", index=True)
    quantity: int
    delivered_at: datetime | None = time_field(nullable=True)


class ParcelLine(Table, table=True):
    """Pieces of one variant in a parcel: each delivered unit is pegged to one pledge."""

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    parcel_id: UUID = Field(primary_key=True, foreign_key="parcel.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id")
    quantity: int


class Compensation(Table, table=True):
    """Paid to a buyer, unasked, for a parcel that came late; charged to the factory."""

    __table_args__ = (sa.CheckConstraint("days_late > 0 AND amount_minor > 0", name="positive"),)

    parcel_id: UUID = Field(primary_key=True, foreign_key="parcel.id")
    pledge_id: UUID = Field(foreign_key="pledge.id", index=True)
    work_order_id: UUID = Field(foreign_key="work_order.id", index=True)
    days_late: int
    amount_minor: int = amount_field()
    currency: str = Field(max_length=3)
    granted_at: datetime = time_field()


NET_CARRIED = sa.text("net_minor <> paid_minor")
MARGIN_CARRIED = sa.text("margin_minor - commission_minor <> margin_paid_minor")


class Settlement(Table, table=True):
    """A work order's account with its factory: earned, less compensation and fee, paid after so many days."""

    __table_args__ = (
        sa.CheckConstraint("net_minor = earned_minor - compensation_minor - fee_minor", name="adds_up"),
        sa.CheckConstraint("paid_minor >= 0 AND margin_paid_minor >= 0", name="paid_not_negative"),
        sa.CheckConstraint("commission_minor >= 0", name="commission_not_negative"),
        sa.Index("ix_settlement_factory_id", "factory_id", "settled_at"),
        sa.Index("ix_settlement_carried", "factory_id", sqlite_where=NET_CARRIED, postgresql_where=NET_CARRIED),
        sa.Index(
            "ix_settlement_margin_carried",
            "merchandiser_id",
            sqlite_where=MARGIN_CARRIED,
            postgresql_where=MARGIN_CARRIED,
        ),
    )

    work_order_id: UUID = Field(primary_key=True, foreign_key="work_order.id")
    factory_id: UUID = Field(foreign_key="factory.id")
    number: str = Field(unique=True, max_length=24)
    earned_minor: int = amount_field()
    compensation_minor: int = amount_field()
    fee_minor: int = amount_field()
    net_minor: int = amount_field()
    paid_minor: int = amount_field()  # the net, less what earlier orders left owing
    merchandiser_id: UUID = Field(foreign_key="organisation.id")
    margin_minor: int = amount_field()  # buyers' money less what the factory earned, for the merchandiser
    commission_minor: int = amount_field(0)  # earned by its teams' leaders since its last settlement
    margin_paid_minor: int = amount_field()  # the margin less commissions and what earlier orders left owing
    currency: str = Field(max_length=3)
    settled_at: datetime = time_field()
