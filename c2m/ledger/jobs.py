"""Paying and refunding: instructions go to the provider again and again until it has answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.jobs import Handler, OutsideWork
from c2m.ledger.provider import Answer, Instruction, PaymentProvider
from c2m.ledger.queries import pending_transfers
from c2m.ledger.service import CARRY_OUT, record_answers


def handlers(provider: PaymentProvider) -> dict[str, Handler]:
    """The ledger's job: carry transfers out with this provider."""

    def ask(session: Session, ids: Sequence[UUID], now: datetime) -> list[tuple[UUID, Answer]]:
        pending = pending_transfers(session, ids)
        return [(transfer.id, provider.carry_out(_instruction(transfer))) for transfer in pending]

    def record(session: Session, answers: Sequence[tuple[UUID, Answer]], now: datetime) -> None:
        record_answers(session, answers, provider.name, now=now)

    return {CARRY_OUT: OutsideWork(ask, record)}


def _instruction(transfer: sa.Row[Any]) -> Instruction:
    return Instruction(
        direction=transfer.direction,
        reference=transfer.reference,
        organisation=str(transfer.organisation_id),
        amount_minor=transfer.amount_minor,
        currency=transfer.currency,
    )
