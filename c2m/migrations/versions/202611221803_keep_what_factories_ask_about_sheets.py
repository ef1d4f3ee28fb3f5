"""Keep what factories ask about sheets"""

import sqlalchemy as sa
from alembic import op

revision = '202611221803'
down_revision = '202611221759'
branch_labels = None
depends_on = None

KINDS = ('campaign_succeeded', 'campaign_failed', 'campaign_extended', 'consent_lapsed', 'next_round', 'colour_changed', 'balance_due', 'balance_reminder', 'deposit_forfeited', 'waiting_filled', 'waiting_lapsed', 'team_joined', 'commission_earned', 'sample_credit', 'evaluation_asked', 'offer_made', 'offer_taken', 'offer_ran_out', 'counter_waits', 'counter_agreed', 'counter_refused', 'claim_verified', 'claim_refused', 'claim_runs_out', 'claim_ran_out', 'concept_validated', 'concept_hopeless', 'need_answered', 'makers_asked', 'first_article_sent', 'first_article_accepted', 'first_article_refused', 'first_piece_made')
NEW_KINDS = ('sheet_asked', 'sheet_answered')


def upgrade() -> None:
    op.create_table('sheet_question',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('sheet_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('factory_id', sa.Uuid(), nullable=False),
    sa.Column('words', sa.String(length=500), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answer', sa.String(length=1000), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('idempotency_key', sa.String(length=80), nullable=False),
    sa.CheckConstraint('(answer IS NULL) = (answered_at IS NULL)', name=op.f('ck_sheet_question_answered')),
    sa.CheckConstraint('version > 0', name=op.f('ck_sheet_question_version_positive')),
    sa.ForeignKeyConstraint(['factory_id'], ['organisation.id'], name=op.f('fk_sheet_question_factory_id')),
    sa.ForeignKeyConstraint(['sheet_id'], ['demand_sheet.id'], name=op.f('fk_sheet_question_sheet_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sheet_question')),
    sa.UniqueConstraint('factory_id', 'idempotency_key', name=op.f('uq_sheet_question_factory_id_idempotency_key'))
    )
    with op.batch_alter_table('sheet_question', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sheet_question_sheet_id'), ['sheet_id'], unique=False)
    _allow((*KINDS, *NEW_KINDS))


def downgrade() -> None:
    op.execute(f"DELETE FROM notice WHERE kind IN {NEW_KINDS}")
    _allow(KINDS)
    with op.batch_alter_table('sheet_question', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sheet_question_sheet_id'))
    op.drop_table('sheet_question')


def _allow(kinds: tuple[str, ...]) -> None:
    named = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_notice_noticekind'), type_='check')
        batch_op.create_check_constraint(op.f('ck_notice_noticekind'), f'kind IN ({named})')
