"""Pay team leaders and number the versions of a sheet"""

import sqlalchemy as sa
from alembic import op

revision = '202611220441'
down_revision = '202611220429'
branch_labels = None
depends_on = None

CARRIED_WITH_COMMISSION = 'margin_minor - commission_minor <> margin_paid_minor'
CARRIED = 'margin_minor <> margin_paid_minor'


def upgrade() -> None:
    op.create_table('commission',
    sa.Column('pledge_id', sa.Uuid(), nullable=False),
    sa.Column('team_id', sa.Uuid(), nullable=False),
    sa.Column('merchandiser_id', sa.Uuid(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('earned_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('taken_by_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_commission_amount_positive')),
    sa.ForeignKeyConstraint(['merchandiser_id'], ['organisation.id'], name=op.f('fk_commission_merchandiser_id')),
    sa.ForeignKeyConstraint(['pledge_id'], ['pledge.id'], name=op.f('fk_commission_pledge_id')),
    sa.ForeignKeyConstraint(['team_id'], ['team.id'], name=op.f('fk_commission_team_id')),
    sa.PrimaryKeyConstraint('pledge_id', name=op.f('pk_commission'))
    )
    with op.batch_alter_table('commission', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_commission_team_id'), ['team_id'], unique=False)
        batch_op.create_index('ix_commission_untaken', ['merchandiser_id'], unique=False, sqlite_where=sa.text('taken_by_id IS NULL'), postgresql_where=sa.text('taken_by_id IS NULL'))

    _drop_carried_index(CARRIED)
    with op.batch_alter_table('settlement', schema=None) as batch_op:
        batch_op.add_column(sa.Column('commission_minor', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.create_check_constraint(batch_op.f('ck_settlement_commission_not_negative'), 'commission_minor >= 0')
    with op.batch_alter_table('settlement', schema=None) as batch_op:
        batch_op.alter_column('commission_minor', existing_type=sa.BigInteger(), server_default=None)
    _create_carried_index(CARRIED_WITH_COMMISSION)

    # What was released before now is what the second version of its sheet leaves out.
    op.execute('CREATE TABLE former_release AS SELECT * FROM sheet_release')
    op.drop_table('sheet_release')
    _create_releases(versioned=True)
    op.execute('INSERT INTO sheet_release (sheet_id, variant_id, pledge_id, version, quantity, released_at) SELECT sheet_id, variant_id, pledge_id, 2, quantity, released_at FROM former_release')
    op.execute('UPDATE demand_sheet SET version = 2 WHERE id IN (SELECT sheet_id FROM sheet_release)')
    op.drop_table('former_release')


def downgrade() -> None:
    op.execute('CREATE TABLE former_release AS SELECT * FROM sheet_release')
    op.drop_table('sheet_release')
    _create_releases(versioned=False)
    op.execute('INSERT INTO sheet_release (sheet_id, variant_id, pledge_id, quantity, released_at) SELECT sheet_id, variant_id, pledge_id, sum(quantity), max(released_at) FROM former_release GROUP BY sheet_id, variant_id, pledge_id')
    op.execute('UPDATE demand_sheet SET version = 1')
    op.drop_table('former_release')

    _drop_carried_index(CARRIED_WITH_COMMISSION)
    with op.batch_alter_table('settlement', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_settlement_commission_not_negative'), type_='check')
        batch_op.drop_column('commission_minor')
    _create_carried_index(CARRIED)

    with op.batch_alter_table('commission', schema=None) as batch_op:
        batch_op.drop_index('ix_commission_untaken', sqlite_where=sa.text('taken_by_id IS NULL'), postgresql_where=sa.text('taken_by_id IS NULL'))
        batch_op.drop_index(batch_op.f('ix_commission_team_id'))

    op.drop_table('commission')


def _create_carried_index(which: str) -> None:
    with op.batch_alter_table('settlement', schema=None) as batch_op:
        batch_op.create_index('ix_settlement_margin_carried', ['merchandiser_id'], unique=False, sqlite_where=sa.text(which), postgresql_where=sa.text(which))


def _drop_carried_index(which: str) -> None:
    with op.batch_alter_table('settlement', schema=None) as batch_op:
        batch_op.drop_index('ix_settlement_margin_carried', sqlite_where=sa.text(which), postgresql_where=sa.text(which))


def _create_releases(*, versioned: bool) -> None:
    version = [sa.Column('version', sa.Integer(), nullable=False), sa.CheckConstraint('version > 1', name=op.f('ck_sheet_release_after_the_first'))] if versioned else []
    op.create_table('sheet_release',
    sa.Column('sheet_id', sa.Uuid(), nullable=False),
    sa.Column('variant_id', sa.Uuid(), nullable=False),
    sa.Column('pledge_id', sa.Uuid(), nullable=False),
    *version[:1],
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=False),
    *version[1:],
    sa.CheckConstraint('quantity > 0', name=op.f('ck_sheet_release_quantity_positive')),
    sa.ForeignKeyConstraint(['pledge_id'], ['pledge.id'], name=op.f('fk_sheet_release_pledge_id')),
    sa.ForeignKeyConstraint(['sheet_id'], ['demand_sheet.id'], name=op.f('fk_sheet_release_sheet_id')),
    sa.ForeignKeyConstraint(['variant_id'], ['variant.id'], name=op.f('fk_sheet_release_variant_id')),
    sa.PrimaryKeyConstraint('sheet_id', 'variant_id', 'pledge_id', *(['version'] if versioned else []), name=op.f('pk_sheet_release'))
    )
