"""Faults in what closes, extensions and next rounds did."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from c2m.db import table_of, uuid7
from c2m.demand.extension import LAPSE
from c2m.demand.models import Campaign, ChangeKind, Consent, Pledge, PledgeChange, PledgeLine, PledgeState
from c2m.jobs import Job, JobState
from tests.audit.faults import campaign, change, fault, pledges, pledges_in, rows
from tests.audit.market import Life


def pledge(session: Session, pledge_id: UUID) -> dict[str, Any]:
    [found] = pledges(session, table_of(Pledge).c.id == pledge_id)
    return found


def told(session: Session, pledge_id: UUID, kind: ChangeKind) -> dict[str, Any]:
    c = table_of(PledgeChange).c
    [found] = rows(session, PledgeChange, c.pledge_id == pledge_id, c.kind == kind)
    return found


def extended(session: Session, life: Life) -> dict[str, Any]:
    assert life.closes.asked
    return campaign(session, life.closes.asked)


@fault("I4", "A campaign's count isn't what its pledges come to.")
def an_extra_piece_nobody_offered(session: Session, life: Life) -> list[str]:
    asked = extended(session, life)
    change(session, Campaign, asked, flexible_quantity=asked["flexible_quantity"] + 1)
    return [str(asked["id"])]


@fault("I4", "A pledge isn't the sum of its variants.")
def an_extra_piece_of_no_variant(session: Session, life: Life) -> list[str]:
    [line] = rows(session, PledgeLine, table_of(PledgeLine).c.pledge_id == life.closes.refuses)
    change(session, PledgeLine, line, flexible_quantity=1)
    return [str(life.closes.refuses)]


@fault("I5", "A pledge wasn't charged for its pieces at the price it joined at.")
def a_ceiling_below_what_was_paid(session: Session, life: Life) -> list[str]:
    [left, *_] = pledges(session, table_of(Pledge).c.state == PledgeState.CANCELLED)
    change(session, Pledge, left, ceiling_minor=left["unit_price_minor"] - 1)
    return [str(left["id"])]


@fault("I5", "A pledge came along to a next round in part, twice, or unasked.")
def a_pledge_that_came_along_unasked(session: Session, life: Life) -> list[str]:
    [carried] = pledges(session, table_of(Pledge).c.carried_from_id == life.closes.comes_along)
    change(session, Pledge, carried, carried_from_id=life.closes.refuses)
    return [str(carried["id"])]


@fault("I6", "What a close gave back isn't what its buyer was told.")
def a_buyer_told_a_cent_more(session: Session, life: Life) -> list[str]:
    freed = told(session, life.closes.flexible, ChangeKind.FLEXIBLE_FREED)
    change(session, PledgeChange, freed, amount_minor=freed["amount_minor"] + 1)
    return [str(life.closes.flexible)]


@fault("I6", "A close isn't what its terms and pledges come to.")
def pieces_moved_to_a_colour_nobody_agreed_to(session: Session, life: Life) -> list[str]:
    change(session, Pledge, pledge(session, life.closes.moved), fallback_colour="")
    return [str(life.closes.manifold)]


@fault("I6", "A close isn't what its terms and pledges come to.")
def a_campaign_that_should_have_been_extended(session: Session, life: Life) -> list[str]:
    change(session, Campaign, campaign(session, life.failed), extension_days=3)
    return [str(life.failed)]


@fault("I7", "A pledge's consent to an extension contradicts its end.")
def a_consent_nobody_asked_for(session: Session, life: Life) -> list[str]:
    [paid] = [p for p in pledges_in(session, life.running) if p["state"] is PledgeState.PAID]
    change(session, Pledge, paid, consent=Consent.GIVEN)
    return [str(paid["id"])]


@fault("I10", "An extension's answers are overdue and nothing will end the wait.")
def answers_nobody_waits_for(session: Session, life: Life) -> list[str]:
    c = table_of(Job).c
    [lapse] = rows(session, Job, c.kind == LAPSE, c.state == JobState.READY)
    change(session, Job, lapse, state=JobState.DONE, finished_at=life.now)
    asked = extended(session, life)
    change(session, Campaign, asked, consents_due_at=life.now - timedelta(minutes=1))
    return [str(asked["id"])]


@fault("I6", "A deposit wasn't forfeited or given back as the terms say.")
def a_forfeit_of_what_was_only_a_picture(session: Session, life: Life) -> list[str]:
    [forfeited, *_] = rows(session, Pledge, table_of(Pledge).c.state == PledgeState.FORFEITED)
    change(session, Campaign, campaign(session, forfeited["campaign_id"]), concept_id=uuid7(), sample_campaign_id=None)
    return [str(forfeited["id"])]
