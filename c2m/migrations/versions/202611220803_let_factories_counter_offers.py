"""Let factories counter offers"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '202611220803'
down_revision = '202611220519'
branch_labels = None
depends_on = None

OFFER_STATES = ('offered', 'accepted', 'declined', 'expired')
NOTICE_KINDS = (
    'campaign_succeeded', 'campaign_failed', 'campaign_extended', 'consent_lapsed', 'next_round', 'colour_changed',
    'balance_due', 'balance_reminder', 'deposit_forfeited', 'waiting_filled', 'waiting_lapsed', 'team_joined',
    'commission_earned', 'sample_credit', 'evaluation_asked',
)
NEW_NOTICE_KINDS = (
    'offer_made', 'offer_taken', 'offer_ran_out', 'counter_waits', 'counter_agreed', 'counter_refused',
    'claim_verified', 'claim_refused', 'claim_runs_out', 'claim_ran_out',
)


def upgrade() -> None:
    op.create_table('counter_offer',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('offer_id', sa.Uuid(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('unit_price_minor', sa.BigInteger(), nullable=False),
    sa.Column('deliver_by', sa.DateTime(timezone=True), nullable=False),
    sa.Column('note', sa.String(length=300), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by', sa.Uuid(), nullable=True),
    sa.Column('effect', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('state', sa.Enum('open', 'agreed', 'refused', 'withdrawn', 'lapsed', name='counterstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=True),
    sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f('ck_counter_offer_decided')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_counter_offer_quantity_positive')),
    sa.CheckConstraint('unit_price_minor > 0', name=op.f('ck_counter_offer_price_positive')),
    sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_counter_offer_offer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_counter_offer'))
    )
    with op.batch_alter_table('counter_offer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_counter_offer_offer_id'), ['offer_id'], unique=False)
        batch_op.create_index('ix_counter_offer_state', ['state', 'made_at'], unique=False)
        batch_op.create_index('uq_counter_offer_open', ['offer_id'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    with op.batch_alter_table('offer', schema=None) as batch_op:
        batch_op.add_column(sa.Column('untaken', sa.Integer(), nullable=False, server_default='0'))
        batch_op.create_check_constraint(batch_op.f('ck_offer_untaken_not_negative'), 'untaken >= 0')
    with op.batch_alter_table('offer', schema=None) as batch_op:
        batch_op.alter_column('untaken', existing_type=sa.Integer(), server_default=None)
    _allow('offer', 'state', 'offerstate', ('offered', 'countered', *OFFER_STATES[1:]))
    _allow('notice', 'kind', 'noticekind', (*NOTICE_KINDS, *NEW_NOTICE_KINDS))



def downgrade() -> None:
    op.execute("UPDATE offer SET state = 'offered' WHERE state = 'countered'")
    _allow('offer', 'state', 'offerstate', OFFER_STATES)
    op.execute(sa.text('DELETE FROM notice WHERE kind IN :kinds').bindparams(sa.bindparam('kinds', NEW_NOTICE_KINDS, expanding=True)))
    _allow('notice', 'kind', 'noticekind', NOTICE_KINDS)
    with op.batch_alter_table('offer', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_offer_untaken_not_negative'), type_='check')
        batch_op.drop_column('untaken')

    with op.batch_alter_table('counter_offer', schema=None) as batch_op:
        batch_op.drop_index('uq_counter_offer_open', sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.drop_index('ix_counter_offer_state')
        batch_op.drop_index(batch_op.f('ix_counter_offer_offer_id'))

    op.drop_table('counter_offer')


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    """Let a text column hold these values and no others."""
    listed = ', '.join(f"'{value}'" for value in values)
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(f'ck_{table}_{name}'), type_='check')
        batch_op.create_check_constraint(batch_op.f(f'ck_{table}_{name}'), f'{column} IN ({listed})')
