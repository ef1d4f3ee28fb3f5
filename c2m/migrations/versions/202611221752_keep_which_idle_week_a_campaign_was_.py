"""Keep which idle week a campaign was made for"""

import sqlalchemy as sa
from alembic import op

revision = '202611221752'
down_revision = '202611221740'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('campaign', schema=None) as batch_op:
        batch_op.add_column(sa.Column('idle_line_id', sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column('idle_week', sa.Date(), nullable=True))
        batch_op.create_index(batch_op.f('ix_campaign_idle_line_id'), ['idle_line_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('campaign', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_campaign_idle_line_id'))
        batch_op.drop_column('idle_week')
        batch_op.drop_column('idle_line_id')

