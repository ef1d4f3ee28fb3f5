"""What a close, an extension or a queue did to pledges, written down for their buyers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from c2m.db import insert_rows, uuid7
from c2m.demand.models import ChangeKind, PledgeChange


@dataclass(frozen=True)
class Change:
    """One thing that happened to a pledge; the amount is what came back on this account, in minor units."""

    pledge_id: UUID
    kind: ChangeKind
    pieces: int = 0
    amount_minor: int = 0
    from_variant_id: UUID | None = None
    to_variant_id: UUID | None = None


def note_changes(session: Session, changes: Sequence[Change], *, now: datetime) -> None:
    """Keep what happened, in the order in which it is told."""
    insert_rows(session, PledgeChange, [asdict(change) | {"id": uuid7(), "changed_at": now} for change in changes])
