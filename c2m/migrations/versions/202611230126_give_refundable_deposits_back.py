"""Give refundable deposits back"""

from alembic import op

revision = '202611230126'
down_revision = '202611222127'
branch_labels = None
depends_on = None

NOTICES = ('campaign_succeeded', 'campaign_failed', 'campaign_extended', 'consent_lapsed', 'next_round', 'colour_changed', 'balance_due', 'balance_reminder', 'deposit_forfeited', 'waiting_filled', 'waiting_lapsed', 'team_joined', 'commission_earned', 'sample_credit', 'evaluation_asked', 'offer_made', 'offer_taken', 'offer_ran_out', 'counter_waits', 'counter_agreed', 'counter_refused', 'claim_verified', 'claim_refused', 'claim_runs_out', 'claim_ran_out', 'concept_validated', 'concept_hopeless', 'need_answered', 'makers_asked', 'first_article_sent', 'first_article_accepted', 'first_article_refused', 'first_piece_made', 'sheet_asked', 'sheet_answered', 'first_article_differs', 'first_piece_differs', 'free_exit_over')


def upgrade() -> None:
    _allow((*NOTICES, 'deposit_returned'))


def downgrade() -> None:
    op.execute("DELETE FROM notice WHERE kind = 'deposit_returned'")
    _allow(NOTICES)


def _allow(kinds: tuple[str, ...]) -> None:
    named = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_notice_noticekind'), type_='check')
        batch_op.create_check_constraint(op.f('ck_notice_noticekind'), f'kind IN ({named})')
