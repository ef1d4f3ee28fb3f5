"""What organisations are told: one row a message, kept until read and after."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, enum_field, id_field, json_field, time_field


class NoticeKind(StrEnum):
    """What a message is about; its words stand in c2m/pages/messages.py."""

    CAMPAIGN_SUCCEEDED = "campaign_succeeded"
    CAMPAIGN_FAILED = "campaign_failed"
    CAMPAIGN_EXTENDED = "campaign_extended"
    CONSENT_LAPSED = "consent_lapsed"
    NEXT_ROUND = "next_round"
    COLOUR_CHANGED = "colour_changed"
    BALANCE_DUE = "balance_due"
    BALANCE_REMINDER = "balance_reminder"
    DEPOSIT_FORFEITED = "deposit_forfeited"
    WAITING_FILLED = "waiting_filled"
    WAITING_LAPSED = "waiting_lapsed"
    TEAM_JOINED = "team_joined"
    COMMISSION_EARNED = "commission_earned"
    SAMPLE_CREDIT = "sample_credit"
    EVALUATION_ASKED = "evaluation_asked"
    OFFER_MADE = "offer_made"
    OFFER_TAKEN = "offer_taken"
    OFFER_RAN_OUT = "offer_ran_out"
    COUNTER_WAITS = "counter_waits"
    COUNTER_AGREED = "counter_agreed"
    COUNTER_REFUSED = "counter_refused"
    CLAIM_VERIFIED = "claim_verified"
    CLAIM_REFUSED = "claim_refused"
    CLAIM_RUNS_OUT = "claim_runs_out"
    CLAIM_RAN_OUT = "claim_ran_out"
    CONCEPT_VALIDATED = "concept_validated"
    CONCEPT_HOPELESS = "concept_hopeless"
    NEED_ANSWERED = "need_answered"
    MAKERS_ASKED = "makers_asked"
    FIRST_ARTICLE_SENT = "first_article_sent"
    FIRST_ARTICLE_ACCEPTED = "first_article_accepted"
    FIRST_ARTICLE_REFUSED = "first_article_refused"
    FIRST_PIECE_MADE = "first_piece_made"
    SHEET_ASKED = "sheet_asked"
    SHEET_ANSWERED = "sheet_answered"
    FIRST_ARTICLE_DIFFERS = "first_article_differs"
    FIRST_PIECE_DIFFERS = "first_piece_differs"
    FREE_EXIT_OVER = "free_exit_over"
    DEPOSIT_RETURNED = "deposit_returned"
    CONCEPT_PROMOTED = "concept_promoted"
    CONCEPT_STOPPED = "concept_stopped"
    CONCEPT_TO_DECIDE = "concept_to_decide"
    CONCEPT_ANSWERED = "concept_answered"


class Notice(Table, table=True):
    """A message to one organisation about one row; `key` says what happened, so that it is told once."""

    __table_args__ = (sa.Index("ix_notice_organisation_id", "organisation_id", "read_at"),)

    id: UUID = id_field()
    organisation_id: UUID = Field(foreign_key="organisation.id")
    kind: NoticeKind = enum_field(NoticeKind)
    subject_id: UUID  # the campaign, pledge … the message leads to
    facts: dict[str, Any] = json_field(dict)  # what its sentence names: title, pieces, amount_minor, currency, until …
    key: str = Field(unique=True, max_length=120)
    told_at: datetime = time_field()
    read_at: datetime | None = time_field(nullable=True)
