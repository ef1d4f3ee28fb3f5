"""Promises hold until their day ends"""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = '202611220519'
down_revision = '202611220441'
branch_labels = None
depends_on = None

HOME_TIME_ZONE = 'Asia/Shanghai'


def upgrade() -> None:
    with op.batch_alter_table('policy', schema=None) as batch_op:
        batch_op.add_column(sa.Column('time_zone', sa.String(length=60), nullable=False, server_default=HOME_TIME_ZONE))
        batch_op.add_column(sa.Column('matching_days', sa.Integer(), nullable=False, server_default='3'))
        batch_op.create_check_constraint(batch_op.f('ck_policy_matching_window'), 'matching_days > 0')
    with op.batch_alter_table('policy', schema=None) as batch_op:
        batch_op.alter_column('time_zone', existing_type=sa.String(length=60), server_default=None)
        batch_op.alter_column('matching_days', existing_type=sa.Integer(), server_default=None)
    _promise_whole_days()


def downgrade() -> None:
    with op.batch_alter_table('policy', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_policy_matching_window'), type_='check')
        batch_op.drop_column('matching_days')
        batch_op.drop_column('time_zone')


def _promise_whole_days() -> None:
    """Campaigns that have not closed yet promise the day their page shows; what is being made keeps its instant."""
    campaign = sa.table(
        'campaign', sa.column('id', sa.Uuid()), sa.column('promised_date', sa.DateTime(timezone=True)), sa.column('state', sa.String())
    )
    running = sa.select(campaign.c.id, campaign.c.promised_date).where(campaign.c.state.in_(['draft', 'open', 'closing']))
    zone = ZoneInfo(HOME_TIME_ZONE)
    for row in op.get_bind().execute(running).all():
        promised = row.promised_date if row.promised_date.tzinfo else row.promised_date.replace(tzinfo=UTC)
        until = datetime.combine(promised.astimezone(zone).date(), time.max, zone).astimezone(UTC)
        op.execute(sa.update(campaign).where(campaign.c.id == row.id).values(promised_date=until))
