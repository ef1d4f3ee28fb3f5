"""Keep what the share for new factories brought"""

import sqlalchemy as sa
from alembic import op

revision = '202611221814'
down_revision = '202611221804'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('match_run', schema=None) as batch_op:
        batch_op.add_column(sa.Column('cpu_seconds', sa.Float(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('share_pieces', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('share_cost_minor', sa.BigInteger(), nullable=True))
    with op.batch_alter_table('match_run', schema=None) as batch_op:
        batch_op.alter_column('cpu_seconds', server_default=None)
    with op.batch_alter_table('newcomer_offer', schema=None) as batch_op:
        batch_op.drop_column('extra_minor')


def downgrade() -> None:
    with op.batch_alter_table('newcomer_offer', schema=None) as batch_op:
        batch_op.add_column(sa.Column('extra_minor', sa.BigInteger(), nullable=True))
    with op.batch_alter_table('match_run', schema=None) as batch_op:
        batch_op.drop_column('share_cost_minor')
        batch_op.drop_column('share_pieces')
        batch_op.drop_column('cpu_seconds')
