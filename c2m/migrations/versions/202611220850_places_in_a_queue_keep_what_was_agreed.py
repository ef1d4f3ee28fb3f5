"""Places in a queue keep what was agreed"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '202611220850'
down_revision = '202611220827'
branch_labels = None
depends_on = None

NEW: dict[str, Any] = {'accepts_dearer': sa.false(), 'fallback_colour': '', 'joins_next_round': sa.false()}


def upgrade() -> None:
    with op.batch_alter_table('waiting', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ceiling_minor', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('accepts_dearer', sa.Boolean(), nullable=False, server_default=NEW['accepts_dearer']))
        batch_op.add_column(sa.Column('fallback_colour', sa.String(length=40), nullable=False, server_default=NEW['fallback_colour']))
        batch_op.add_column(sa.Column('joins_next_round', sa.Boolean(), nullable=False, server_default=NEW['joins_next_round']))
        batch_op.add_column(sa.Column('team_id', sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_waiting_team_id'), 'team', ['team_id'], ['id'])
        batch_op.create_check_constraint(batch_op.f('ck_waiting_ceiling_positive'), 'ceiling_minor IS NULL OR ceiling_minor > 0')
    with op.batch_alter_table('waiting', schema=None) as batch_op:
        for name in NEW:
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('waiting', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_waiting_ceiling_positive'), type_='check')
        batch_op.drop_constraint(batch_op.f('fk_waiting_team_id'), type_='foreignkey')
        batch_op.drop_column('team_id')
        batch_op.drop_column('joins_next_round')
        batch_op.drop_column('fallback_colour')
        batch_op.drop_column('accepts_dearer')
        batch_op.drop_column('ceiling_minor')
