"""What past audits found."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from c2m.db import Table, id_field, json_field, time_field


class AuditRun(Table, table=True):
    """One audit: when the rows were looked at, how long it took, what didn't hold."""

    __table_args__ = (sa.CheckConstraint("seconds >= 0", name="seconds_not_negative"),)

    id: UUID = id_field()
    audited_at: datetime = time_field(index=True)
    seconds: float
    findings: list[dict[str, Any]] = json_field(list)
