"""The word, icon and tone that every state wears on a page."""

from dataclasses import dataclass

from flask import Flask
from flask_babel import LazyString
from flask_babel import lazy_gettext as _


@dataclass(frozen=True)
class Look:
    """How a state is shown: tone is a class of `.tag`, icon a symbol of the sprite."""

    tone: str
    icon: str
    word: str | LazyString


LOOKS: dict[str, Look] = {
    # campaigns
    "campaign.draft": Look("", "edit", _("Draft")),
    "campaign.open": Look("open", "users", _("Open")),
    "campaign.closing": Look("warn", "clock", _("Settling")),
    "campaign.succeeded": Look("good", "check", _("Succeeded")),
    "campaign.failed": Look("bad", "x", _("Fell short")),
    "campaign.cancelled": Look("", "x", _("Cancelled")),
    # what a campaign is
    "kind.group_buy": Look("kind", "", _("Group-buy")),
    "kind.presale": Look("kind", "", _("Presale")),
    "kind.sample": Look("kind", "", _("Sample order")),
    "kind.sample_order": Look("kind", "", _("Sample order")),
    "kind.concept": Look("concept", "concept", _("AI concept, not a finished product")),
    "kind.sketch": Look("concept", "sketch", _("Sketch, not a finished product")),
    # pledges
    "pledge.pending": Look("warn", "clock", _("Payment pending")),
    "pledge.active": Look("open", "shield", _("Joined")),
    "pledge.held": Look("open", "shield", _("Joined")),
    "pledge.placed": Look("open", "shield", _("Joined")),
    "pledge.confirmed": Look("good", "check", _("Confirmed")),
    "pledge.balance_due": Look("warn", "wallet", _("Balance due")),
    "pledge.paid": Look("good", "check", _("Paid")),
    "pledge.fulfilled": Look("good", "check", _("Delivered")),
    "pledge.refunded": Look("", "undo", _("Refunded")),
    "pledge.forfeited": Look("bad", "x", _("Deposit forfeited")),
    "pledge.cancelled": Look("", "x", _("Cancelled")),
    # demand sheets
    "sheet.issued": Look("open", "inbox", _("Issued")),
    "sheet.matching": Look("open", "clock", _("Being matched")),
    "sheet.matched": Look("good", "check", _("Matched")),
    "sheet.partly_matched": Look("warn", "alert", _("Partly matched")),
    "sheet.unserved": Look("bad", "alert", _("Unserved")),
    # offers
    "offer.open": Look("open", "inbox", _("Awaiting an answer")),
    "offer.offered": Look("open", "inbox", _("Awaiting an answer")),
    "offer.accepted": Look("good", "check", _("Accepted")),
    "offer.declined": Look("", "x", _("Declined")),
    "offer.countered": Look("warn", "refresh", _("Countered")),
    "offer.expired": Look("", "clock", _("Ran out")),
    "offer.withdrawn": Look("", "undo", _("Withdrawn")),
    # factories
    "factory.pending": Look("warn", "clock", _("Awaiting verification")),
    "factory.verified": Look("good", "shield", _("Verified")),
    "factory.rejected": Look("bad", "x", _("Turned down")),
    "factory.suspended": Look("bad", "alert", _("Suspended")),
    # work orders, their milestones and lots
    "work_order.planned": Look("", "cal", _("Planned")),
    "work_order.open": Look("open", "wrench", _("In production")),
    "work_order.in_production": Look("open", "wrench", _("In production")),
    "work_order.produced": Look("good", "box", _("Made")),
    "work_order.shipped": Look("open", "truck", _("Shipped")),
    "work_order.delivered": Look("good", "check", _("Delivered")),
    "work_order.completed": Look("good", "check", _("Completed")),
    "work_order.settled": Look("good", "wallet", _("Settled")),
    "work_order.cancelled": Look("", "x", _("Cancelled")),
    "milestone.pending": Look("", "clock", _("To come")),
    "milestone.started": Look("open", "wrench", _("Under way")),
    "milestone.done": Look("good", "check", _("Done")),
    "shipment.packed": Look("", "box", _("Packed")),
    "shipment.shipped": Look("open", "truck", _("Shipped")),
    "shipment.in_transit": Look("open", "truck", _("On its way")),
    "shipment.delivered": Look("good", "check", _("Delivered")),
    "settlement.due": Look("warn", "clock", _("To be paid")),
    "settlement.paid": Look("good", "wallet", _("Paid")),
    "settlement.settled": Look("good", "wallet", _("Settled")),
    # concepts
    "concept.draft": Look("", "edit", _("Draft")),
    "concept.published": Look("open", "chart", _("Under validation")),
    "concept.validating": Look("open", "chart", _("Under validation")),
    "concept.validated": Look("good", "check", _("Validated")),
    "concept.stopped": Look("", "x", _("Stopped")),
    "concept.promoted": Look("good", "right", _("Promoted")),
    "concept.withdrawn": Look("", "undo", _("Withdrawn")),
    # jobs
    "job.ready": Look("open", "clock", _("Waiting")),
    "job.pending": Look("open", "clock", _("Waiting")),
    "job.sent": Look("open", "right", _("Sent to a worker")),
    "job.leased": Look("open", "refresh", _("Running")),
    "job.running": Look("open", "refresh", _("Running")),
    "job.done": Look("good", "check", _("Done")),
    "job.failed": Look("bad", "alert", _("Failed")),
    "job.dead": Look("late", "alert", _("Gave up")),
    # money on its way
    "payment.pending": Look("warn", "clock", _("Pending")),
    "payment.done": Look("good", "check", _("Paid")),
    "payment.failed": Look("bad", "alert", _("Failed")),
    "payment.refunded": Look("", "undo", _("Refunded")),
}


def look_of(subject: str, state: str) -> Look:
    """How a state of a subject is shown; an undeclared state is refused, so that none goes untranslated."""
    return LOOKS[f"{subject}.{state}"]


def init_states(app: Flask) -> None:
    """Give templates `look_of`."""
    app.jinja_env.globals["look_of"] = look_of
