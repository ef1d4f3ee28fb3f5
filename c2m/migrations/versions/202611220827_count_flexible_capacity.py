"""Count flexible capacity"""

import sqlalchemy as sa
from alembic import op

revision = '202611220827'
down_revision = '202611220803'
branch_labels = None
depends_on = None

CHECKS = {
    'beside_a_regular_line': "(kind = 'regular') = (regular_id IS NULL)",
    'price_share_positive': 'price_ppm > 0',
    'load_positive': 'load_num > 0 AND load_den > 0',
    'days_a_week': 'days_a_week BETWEEN 1 AND 7',
    'shifts_a_day': 'shifts_a_day BETWEEN 1 AND 3',
    'linekind': "kind IN ('regular', 'overtime', 'idle')",
    'capacityunit': "unit IN ('piece', 'minute', 'job')",
}
NEW = {'kind': 'regular', 'price_ppm': '1000000', 'unit': 'piece', 'load_num': '1', 'load_den': '1', 'days_a_week': '6', 'shifts_a_day': '1'}


def upgrade() -> None:
    op.create_table('reservation',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('capability_id', sa.Uuid(), nullable=False),
    sa.Column('week', sa.Date(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=120), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by', sa.Uuid(), nullable=True),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_reservation_quantity_positive')),
    sa.ForeignKeyConstraint(['capability_id'], ['capability.id'], name=op.f('fk_reservation_capability_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reservation'))
    )
    with op.batch_alter_table('reservation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reservation_capability_id'), ['capability_id'], unique=False)

    with op.batch_alter_table('capability', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=24), nullable=False, server_default=NEW['kind']))
        batch_op.add_column(sa.Column('regular_id', sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column('price_ppm', sa.Integer(), nullable=False, server_default=NEW['price_ppm']))
        batch_op.add_column(sa.Column('unit', sa.String(length=24), nullable=False, server_default=NEW['unit']))
        batch_op.add_column(sa.Column('load_num', sa.Integer(), nullable=False, server_default=NEW['load_num']))
        batch_op.add_column(sa.Column('load_den', sa.Integer(), nullable=False, server_default=NEW['load_den']))
        batch_op.add_column(sa.Column('days_a_week', sa.Integer(), nullable=False, server_default=NEW['days_a_week']))
        batch_op.add_column(sa.Column('shifts_a_day', sa.Integer(), nullable=False, server_default=NEW['shifts_a_day']))
        batch_op.drop_constraint(batch_op.f('uq_capability_factory_id_category_process'), type_='unique')
        batch_op.create_index(batch_op.f('ix_capability_regular_id'), ['regular_id'], unique=False)
        batch_op.create_unique_constraint(batch_op.f('uq_capability_factory_id_category_process_kind'), ['factory_id', 'category', 'process', 'kind'])
        batch_op.create_foreign_key(batch_op.f('fk_capability_regular_id'), 'capability', ['regular_id'], ['id'])
    with op.batch_alter_table('capability', schema=None) as batch_op:
        for name in NEW:
            batch_op.alter_column(name, server_default=None)
        for name, condition in CHECKS.items():
            batch_op.create_check_constraint(batch_op.f(f'ck_capability_{name}'), condition)



def downgrade() -> None:
    # Overtime and idle lines go as far as no offer was ever made of them; otherwise this step is refused.
    op.execute('UPDATE capacity_week SET booked = booked - coalesce((SELECT sum(r.quantity) FROM reservation r WHERE r.capability_id = capacity_week.capability_id AND r.week = capacity_week.week AND r.released_at IS NULL), 0)')
    op.execute('DELETE FROM reservation')
    for table in ('price_break', 'capacity_week'):
        op.execute(f"DELETE FROM {table} WHERE capability_id IN (SELECT id FROM capability WHERE kind <> 'regular')")
    op.execute("DELETE FROM capability WHERE kind <> 'regular'")
    with op.batch_alter_table('capability', schema=None) as batch_op:
        for name in CHECKS:
            batch_op.drop_constraint(batch_op.f(f'ck_capability_{name}'), type_='check')
    with op.batch_alter_table('capability', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_capability_regular_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_capability_factory_id_category_process_kind'), type_='unique')
        batch_op.drop_index(batch_op.f('ix_capability_regular_id'))
        batch_op.create_unique_constraint(batch_op.f('uq_capability_factory_id_category_process'), ['factory_id', 'category', 'process'])
        batch_op.drop_column('shifts_a_day')
        batch_op.drop_column('days_a_week')
        batch_op.drop_column('load_den')
        batch_op.drop_column('load_num')
        batch_op.drop_column('unit')
        batch_op.drop_column('price_ppm')
        batch_op.drop_column('regular_id')
        batch_op.drop_column('kind')

    with op.batch_alter_table('reservation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reservation_capability_id'))

    op.drop_table('reservation')
