"""What came of it: the demo's figures, read from the rows."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from c2m.db import table_of
from c2m.demand.models import (
    Campaign,
    ChangeKind,
    Evaluation,
    Pledge,
    PledgeChange,
    SampleCredit,
    SheetLine,
    SheetRelease,
    Waiting,
)
from c2m.demo import people
from c2m.demo.market import CURRENCY
from c2m.design.models import Concept, Want
from c2m.identity.models import Organisation, Role, User
from c2m.ledger.models import AccountKind, Direction, Hold, Transfer, TransferState
from c2m.ledger.queries import balances_by_kind
from c2m.matching.models import Offer, OfferState
from c2m.production.compensation import COMPENSATION
from c2m.production.models import Milestone, Parcel, WorkOrder
from c2m.production.queries import UNDERWAY


@dataclass(frozen=True)
class Money:
    """Where money went, in minor units of the market's currency."""

    collected: int  # from buyers into escrow
    refunded: int  # back to buyers, compensation not counted
    compensated: int  # to buyers for late parcels, paid by factories
    forfeited: int  # deposits of unpaid balances
    settled: int  # to factories
    margins: int  # to merchandisers
    fees: int
    held: int  # still in escrow
    owed_to_factories: int  # earned, not yet settled
    owed_to_merchandisers: int
    owed_to_buyers: int  # granted, their payment under way


@dataclass(frozen=True)
class Pieces:
    """Pieces through the stages."""

    pledged: int
    confirmed: int  # on demand sheets
    unserved: int  # no factory made them, refunded
    produced: int
    rejected: int
    shipped: int
    delivered: int


@dataclass(frozen=True)
class Summary:
    """The market at the end of its days."""

    organisations: dict[str, int]  # by kind and state
    campaigns: dict[str, int]  # by outcome
    concepts: dict[str, int]
    wants: int
    pledges: dict[str, int]
    forms: dict[str, int]  # how often each form of a group-buy was used
    offers: dict[str, int]
    work_orders: dict[str, int]
    late_work_orders: int  # past their due date and still underway
    late_parcels: int
    pieces: Pieces
    money: Money
    matched_share_pct: float  # of the pieces whose matching is over, those a factory took on
    on_time_share_pct: float  # of the pieces delivered, those that came by the promised date

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def summarise(session: Session, *, now: datetime) -> Summary:
    """Read the figures of the whole market."""
    delivered, on_time = _deliveries(session)
    taken, unserved = _pieces_taken(session), _unserved(session)
    return Summary(
        organisations=_organisations(session),
        campaigns=_by_state(session, Campaign),
        concepts=_by_state(session, Concept),
        wants=_count(session, Want),
        pledges=_by_state(session, Pledge),
        forms=_forms(session),
        offers=_by_state(session, Offer),
        work_orders=_by_state(session, WorkOrder),
        late_work_orders=_late(session, now),
        late_parcels=_count(session, Parcel, _late_parcel()),
        pieces=Pieces(
            pledged=_sum(session, Pledge, "quantity"),
            confirmed=_sum(session, SheetLine, "quantity"),
            unserved=unserved,
            produced=_sum(session, WorkOrder, "produced"),
            rejected=_sum(session, Milestone, "rejected"),
            shipped=_sum(session, WorkOrder, "shipped"),
            delivered=delivered,
        ),
        money=_money(session),
        matched_share_pct=_percent(taken, taken + unserved),
        on_time_share_pct=_percent(on_time, delivered),
    )


@dataclass(frozen=True)
class SignIn:
    """An account to try."""

    role: str
    email: str
    name: str
    name_en: str


def sign_ins(session: Session) -> list[SignIn]:
    """The first account of each role."""
    emails = {role: people.email_of(role, 0) for role in Role}
    organisation, user = table_of(Organisation), table_of(User)
    rows = session.execute(
        sa.select(user.c.email, organisation.c.name, organisation.c.name_en)
        .join_from(user, organisation, organisation.c.id == user.c.organisation_id)
        .where(user.c.email.in_(list(emails.values())))
    )
    found = {row.email: row for row in rows}
    return [
        SignIn(role, email, found[email].name, found[email].name_en or "")
        for role, email in emails.items()
        if email in found
    ]


def _money(session: Session) -> Money:
    balances = balances_by_kind(session)
    return Money(
        collected=_paid(session, Direction.CHARGE),
        refunded=_paid(session, Direction.REFUND) - _paid(session, Direction.REFUND, purpose=COMPENSATION),
        compensated=_paid(session, Direction.REFUND, purpose=COMPENSATION),
        forfeited=_sum(session, Hold, "forfeited_minor"),
        settled=_paid(session, Direction.PAYOUT, to=Role.FACTORY),
        margins=_paid(session, Direction.PAYOUT, to=Role.MERCHANDISER),
        fees=balances.get((AccountKind.PLATFORM_FEES, CURRENCY), 0),
        held=balances.get((AccountKind.ESCROW, CURRENCY), 0),
        owed_to_factories=balances.get((AccountKind.FACTORY_PAYABLE, CURRENCY), 0),
        owed_to_merchandisers=balances.get((AccountKind.MERCHANDISER_PAYABLE, CURRENCY), 0),
        owed_to_buyers=balances.get((AccountKind.BUYER_PAYABLE, CURRENCY), 0),
    )


def _paid(session: Session, direction: Direction, *, purpose: str | None = None, to: Role | None = None) -> int:
    transfer, organisation = table_of(Transfer), table_of(Organisation)
    statement = sa.select(sa.func.coalesce(sa.func.sum(transfer.c.amount_minor), 0)).where(
        transfer.c.direction == direction, transfer.c.state == TransferState.DONE
    )
    if purpose is not None:
        statement = statement.where(transfer.c.purpose == purpose)
    if to is not None:
        receivers = sa.select(organisation.c.id).where(organisation.c.kind == to)
        statement = statement.where(transfer.c.organisation_id.in_(receivers))
    return int(session.execute(statement).scalar_one())


def _organisations(session: Session) -> dict[str, int]:
    c = table_of(Organisation).c
    rows = session.execute(sa.select(c.kind, c.state, sa.func.count()).group_by(c.kind, c.state))
    return {f"{kind.value} {state.value}": count for kind, state, count in sorted(rows, key=lambda row: row[:2])}


def _by_state(session: Session, model: type[SQLModel]) -> dict[str, int]:
    c = table_of(model).c
    rows = session.execute(sa.select(c.state, sa.func.count()).group_by(c.state))
    counts = {state.value: count for state, count in rows}
    in_order: list[str] = c.state.type.enums  # type: ignore[attr-defined]  # every state column is an Enum
    return {state: counts[state] for state in in_order if state in counts}


def _forms(session: Session) -> dict[str, int]:
    """What buyers agreed to beside pieces, and what became of it."""
    pledge, campaign, change = table_of(Pledge).c, table_of(Campaign).c, table_of(PledgeChange).c
    agreed = {
        "with extra pieces": change.kind.in_([ChangeKind.FLEXIBLE_TAKEN, ChangeKind.FLEXIBLE_FREED]),
        "in another colour": change.kind == ChangeKind.COLOUR_CHANGED,
        "out above their ceiling": change.kind == ChangeKind.CEILING_MISSED,
        "moved up": change.kind == ChangeKind.MOVED_UP,
        "carried on": change.kind == ChangeKind.CARRIED_ON,
    }
    return {
        "extended campaigns": _count(session, Campaign, campaign.extended_at.is_not(None)),
        "next rounds": _count(session, Campaign, campaign.previous_round_id.is_not(None)),
        "completed by the merchant": _count(session, Pledge, pledge.merchant_funded),
        "with a ceiling": _count(session, Pledge, pledge.ceiling_minor.is_not(None)),
        **{name: _count(session, PledgeChange, which) for name, which in agreed.items()},
        "waits": _count(session, Waiting),
        "evaluations": _count(session, Evaluation),
        "sample credits": _count(session, SampleCredit),
    }


def _count(session: Session, model: type[SQLModel], *where: sa.ColumnElement[bool]) -> int:
    return int(session.execute(sa.select(sa.func.count()).select_from(table_of(model)).where(*where)).scalar_one())


def _unserved(session: Session) -> int:
    c = table_of(SheetRelease).c
    unserved = sa.select(sa.func.coalesce(sa.func.sum(c.quantity), 0)).where(c.left_free.is_(False))
    return int(session.execute(unserved).scalar_one())


def _sum(session: Session, model: type[SQLModel], column: str) -> int:
    c = table_of(model).c[column]
    return int(session.execute(sa.select(sa.func.coalesce(sa.func.sum(c), 0))).scalar_one())


def _late(session: Session, now: datetime) -> int:
    c = table_of(WorkOrder).c
    return _count(session, WorkOrder, c.state.in_(UNDERWAY), c.due_at < now)


def _pieces_taken(session: Session) -> int:
    c = table_of(Offer).c
    taken = sa.select(sa.func.coalesce(sa.func.sum(c.quantity), 0)).where(c.state == OfferState.ACCEPTED)
    return int(session.execute(taken).scalar_one())


def _late_parcel() -> sa.ColumnElement[bool]:
    parcel, pledge, campaign = table_of(Parcel), table_of(Pledge), table_of(Campaign)
    promised = (
        sa.select(campaign.c.promised_date)
        .join_from(campaign, pledge, pledge.c.campaign_id == campaign.c.id)
        .where(pledge.c.id == parcel.c.pledge_id)
        .correlate(parcel)
        .scalar_subquery()
    )
    return parcel.c.delivered_at > promised


def _deliveries(session: Session) -> tuple[int, int]:
    """Pieces delivered, and those of them by the promised date."""
    c = table_of(Parcel).c
    statement = sa.select(
        sa.func.coalesce(sa.func.sum(c.quantity), 0),
        sa.func.coalesce(sa.func.sum(sa.case((_late_parcel(), 0), else_=c.quantity)), 0),
    ).where(c.delivered_at.is_not(None))
    delivered, on_time = session.execute(statement).one()
    return int(delivered), int(on_time)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 100.0
