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
    "campaign.draft": Look("", "edit", _("Draft")),
    "campaign.open": Look("open", "users", _("Open")),
    "campaign.closing": Look("warn", "clock", _("Settling")),
    "campaign.sold_out": Look("warn", "users", _("Sold out · waiting list")),
    "campaign.succeeded": Look("good", "check", _("Succeeded")),
    "campaign.failed": Look("bad", "x", _("Fell short")),
    "campaign.cancelled": Look("", "x", _("Cancelled")),
    # what a card offers; a picture of what does not exist yet says so
    "kind.group_buy": Look("kind", "", _("Group-buy")),
    "kind.presale": Look("kind", "", _("Presale")),
    "kind.sample": Look("kind", "", _("Sample order")),
    "kind.concept": Look("concept", "concept", _("AI concept, not a finished product")),
    "kind.sketch": Look("concept", "sketch", _("Sketch, not a finished product")),
    "kind.photo": Look("concept", "camera", _("Uploaded picture, not a finished product")),
    "pledge.unpaid": Look("warn", "clock", _("Payment under way")),
    "pledge.paid": Look("open", "shield", _("Joined")),
    "pledge.balance_due": Look("warn", "wallet", _("Balance due")),
    "pledge.confirmed": Look("good", "check", _("Confirmed")),
    "pledge.fulfilled": Look("good", "check", _("Delivered")),
    "pledge.refunded": Look("", "undo", _("Refunded")),
    "pledge.carried_on": Look("open", "refresh", _("In the next round")),
    "pledge.forfeited": Look("bad", "x", _("Deposit forfeited")),
    "pledge.cancelled": Look("", "x", _("Cancelled")),
    "waiting.waiting": Look("warn", "clock", _("Waiting")),
    "sheet.matching": Look("open", "clock", _("Being matched")),
    "sheet.matched": Look("good", "check", _("Matched")),
    "sheet.partly_matched": Look("warn", "alert", _("Partly matched")),
    "sheet.unserved": Look("bad", "alert", _("Unserved")),
    "organisation.pending": Look("warn", "clock", _("Awaiting verification")),
    "organisation.active": Look("good", "shield", _("Verified")),
    "organisation.refused": Look("bad", "x", _("Turned down")),
    "offer.offered": Look("open", "inbox", _("Awaiting an answer")),
    "offer.countered": Look("warn", "edit", _("Countered")),
    "offer.accepted": Look("good", "check", _("Accepted")),
    "offer.declined": Look("", "x", _("Declined")),
    "offer.expired": Look("", "clock", _("Ran out")),
    "counter.open": Look("warn", "clock", _("To be decided")),
    "counter.agreed": Look("good", "check", _("Agreed")),
    "counter.refused": Look("", "x", _("Refused")),
    "counter.withdrawn": Look("", "undo", _("Withdrawn")),
    "counter.lapsed": Look("", "clock", _("Ran out")),
    "claim.open": Look("warn", "clock", _("To be checked")),
    "claim.verified": Look("good", "shield", _("Verified")),
    "claim.refused": Look("bad", "x", _("Not verified")),
    "claim.expired": Look("late", "clock", _("Ran out")),
    "level.listed": Look("warn", "clock", _("Not matched yet")),
    "level.verified": Look("open", "shield", _("Verified")),
    "level.vetted": Look("good", "badge", _("Vetted")),
    "work_order.planned": Look("", "cal", _("Planned")),
    "work_order.in_production": Look("open", "wrench", _("In production")),
    "work_order.shipped": Look("open", "truck", _("Shipped")),
    "work_order.delivered": Look("good", "check", _("Delivered")),
    "work_order.settled": Look("good", "wallet", _("Settled")),
    "milestone.pending": Look("", "clock", _("To come")),
    "milestone.started": Look("open", "wrench", _("Under way")),
    "milestone.done": Look("good", "check", _("Done")),
    "shipment.shipped": Look("open", "truck", _("On its way")),
    "shipment.delivered": Look("good", "check", _("Delivered")),
    "settlement.due": Look("warn", "clock", _("To be paid")),
    "settlement.paid": Look("good", "wallet", _("Paid")),
    "concept.draft": Look("", "edit", _("Draft")),
    "concept.published": Look("open", "chart", _("Under validation")),
    "concept.deciding": Look("warn", "clock", _("To be decided")),
    "concept.promoted": Look("good", "right", _("Promoted")),
    "concept.stopped": Look("", "x", _("Stopped")),
    "generation.waiting": Look("warn", "clock", _("Waiting")),
    "generation.running": Look("open", "refresh", _("Being made")),
    "generation.done": Look("good", "check", _("Made")),
    "generation.cancelled": Look("", "x", _("Cancelled")),
    "generation.failed": Look("bad", "alert", _("Failed")),
    "first_article.sent": Look("warn", "clock", _("To be judged")),
    "first_article.accepted": Look("good", "check", _("Approved")),
    "first_article.refused": Look("bad", "x", _("Refused")),
    "decision.go_on": Look("open", "clock", _("Go on")),
    "decision.validated": Look("good", "check", _("Validated")),
    "decision.stop": Look("warn", "alert", _("Better stopped")),
    "want.stated": Look("open", "heart", _("Wanted")),
    "want.unpaid": Look("warn", "clock", _("Payment under way")),
    "want.deposited": Look("open", "shield", _("Deposit held")),
    "want.refunded": Look("", "undo", _("Refunded")),
    "want.withdrawn": Look("", "undo", _("Withdrawn")),
    "need.open": Look("open", "ask", _("Wanted")),
    "need.withdrawn": Look("", "undo", _("Withdrawn")),
    "job.ready": Look("open", "clock", _("Waiting")),
    "job.leased": Look("open", "refresh", _("Running")),
    "job.done": Look("good", "check", _("Done")),
    "job.dead": Look("late", "alert", _("Gave up")),
    "hold.held": Look("open", "shield", _("Held in escrow")),
    "hold.captured": Look("good", "check", _("Captured")),
    "hold.refunded": Look("", "undo", _("Refunded")),
    "hold.forfeited": Look("bad", "x", _("Forfeited")),
    "transfer.pending": Look("warn", "clock", _("Payment under way")),
    "transfer.done": Look("good", "check", _("Paid")),
    "transfer.paid_back": Look("good", "undo", _("Paid back")),
    "transfer.failed": Look("bad", "alert", _("Failed")),
}


def look_of(subject: str, state: str) -> Look:
    """How a state of a subject is shown; an undeclared state is refused, so that none goes untranslated."""
    return LOOKS[f"{subject}.{state}"]


def init_states(app: Flask) -> None:
    """Give templates `look_of`."""
    app.jinja_env.globals["look_of"] = look_of
