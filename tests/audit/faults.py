"""Faults a database should never show, planted straight into the rows of a market that lived."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from c2m.db import table_of, uuid7
from c2m.demand.models import (
    BuyerTotal,
    Campaign,
    Commission,
    DemandSheet,
    Pledge,
    PledgeLine,
    PledgeState,
    SheetPledge,
)
from c2m.design.models import Want, WantState
from c2m.jobs import Job, JobState
from c2m.ledger.models import Account, AccountKind, Direction, Entry, Hold, HoldState, Posting, Transfer, TransferState
from c2m.matching.models import Booking, CapacityWeek, Offer, OfferLine, OfferState
from c2m.outbox import Announcement
from c2m.production.models import (
    Compensation,
    Lot,
    Milestone,
    Parcel,
    ParcelLine,
    Report,
    Settlement,
    WorkOrder,
    WorkOrderState,
)
from tests.audit.market import Life

Plant = Callable[[Session, Life], list[str]]


@dataclass(frozen=True)
class Fault:
    """A fault, the invariant it breaks, what the audit must say, and how it is planted: returns the ids to be named."""

    invariant: str
    sentence: str
    plant: Plant

    @property
    def name(self) -> str:
        return f"{self.invariant}-{self.plant.__name__}"


FAULTS: list[Fault] = []


def fault(invariant: str, sentence: str) -> Callable[[Plant], Plant]:
    def add(plant: Plant) -> Plant:
        FAULTS.append(Fault(invariant, sentence, plant))
        return plant

    return add


def rows(session: Session, model: type[SQLModel], *which: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    """The rows this holds for, in the order of their first key."""
    table = table_of(model)
    statement = sa.select(table).where(*which).order_by(*table.primary_key.columns)
    return [dict(row._mapping) for row in session.execute(statement)]


def change(session: Session, model: type[SQLModel], row: dict[str, Any], **values: Any) -> None:
    """Change one row where it stands."""
    table = table_of(model)
    this = [column == row[column.name] for column in table.primary_key.columns]
    assert session.execute(sa.update(table).where(*this).values(values)).rowcount == 1  # type: ignore[attr-defined]


def add(session: Session, model: type[SQLModel], **values: Any) -> None:
    session.execute(sa.insert(table_of(model)).values(values))


def remove(session: Session, model: type[SQLModel], *which: sa.ColumnElement[bool]) -> None:
    session.execute(sa.delete(table_of(model)).where(*which))


def an_entry(session: Session, reference: str, debit: UUID, credit: UUID) -> UUID:
    """One cent from account to account."""
    entry_id = uuid7()
    add(session, Entry, id=entry_id, reference=reference, kind="test", posted_at=sa.func.current_timestamp())
    for position, (account_id, side) in enumerate(((debit, "debit"), (credit, "credit"))):
        leg = {"account_id": account_id, "side": side, "amount_minor": 1, "currency": "CNY"}
        add(session, Posting, entry_id=entry_id, position=position, **leg)
    return entry_id


def accounts(session: Session, kind: AccountKind) -> list[dict[str, Any]]:
    return rows(session, Account, table_of(Account).c.kind == kind)


def repayment(session: Session) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two legs of a refund that was paid out: buyer payable, outside."""
    [entry, *_] = rows(session, Entry, table_of(Entry).c.reference.startswith("refund:"))
    debit, credit = rows(session, Posting, table_of(Posting).c.entry_id == entry["id"])
    return debit, credit


@fault("I1", "An entry's legs are incomplete, not positive, or don't add up to zero.")
def one_leg_is_a_cent_more(session: Session, life: Life) -> list[str]:
    _, credit = repayment(session)
    change(session, Posting, credit, amount_minor=credit["amount_minor"] + 1)
    return [str(credit["entry_id"])]


@fault("I1", "An entry's legs are incomplete, not positive, or don't add up to zero.")
def two_legs_of_nothing(session: Session, life: Life) -> list[str]:
    legs = repayment(session)
    for position, leg in enumerate(legs, start=2):
        add(session, Posting, **leg | {"position": position, "amount_minor": 0})
    return [str(legs[0]["entry_id"])]


@fault("I1", "An entry's legs are incomplete, not positive, or don't add up to zero.")
def a_leg_in_between_is_gone(session: Session, life: Life) -> list[str]:
    _, credit = repayment(session)
    change(session, Posting, credit, position=2)
    return [str(credit["entry_id"])]


@fault("I1", "An entry has no legs.")
def an_entry_without_legs(session: Session, life: Life) -> list[str]:
    entry_id = uuid7()
    add(session, Entry, id=entry_id, reference="empty", kind="test", posted_at=sa.func.current_timestamp())
    return [str(entry_id)]


@fault("I1", "An entry's legs are incomplete, not positive, or don't add up to zero.")
def two_currencies_that_only_add_up_together(session: Session, life: Life) -> list[str]:
    [outside, *_] = accounts(session, AccountKind.OUTSIDE)
    euros = outside | {"id": uuid7(), "owner_id": uuid7(), "currency": "EUR"}
    add(session, Account, **euros)
    entry_id = an_entry(session, "exchange:1", outside["id"], euros["id"])
    [_, credit] = rows(session, Posting, table_of(Posting).c.entry_id == entry_id)
    change(session, Posting, credit, currency="EUR")
    return [str(entry_id)]


@fault("I1", "A posting has no entry, no account, or another currency than its account.")
def an_entry_is_gone(session: Session, life: Life) -> list[str]:
    one, other, *_ = accounts(session, AccountKind.OUTSIDE)
    entry_id = an_entry(session, "vanishes", one["id"], other["id"])
    remove(session, Entry, table_of(Entry).c.id == entry_id)
    return [f"{entry_id}/0", f"{entry_id}/1"]


@fault("I1", "A posting has no entry, no account, or another currency than its account.")
def legs_in_another_currency(session: Session, life: Life) -> list[str]:
    legs = repayment(session)
    for leg in legs:
        change(session, Posting, leg, currency="EUR")
    return [f"{leg['entry_id']}/{leg['position']}" for leg in legs]


@fault("I1", "An operation was posted twice.")
def one_reference_two_entries(session: Session, life: Life) -> list[str]:
    one, other, *_ = accounts(session, AccountKind.OUTSIDE)
    for _ in range(2):
        an_entry(session, "gift:1", one["id"], other["id"])
    return ["gift:1"]


@fault("I2", "An escrow's balance isn't what is held in it.")
def a_cent_leaves_escrow_for_nothing(session: Session, life: Life) -> list[str]:
    [escrow] = [a for a in accounts(session, AccountKind.ESCROW) if a["owner_id"] == life.running]
    an_entry(session, "theft:1", escrow["id"], accounts(session, AccountKind.OUTSIDE)[0]["id"])
    return [str(life.running)]


@fault("I2", "An escrow's balance isn't what is held in it.")
def an_empty_escrow_pays(session: Session, life: Life) -> list[str]:
    [escrow] = [a for a in accounts(session, AccountKind.ESCROW) if a["owner_id"] == life.failed]
    an_entry(session, f"theft:{uuid7()}", escrow["id"], accounts(session, AccountKind.OUTSIDE)[0]["id"])
    return [str(life.failed)]


@fault("I3", "A hold differs from what its entries moved.")
def a_refund_called_captured(session: Session, life: Life) -> list[str]:
    c = table_of(Hold).c
    [hold, *_] = rows(session, Hold, c.captured_minor > 0, c.refunded_minor > 0)
    shifted = {"captured_minor": hold["captured_minor"] + 1, "refunded_minor": hold["refunded_minor"] - 1}
    change(session, Hold, hold, **shifted)
    return [str(hold["id"])]


@fault("I3", "A hold's state contradicts what has left it.")
def a_resolved_hold_without_its_hour(session: Session, life: Life) -> list[str]:
    [hold, *_] = rows(session, Hold, table_of(Hold).c.state == HoldState.CAPTURED)
    change(session, Hold, hold, resolved_at=None)
    return [str(hold["id"])]


@fault("I3", "A hold is not of the payment that made it.")
def a_hold_of_somebody_else(session: Session, life: Life) -> list[str]:
    one, other, *_ = rows(session, Hold)
    change(session, Hold, one, payer_id=other["payer_id"])
    return [str(one["id"])]


def campaign(session: Session, campaign_id: UUID) -> dict[str, Any]:
    [found] = rows(session, Campaign, table_of(Campaign).c.id == campaign_id)
    return found


def pledges(session: Session, *which: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    return rows(session, Pledge, *which)


def pledges_in(session: Session, campaign_id: UUID) -> list[dict[str, Any]]:
    return pledges(session, table_of(Pledge).c.campaign_id == campaign_id)


@fault("I4", "A campaign's count isn't what its pledges come to.")
def a_piece_nobody_pledged(session: Session, life: Life) -> list[str]:
    running = campaign(session, life.running)
    change(session, Campaign, running, pledged_quantity=running["pledged_quantity"] + 1)
    return [str(life.running)]


@fault("I4", "More was pledged than the campaign's cap.")
def a_cap_below_what_was_sold(session: Session, life: Life) -> list[str]:
    change(session, Campaign, campaign(session, life.running), cap=10)
    return [str(life.running)]


@fault("I4", "A buyer holds more than the limit.")
def a_limit_below_what_was_taken(session: Session, life: Life) -> list[str]:
    change(session, Campaign, campaign(session, life.running), per_buyer_limit=5)
    [greedy] = [pledge for pledge in pledges_in(session, life.running) if pledge["quantity"] > 5]
    return [f"{life.running}/{greedy['buyer_id']}"]


@fault("I4", "What a buyer is said to hold isn't what it holds.")
def a_buyers_total_too_low(session: Session, life: Life) -> list[str]:
    [total, *_] = rows(session, BuyerTotal, table_of(BuyerTotal).c.campaign_id == life.running)
    change(session, BuyerTotal, total, quantity=total["quantity"] - 1)
    return [f"{life.running}/{total['buyer_id']}"]


@fault("I4", "A pledge isn't the sum of its variants.")
def a_line_with_a_piece_more(session: Session, life: Life) -> list[str]:
    [pledge, *_] = pledges_in(session, life.running)
    [line] = rows(session, PledgeLine, table_of(PledgeLine).c.pledge_id == pledge["id"])
    change(session, PledgeLine, line, quantity=line["quantity"] + 1)
    return [str(pledge["id"])]


@fault("I5", "A buyer's key stands for two pledges.")
def one_key_two_pledges(session: Session, life: Life) -> list[str]:
    [one], [other] = pledges_in(session, life.failed), pledges_in(session, life.called_off)
    change(session, Pledge, other, buyer_id=one["buyer_id"], idempotency_key=one["idempotency_key"])
    return [f"{one['buyer_id']}/{one['idempotency_key']}"]


@fault("I5", "Joining or a balance wasn't charged exactly once.")
def a_second_charge(session: Session, life: Life) -> list[str]:
    c = table_of(Transfer).c
    [first, *_] = rows(session, Transfer, c.purpose == "demand.pledge", c.state == TransferState.DONE)
    add(session, Transfer, **first | {"id": uuid7(), "reference": "again", "state": TransferState.PENDING})
    return [str(first["subject_id"])]


@fault("I5", "A transfer isn't posted as often as it was carried out.")
def a_refund_posted_but_called_failed(session: Session, life: Life) -> list[str]:
    c = table_of(Transfer).c
    [paid, *_] = rows(session, Transfer, c.direction == Direction.REFUND, c.state == TransferState.DONE)
    change(session, Transfer, paid, state=TransferState.FAILED)
    return [str(paid["id"])]


@fault("I5", "A transfer was asked for twice.")
def one_reference_two_transfers(session: Session, life: Life) -> list[str]:
    [declined] = rows(session, Transfer, table_of(Transfer).c.state == TransferState.FAILED)
    [other, *_] = rows(session, Transfer, table_of(Transfer).c.direction == Direction.REFUND)
    change(session, Transfer, declined, reference=other["reference"])
    return [other["reference"]]


@fault("I5", "A report was counted twice.")
def one_key_two_reports(session: Session, life: Life) -> list[str]:
    [order, *_] = rows(session, WorkOrder)
    one, other, *_ = rows(session, Report, table_of(Report).c.work_order_id == order["id"])
    change(session, Report, other, idempotency_key=one["idempotency_key"])
    return [f"{order['id']}/{one['idempotency_key']}"]


@fault("I5", "A lot was shipped twice.")
def one_key_two_lots(session: Session, life: Life) -> list[str]:
    [order] = rows(session, WorkOrder, table_of(WorkOrder).c.state == WorkOrderState.IN_PRODUCTION)
    one, other = rows(session, Lot, table_of(Lot).c.work_order_id == order["id"])
    change(session, Lot, other, idempotency_key=one["idempotency_key"])
    return [f"{order['id']}/{one['idempotency_key']}"]


@fault("I6", "A campaign has more than one demand sheet.")
def a_second_sheet(session: Session, life: Life) -> list[str]:
    _an_announced_sheet(session, life.group_buy)
    return [str(life.group_buy)]


@fault("I6", "A demand sheet is missing, or stands where none belongs.")
def a_sheet_of_a_failed_campaign(session: Session, life: Life) -> list[str]:
    _an_announced_sheet(session, life.failed)
    return [str(life.failed)]


def _an_announced_sheet(session: Session, campaign_id: UUID) -> None:
    [sheet, *_] = rows(session, DemandSheet)
    sheet |= {"id": uuid7(), "number": "DS-again", "campaign_id": campaign_id, "version": 2, "quantity": 0}
    add(session, DemandSheet, **sheet)
    [told, *_] = rows(session, Announcement, table_of(Announcement).c.topic == "demand.sheets_issued")
    change(session, Announcement, told, ids=[*told["ids"], str(sheet["id"])])


@fault("I6", "A campaign's outcome isn't what count and ladder say.")
def a_success_below_the_minimum(session: Session, life: Life) -> list[str]:
    change(session, Campaign, campaign(session, life.group_buy), minimum=66)
    return [str(life.group_buy)]


@fault("I6", "A pledge didn't end on the final tier.")
def a_pledge_a_cent_dearer(session: Session, life: Life) -> list[str]:
    [pledge, *_] = [p for p in pledges_in(session, life.group_buy) if p["final_price_minor"]]
    change(session, Pledge, pledge, final_price_minor=pledge["final_price_minor"] + 1)
    return [str(pledge["id"])]


@fault("I6", "A difference wasn't given back exactly once.")
def a_difference_given_for_something_else(session: Session, life: Life) -> list[str]:
    [given, *_] = rows(session, Transfer, table_of(Transfer).c.purpose == "demand.tier_difference")
    change(session, Transfer, given, purpose="demand.gift")
    return [str(given["subject_id"])]


@fault("I7", "A pledge's state contradicts its end or its campaign.")
def an_end_without_its_hour(session: Session, life: Life) -> list[str]:
    [pledge, *_] = pledges(session, table_of(Pledge).c.state == PledgeState.REFUNDED)
    change(session, Pledge, pledge, ended_at=None)
    return [str(pledge["id"])]


@fault("I7", "A pledge's state contradicts its money and pieces.")
def a_fulfilled_pledge_called_confirmed(session: Session, life: Life) -> list[str]:
    [pledge, *_] = pledges(session, table_of(Pledge).c.state == PledgeState.FULFILLED)
    change(session, Pledge, pledge, state=PledgeState.CONFIRMED)
    return [str(pledge["id"])]


@fault("I7", "A pledge's state contradicts its end or its campaign.")
def a_campaign_called_off_with_a_pledge_alive(session: Session, life: Life) -> list[str]:
    for pledge in pledges_in(session, life.called_off):
        change(session, Pledge, pledge, state=PledgeState.PAID, ended_at=None)
    return [str(pledge["id"]) for pledge in pledges_in(session, life.called_off)]


@fault("I7", "A pledge's state contradicts its money and pieces.")
def a_cancelled_pledge_not_refunded(session: Session, life: Life) -> list[str]:
    [pledge] = [p for p in pledges_in(session, life.running) if p["state"] is PledgeState.PAID]
    running = campaign(session, life.running)
    change(session, Pledge, pledge, state=PledgeState.CANCELLED, ended_at=life.now)
    change(session, Campaign, running, pledged_quantity=running["pledged_quantity"] - pledge["quantity"])
    c = table_of(BuyerTotal).c
    remove(session, BuyerTotal, c.campaign_id == life.running, c.buyer_id == pledge["buyer_id"])
    return [str(pledge["id"])]


@fault("I7", "A want's state contradicts its deposit.")
def a_refunded_want_called_deposited(session: Session, life: Life) -> list[str]:
    [want] = rows(session, Want, table_of(Want).c.state == WantState.REFUNDED)
    change(session, Want, want, state=WantState.DEPOSITED)
    return [str(want["id"])]


@fault("I8", "Confirmed pieces don't stand in exactly one sheet line.")
def a_piece_more_in_the_sheet_than_pledged(session: Session, life: Life) -> list[str]:
    [pledge] = pledges_in(session, life.hopeless)
    [made_of] = rows(session, SheetPledge, table_of(SheetPledge).c.pledge_id == pledge["id"])
    change(session, SheetPledge, made_of, quantity=made_of["quantity"] + 1)
    return [f"{pledge['id']}/{made_of['variant_id']}"]


@fault("I8", "A sheet isn't the sum of its lines.")
def a_sheet_with_a_piece_more(session: Session, life: Life) -> list[str]:
    [sheet, *_] = rows(session, DemandSheet)
    change(session, DemandSheet, sheet, quantity=sheet["quantity"] + 1)
    return [str(sheet["id"])]


def declined_offer(session: Session) -> dict[str, Any]:
    [offer] = rows(session, Offer, table_of(Offer).c.state == OfferState.DECLINED)
    return offer


@fault("I9", "More of a sheet line was given to factories than it has.")
def a_declined_offer_called_open(session: Session, life: Life) -> list[str]:
    offer = declined_offer(session)
    change(session, Offer, offer, state=OfferState.OFFERED)
    lines = rows(session, OfferLine, table_of(OfferLine).c.offer_id == offer["id"])
    return [f"{offer['sheet_id']}/{line['variant_id']}" for line in lines]


@fault("I9", "A sheet is called served and isn't, or the other way round.")
def a_served_sheet_called_open(session: Session, life: Life) -> list[str]:
    [sheet, *_] = rows(session, DemandSheet)
    change(session, DemandSheet, sheet, served_at=None)
    return [str(sheet["id"])]


@fault("I9", "An offer isn't the sum of its lines.")
def an_offer_with_a_piece_more(session: Session, life: Life) -> list[str]:
    offer = declined_offer(session)
    change(session, Offer, offer, quantity=offer["quantity"] + 1)
    return [str(offer["id"])]


@fault("I9", "An offer holds more or less capacity than it needs.")
def capacity_never_given_back(session: Session, life: Life) -> list[str]:
    offer = declined_offer(session)
    for booking in rows(session, Booking, table_of(Booking).c.offer_id == offer["id"]):
        change(session, Booking, booking, released_at=None)
    return [str(offer["id"])]


@fault("I9", "A week's bookings aren't what it says is booked.")
def a_week_that_says_too_little(session: Session, life: Life) -> list[str]:
    [week, *_] = rows(session, CapacityWeek, table_of(CapacityWeek).c.booked > 0)
    change(session, CapacityWeek, week, booked=week["booked"] - 1)
    return [f"{week['capability_id']}/{week['week']}"]


@fault("I9", "A week is booked beyond its capacity.")
def a_week_that_can_do_less(session: Session, life: Life) -> list[str]:
    [week, *_] = rows(session, CapacityWeek, table_of(CapacityWeek).c.booked > 0)
    change(session, CapacityWeek, week, capacity=week["booked"] - 1)
    return [f"{week['capability_id']}/{week['week']}"]


def done_job(session: Session) -> dict[str, Any]:
    [job, *_] = rows(session, Job, table_of(Job).c.state == JobState.DONE)
    return job


@fault("I10", "A job was queued twice.")
def one_key_two_jobs(session: Session, life: Life) -> list[str]:
    job = done_job(session)
    add(session, Job, **job | {"id": uuid7()})
    return [job["key"]]


@fault("I10", "A job's state contradicts its lease or finish.")
def a_done_job_without_its_finish(session: Session, life: Life) -> list[str]:
    job = done_job(session)
    change(session, Job, job, finished_at=None)
    return [str(job["id"])]


@fault("I10", "A lease ran out and nobody took the job over.")
def a_lease_of_yesterday(session: Session, life: Life) -> list[str]:
    job = done_job(session)
    leased = {"lease_token": uuid7(), "leased_until": life.now - timedelta(days=1)}
    change(session, Job, job, state=JobState.LEASED, **leased)
    return [str(job["id"])]


@fault("I10", "A campaign is past its deadline and nothing will close it.")
def a_deadline_nobody_watches(session: Session, life: Life) -> list[str]:
    c = table_of(Job).c
    waiting = rows(session, Job, c.kind == "demand.close_campaigns", c.state == JobState.READY)
    [closing] = [job for job in waiting if str(life.running) in job["ids"]]
    change(session, Job, closing, state=JobState.DONE, finished_at=life.now)
    change(session, Campaign, campaign(session, life.running), deadline=life.now - timedelta(seconds=1))
    return [str(life.running)]


def announcement(session: Session, topic: str) -> dict[str, Any]:
    [found, *_] = rows(session, Announcement, table_of(Announcement).c.topic == topic)
    return found


@fault("I11", "Something happened and was never announced.")
def an_announcement_is_gone(session: Session, life: Life) -> list[str]:
    told = announcement(session, "production.work_orders_delivered")
    remove(session, Announcement, table_of(Announcement).c.id == told["id"])
    return [f"production.work_orders_delivered/{order_id}" for order_id in told["ids"]]


@fault("I11", "An announcement was passed on without its jobs.")
def a_job_was_never_made(session: Session, life: Life) -> list[str]:
    told = announcement(session, "matching.offers_accepted")
    remove(session, Job, table_of(Job).c.key == f"production.create_work_orders<{told['id']}")
    return [str(told["id"])]


@fault("I11", "An announcement waits and nobody passes it on.")
def an_announcement_lies_about(session: Session, life: Life) -> list[str]:
    told = announcement(session, "production.lots_shipped")
    change(session, Announcement, told, dispatched_at=None)
    return [str(told["id"])]


@fault("I11", "A payment arrived and its pledge was never told.")
def a_paid_pledge_that_does_not_know(session: Session, life: Life) -> list[str]:
    [pledge] = [p for p in pledges_in(session, life.running) if p["state"] is PledgeState.PAID]
    change(session, Pledge, pledge, state=PledgeState.UNPAID, paid_at=None)
    return [str(pledge["id"])]


@fault("I12", "A step's count isn't what was reported.")
def a_step_that_counts_a_piece_more(session: Session, life: Life) -> list[str]:
    [step, *_] = rows(session, Milestone)
    change(session, Milestone, step, done=step["done"] + 1)
    return [f"{step['work_order_id']}/{step['position']}"]


@fault("I12", "More was sent to a pledge than it waits for.")
def a_piece_more_in_a_parcel(session: Session, life: Life) -> list[str]:
    c = table_of(Pledge).c
    served = pledges(session, c.state == PledgeState.FULFILLED, c.released_quantity == 0)
    [parcel, *_] = rows(session, Parcel, table_of(Parcel).c.pledge_id == served[0]["id"])
    [line, *_] = rows(session, ParcelLine, table_of(ParcelLine).c.parcel_id == parcel["id"])
    change(session, ParcelLine, line, quantity=line["quantity"] + 1)
    return [f"{served[0]['id']}/{line['variant_id']}"]


@fault("I12", "More was shipped than good pieces were made.")
def pieces_rejected_after_they_left(session: Session, life: Life) -> list[str]:
    [order, *_] = rows(session, WorkOrder, table_of(WorkOrder).c.state == WorkOrderState.SETTLED)
    change(session, WorkOrder, order, rejected=order["rejected"] + 1)
    return [str(order["id"])]


@fault("I12", "A pledge's delivered pieces aren't those of its parcels.")
def a_delivery_nobody_made(session: Session, life: Life) -> list[str]:
    [pledge, *_] = pledges(session, table_of(Pledge).c.state == PledgeState.CONFIRMED)
    change(session, Pledge, pledge, delivered_quantity=pledge["delivered_quantity"] + 1)
    return [str(pledge["id"])]


@fault("I13", "A late parcel wasn't compensated as the policy promises.")
def a_compensation_a_cent_higher(session: Session, life: Life) -> list[str]:
    [granted] = rows(session, Compensation)
    change(session, Compensation, granted, amount_minor=granted["amount_minor"] + 1)
    return [str(granted["parcel_id"])]


@fault("I13", "A settlement isn't what earnings, compensation and policy come to.")
def a_fee_a_cent_higher(session: Session, life: Life) -> list[str]:
    [settled, *_] = rows(session, Settlement)
    changed = {"fee_minor": settled["fee_minor"] + 1, "net_minor": settled["net_minor"] - 1}
    change(session, Settlement, settled, **changed)
    return [str(settled["work_order_id"])]


@fault("I13", "A work order's figures aren't those of its postings.")
def earnings_a_cent_higher(session: Session, life: Life) -> list[str]:
    [order, *_] = rows(session, WorkOrder)
    change(session, WorkOrder, order, earned_minor=order["earned_minor"] + 1)
    return [str(order["id"])]


@fault("I13", "A factory's account isn't what its orders earned less what was taken and paid.")
def a_factory_paid_a_cent_unasked(session: Session, life: Life) -> list[str]:
    [factory, *_] = accounts(session, AccountKind.FACTORY_PAYABLE)
    an_entry(session, "gift:1", factory["id"], accounts(session, AccountKind.OUTSIDE)[0]["id"])
    return [str(factory["owner_id"])]


def commission(session: Session) -> dict[str, Any]:
    [found] = rows(session, Commission)
    return found


@fault("I13", "A leader's commission isn't its share of what the member paid.")
def a_commission_a_cent_higher(session: Session, life: Life) -> list[str]:
    earned = commission(session)
    change(session, Commission, earned, amount_minor=earned["amount_minor"] + 1)
    return [str(earned["pledge_id"])]


@fault("I13", "A leader's commission isn't its share of what the member paid.")
def a_member_whose_leader_got_nothing(session: Session, life: Life) -> list[str]:
    earned = commission(session)
    remove(session, Commission, table_of(Commission).c.pledge_id == earned["pledge_id"])
    return [str(earned["pledge_id"])]


@fault("I13", "A commission isn't what was posted and paid for it.")
def a_commission_paid_to_somebody_else(session: Session, life: Life) -> list[str]:
    earned = commission(session)
    [paid] = rows(session, Transfer, table_of(Transfer).c.purpose == "demand.commission")
    [entry] = rows(session, Entry, table_of(Entry).c.kind == "demand.commission")
    change(session, Transfer, paid, reference="commission:lost")
    change(session, Entry, entry, kind="demand.gift")
    return [str(earned["pledge_id"])]


@fault("I13", "A commission isn't its team's, or not its merchandiser's to pay.")
def a_commission_of_a_pledge_without_a_team(session: Session, life: Life) -> list[str]:
    earned = commission(session)
    [pledge] = pledges(session, table_of(Pledge).c.id == earned["pledge_id"])
    change(session, Pledge, pledge, team_id=None)
    return [str(earned["pledge_id"])]


@fault("I13", "A settlement took off other commissions than those that name it.")
def a_commission_no_settlement_bore(session: Session, life: Life) -> list[str]:
    earned = commission(session)
    change(session, Commission, earned, taken_by_id=None)
    return [str(earned["taken_by_id"])]


@fault("I13", "What a buyer was granted isn't what is being paid out.")
def a_grant_nobody_pays(session: Session, life: Life) -> list[str]:
    [buyer, *_] = accounts(session, AccountKind.BUYER_PAYABLE)
    an_entry(session, "promise:1", accounts(session, AccountKind.OUTSIDE)[0]["id"], buyer["id"])
    return [str(buyer["owner_id"])]
