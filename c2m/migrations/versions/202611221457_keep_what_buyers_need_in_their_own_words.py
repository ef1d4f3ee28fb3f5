"""Keep what buyers need in their own words"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '202611221457'
down_revision = '202611221414'
branch_labels = None
depends_on = None

KINDS = ('campaign_succeeded', 'campaign_failed', 'campaign_extended', 'consent_lapsed', 'next_round', 'colour_changed', 'balance_due', 'balance_reminder', 'deposit_forfeited', 'waiting_filled', 'waiting_lapsed', 'team_joined', 'commission_earned', 'sample_credit', 'evaluation_asked', 'offer_made', 'offer_taken', 'offer_ran_out', 'counter_waits', 'counter_agreed', 'counter_refused', 'claim_verified', 'claim_refused', 'claim_runs_out', 'claim_ran_out', 'concept_validated', 'concept_hopeless')
NEW_KINDS = ('need_answered', 'makers_asked')


def upgrade() -> None:
    op.create_table('need_group',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('title_en', sa.String(length=120), nullable=False),
    sa.Column('category', sa.String(length=40), nullable=False),
    sa.Column('words', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('formed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('makers_asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_need_group'))
    )
    with op.batch_alter_table('need_group', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_need_group_category'), ['category'], unique=False)

    op.create_table('search_count',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('word', sa.String(length=40), nullable=False),
    sa.Column('searches', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'word', name=op.f('pk_search_count'))
    )
    op.create_table('trend_brief',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('word', sa.String(length=60), nullable=False),
    sa.Column('category', sa.String(length=40), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('growth', sa.Float(), nullable=False),
    sa.Column('growth_low', sa.Float(), nullable=False),
    sa.Column('growth_high', sa.Float(), nullable=False),
    sa.Column('probability', sa.Float(), nullable=False),
    sa.Column('evidence', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('stated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_trend_brief')),
    sa.UniqueConstraint('word', 'until', name=op.f('uq_trend_brief_word_until'))
    )
    op.create_table('makers_interest',
    sa.Column('group_id', sa.Uuid(), nullable=False),
    sa.Column('factory_id', sa.Uuid(), nullable=False),
    sa.Column('price_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('minimum', sa.Integer(), nullable=False),
    sa.Column('ready_by', sa.Date(), nullable=False),
    sa.Column('note', sa.String(length=300), nullable=False),
    sa.Column('stated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('minimum > 0', name=op.f('ck_makers_interest_minimum_positive')),
    sa.CheckConstraint('price_minor > 0', name=op.f('ck_makers_interest_price_positive')),
    sa.ForeignKeyConstraint(['factory_id'], ['organisation.id'], name=op.f('fk_makers_interest_factory_id')),
    sa.ForeignKeyConstraint(['group_id'], ['need_group.id'], name=op.f('fk_makers_interest_group_id')),
    sa.PrimaryKeyConstraint('group_id', 'factory_id', name=op.f('pk_makers_interest'))
    )
    op.create_table('need',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('buyer_id', sa.Uuid(), nullable=False),
    sa.Column('words', sa.String(length=500), nullable=False),
    sa.Column('category', sa.String(length=40), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('budget_minor', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('wanted_by', sa.Date(), nullable=True),
    sa.Column('region', sa.String(length=60), nullable=False),
    sa.Column('picture_id', sa.Uuid(), nullable=True),
    sa.Column('group_id', sa.Uuid(), nullable=True),
    sa.Column('state', sa.Enum('open', 'withdrawn', name='needstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('idempotency_key', sa.String(length=80), nullable=False),
    sa.Column('stated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name=op.f('ck_need_withdrawn')),
    sa.CheckConstraint('budget_minor IS NULL OR budget_minor > 0', name=op.f('ck_need_budget_positive')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_need_quantity_positive')),
    sa.ForeignKeyConstraint(['buyer_id'], ['organisation.id'], name=op.f('fk_need_buyer_id')),
    sa.ForeignKeyConstraint(['group_id'], ['need_group.id'], name=op.f('fk_need_group_id')),
    sa.ForeignKeyConstraint(['picture_id'], ['picture.id'], name=op.f('fk_need_picture_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_need')),
    sa.UniqueConstraint('buyer_id', 'idempotency_key', name=op.f('uq_need_buyer_id_idempotency_key'))
    )
    with op.batch_alter_table('need', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_need_buyer_id'), ['buyer_id'], unique=False)
        batch_op.create_index('ix_need_group_id_state', ['group_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_need_stated_at'), ['stated_at'], unique=False)

    op.create_table('group_campaign',
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('group_id', sa.Uuid(), nullable=False),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_group_campaign_campaign_id')),
    sa.ForeignKeyConstraint(['group_id'], ['need_group.id'], name=op.f('fk_group_campaign_group_id')),
    sa.PrimaryKeyConstraint('campaign_id', name=op.f('pk_group_campaign'))
    )
    with op.batch_alter_table('group_campaign', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_group_campaign_group_id'), ['group_id'], unique=False)
    _allow((*KINDS, *NEW_KINDS))


def downgrade() -> None:
    op.execute(f"DELETE FROM notice WHERE kind IN {NEW_KINDS}")
    _allow(KINDS)
    with op.batch_alter_table('group_campaign', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_group_campaign_group_id'))

    op.drop_table('group_campaign')
    with op.batch_alter_table('need', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_need_stated_at'))
        batch_op.drop_index('ix_need_group_id_state')
        batch_op.drop_index(batch_op.f('ix_need_buyer_id'))

    op.drop_table('need')
    op.drop_table('makers_interest')
    op.drop_table('trend_brief')
    op.drop_table('search_count')
    with op.batch_alter_table('need_group', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_need_group_category'))

    op.drop_table('need_group')


def _allow(kinds: tuple[str, ...]) -> None:
    named = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_notice_noticekind'), type_='check')
        batch_op.create_check_constraint(op.f('ck_notice_noticekind'), f'kind IN ({named})')
