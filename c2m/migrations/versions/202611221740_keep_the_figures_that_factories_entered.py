"""Keep the figures that factories entered"""

import sqlalchemy as sa
from alembic import op

revision = "202611221740"
down_revision = "202611221526"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("capability", schema=None) as batch_op:
        batch_op.add_column(sa.Column("weekly_units", sa.Integer(), nullable=True))
    with op.batch_alter_table("capacity_week", schema=None) as batch_op:
        batch_op.add_column(sa.Column("set_units", sa.Integer(), nullable=True))
    pieces = sa.column("capacity", sa.Integer), sa.column("set_units", sa.Integer)
    load = sa.column("load_num", sa.Integer), sa.column("load_den", sa.Integer)
    week = sa.table("capacity_week", sa.column("capability_id"), *pieces)
    line = sa.table("capability", sa.column("id"), sa.column("kind"), sa.column("weekly_capacity", sa.Integer), *load)
    # What was stored unlike an ordinary week kept its figure when hours changed; it goes on doing so.
    of_week = sa.and_(line.c.id == week.c.capability_id, line.c.kind != "idle")
    units = sa.select(week.c.capacity * line.c.load_num // line.c.load_den).where(of_week).scalar_subquery()
    unlike = sa.exists().where(of_week, line.c.weekly_capacity != week.c.capacity)
    op.execute(sa.update(week).values(set_units=units).where(unlike))


def downgrade() -> None:
    with op.batch_alter_table("capacity_week", schema=None) as batch_op:
        batch_op.drop_column("set_units")
    with op.batch_alter_table("capability", schema=None) as batch_op:
        batch_op.drop_column("weekly_units")
