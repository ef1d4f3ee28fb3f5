"""Keep what validation sees and says"""

import sqlalchemy as sa
from alembic import op

revision = '202611221204'
down_revision = '202611221121'
branch_labels = None
depends_on = None

KINDS = ('campaign_succeeded', 'campaign_failed', 'campaign_extended', 'consent_lapsed', 'next_round', 'colour_changed', 'balance_due', 'balance_reminder', 'deposit_forfeited', 'waiting_filled', 'waiting_lapsed', 'team_joined', 'commission_earned', 'sample_credit', 'evaluation_asked', 'offer_made', 'offer_taken', 'offer_ran_out', 'counter_waits', 'counter_agreed', 'counter_refused', 'claim_verified', 'claim_refused', 'claim_runs_out', 'claim_ran_out')
NEW_KINDS = ('concept_validated', 'concept_hopeless')


def upgrade() -> None:
    op.create_table('daily_look',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('concept_id', sa.Uuid(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decision', sa.Enum('go_on', 'validated', 'stop', name='decision', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('chance_ppm', sa.Integer(), nullable=False),
    sa.Column('low', sa.Integer(), nullable=False),
    sa.Column('expected', sa.Integer(), nullable=False),
    sa.Column('high', sa.Integer(), nullable=False),
    sa.Column('buyers', sa.Integer(), nullable=False),
    sa.Column('pieces', sa.Integer(), nullable=False),
    sa.CheckConstraint('chance_ppm >= 0 AND chance_ppm <= 1000000', name=op.f('ck_daily_look_chance_is_a_share')),
    sa.ForeignKeyConstraint(['concept_id'], ['concept.id'], name=op.f('fk_daily_look_concept_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_daily_look')),
    sa.UniqueConstraint('concept_id', 'day', name=op.f('uq_daily_look_concept_id_day'))
    )
    op.create_table('outcome',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('concept_id', sa.Uuid(), nullable=False),
    sa.Column('category', sa.String(length=40), nullable=False),
    sa.Column('commitment', sa.Enum('stated', 'deposited', name='commitment', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('buyers', sa.Integer(), nullable=False),
    sa.Column('orders', sa.Integer(), nullable=False),
    sa.Column('measured_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('orders >= 0 AND orders <= buyers', name=op.f('ck_outcome_orders_within_buyers')),
    sa.ForeignKeyConstraint(['concept_id'], ['concept.id'], name=op.f('fk_outcome_concept_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outcome')),
    sa.UniqueConstraint('concept_id', 'commitment', name=op.f('uq_outcome_concept_id_commitment'))
    )
    with op.batch_alter_table('outcome', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outcome_category'), ['category'], unique=False)

    op.create_table('question',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('concept_id', sa.Uuid(), nullable=False),
    sa.Column('buyer_id', sa.Uuid(), nullable=False),
    sa.Column('words', sa.String(length=500), nullable=False),
    sa.Column('answer', sa.String(length=1000), nullable=False),
    sa.Column('idempotency_key', sa.String(length=80), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(answer = '') = (answered_at IS NULL)", name=op.f('ck_question_answered_with_words')),
    sa.ForeignKeyConstraint(['buyer_id'], ['organisation.id'], name=op.f('fk_question_buyer_id')),
    sa.ForeignKeyConstraint(['concept_id'], ['concept.id'], name=op.f('fk_question_concept_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_question')),
    sa.UniqueConstraint('buyer_id', 'idempotency_key', name=op.f('uq_question_buyer_id_idempotency_key'))
    )
    with op.batch_alter_table('question', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_question_buyer_id'), ['buyer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_question_concept_id'), ['concept_id'], unique=False)

    op.create_table('saved_concept',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('concept_id', sa.Uuid(), nullable=False),
    sa.Column('buyer_id', sa.Uuid(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['buyer_id'], ['organisation.id'], name=op.f('fk_saved_concept_buyer_id')),
    sa.ForeignKeyConstraint(['concept_id'], ['concept.id'], name=op.f('fk_saved_concept_concept_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_concept')),
    sa.UniqueConstraint('concept_id', 'buyer_id', name=op.f('uq_saved_concept_concept_id_buyer_id'))
    )
    with op.batch_alter_table('saved_concept', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_saved_concept_buyer_id'), ['buyer_id'], unique=False)

    op.create_table('exposure',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('variant_id', sa.Uuid(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('place', sa.Enum('market', 'page', name='place', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('shown', sa.Integer(), nullable=False),
    sa.CheckConstraint('shown >= 0', name=op.f('ck_exposure_shown_not_negative')),
    sa.ForeignKeyConstraint(['variant_id'], ['concept_variant.id'], name=op.f('fk_exposure_variant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exposure')),
    sa.UniqueConstraint('variant_id', 'day', 'place', name=op.f('uq_exposure_variant_id_day_place'))
    )
    with op.batch_alter_table('concept_variant', schema=None) as batch_op:
        batch_op.add_column(sa.Column('share_ppm', sa.Integer(), nullable=False, server_default='0'))
    with op.batch_alter_table('concept_variant', schema=None) as batch_op:
        batch_op.alter_column('share_ppm', existing_type=sa.Integer(), server_default=None)
    _allow_kinds((*KINDS, *NEW_KINDS))



def downgrade() -> None:
    op.execute(sa.text('DELETE FROM notice WHERE kind IN :kinds').bindparams(sa.bindparam('kinds', NEW_KINDS, expanding=True)))
    _allow_kinds(KINDS)
    with op.batch_alter_table('concept_variant', schema=None) as batch_op:
        batch_op.drop_column('share_ppm')

    op.drop_table('exposure')
    with op.batch_alter_table('saved_concept', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_saved_concept_buyer_id'))

    op.drop_table('saved_concept')
    with op.batch_alter_table('question', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_question_concept_id'))
        batch_op.drop_index(batch_op.f('ix_question_buyer_id'))

    op.drop_table('question')
    with op.batch_alter_table('outcome', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outcome_category'))

    op.drop_table('outcome')
    op.drop_table('daily_look')


def _allow_kinds(kinds: tuple[str, ...]) -> None:
    named = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_notice_noticekind'), type_='check')
        batch_op.create_check_constraint(op.f('ck_notice_noticekind'), f'kind IN ({named})')
