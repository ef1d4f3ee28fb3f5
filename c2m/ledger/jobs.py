"""Paying and refunding: instructions go to the provider again and again until it has answered."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from c2m.db import chunks
from c2m.jobs import Handler, OutsideWork
from c2m.ledger.models import Transfer, TransferState
from c2m.ledger.provider import Answer, Instruction, PaymentProvider
from c2m.ledger.service import CARRY_OUT, record_answers


def handlers(provider: PaymentProvider) -> dict[str, Handler]:
    """The ledger's job: carry transfers out with this provider."""

    def ask(session: Session, ids: Sequence[UUID], now: datetime) -> list[tuple[UUID, Answer]]:
        pending: list[Transfer] = []
        for part in chunks(ids):
            pending += session.exec(
                select(Transfer).where(col(Transfer.id).in_(part), Transfer.state == TransferState.PENDING)
            ).all()
        return [(transfer.id, provider.carry_out(_instruction(transfer))) for transfer in pending]

    def record(session: Session, answers: Sequence[tuple[UUID, Answer]], now: datetime) -> None:
        record_answers(session, answers, provider.name, now=now)

    return {CARRY_OUT: OutsideWork(ask, record)}


def _instruction(transfer: Transfer) -> Instruction:
    return Instruction(
        direction=transfer.direction,
        reference=transfer.reference,
        organisation=str(transfer.organisation_id),
        amount_minor=transfer.amount_minor,
        currency=transfer.currency,
    )
