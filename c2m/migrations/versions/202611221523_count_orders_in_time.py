"""Count orders in time"""

import sqlalchemy as sa
from alembic import op

revision = '202611221523'
down_revision = '202611221521'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('factory', schema=None) as batch_op:
        batch_op.add_column(sa.Column('orders_due', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('orders_in_time', sa.Integer(), nullable=False, server_default='0'))
        batch_op.create_check_constraint(
            batch_op.f('ck_factory_in_time_within_due'), 'orders_in_time BETWEEN 0 AND orders_due'
        )
    with op.batch_alter_table('factory', schema=None) as batch_op:
        batch_op.alter_column('orders_due', server_default=None)
        batch_op.alter_column('orders_in_time', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('factory', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_factory_in_time_within_due'), type_='check')
        batch_op.drop_column('orders_in_time')
        batch_op.drop_column('orders_due')
