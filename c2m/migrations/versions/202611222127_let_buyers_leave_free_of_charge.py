"""Let buyers leave free of charge"""

import sqlalchemy as sa
from alembic import op

revision = '202611222127'
down_revision = '202611221814'
branch_labels = None
depends_on = None

NOTICES = ('campaign_succeeded', 'campaign_failed', 'campaign_extended', 'consent_lapsed', 'next_round', 'colour_changed', 'balance_due', 'balance_reminder', 'deposit_forfeited', 'waiting_filled', 'waiting_lapsed', 'team_joined', 'commission_earned', 'sample_credit', 'evaluation_asked', 'offer_made', 'offer_taken', 'offer_ran_out', 'counter_waits', 'counter_agreed', 'counter_refused', 'claim_verified', 'claim_refused', 'claim_runs_out', 'claim_ran_out', 'concept_validated', 'concept_hopeless', 'need_answered', 'makers_asked', 'first_article_sent', 'first_article_accepted', 'first_article_refused', 'first_piece_made', 'sheet_asked', 'sheet_answered')
NEW_NOTICES = ('first_article_differs', 'first_piece_differs', 'free_exit_over')
CHANGES = ('flexible_taken', 'flexible_freed', 'colour_changed', 'colour_dropped', 'ceiling_missed', 'dearer_accepted', 'extended', 'carried_on', 'moved_up')


def upgrade() -> None:
    with op.batch_alter_table('first_article', schema=None) as batch_op:
        batch_op.add_column(sa.Column('leave_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('window_ended_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_check_constraint(op.f('ck_first_article_left_once_accepted'), "leave_until IS NULL OR state = 'accepted'")
        batch_op.create_check_constraint(op.f('ck_first_article_window_before_its_end'), "window_ended_at IS NULL OR leave_until IS NOT NULL")
    with op.batch_alter_table('sheet_release', schema=None) as batch_op:
        batch_op.add_column(sa.Column('left_free', sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in ('work_order', 'work_order_line'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('left_quantity', sa.Integer(), nullable=False, server_default='0'))
    with op.batch_alter_table('work_order', schema=None) as batch_op:
        batch_op.alter_column('left_quantity', server_default=None)
        batch_op.create_check_constraint(op.f('ck_work_order_left_within'), "quantity >= 0 AND left_quantity >= 0")
    with op.batch_alter_table('work_order_line', schema=None) as batch_op:
        batch_op.alter_column('left_quantity', server_default=None)
    with op.batch_alter_table('sheet_release', schema=None) as batch_op:
        batch_op.alter_column('left_free', server_default=None)
    _allow('notice', 'noticekind', (*NOTICES, *NEW_NOTICES))
    _allow('pledge_change', 'changekind', (*CHANGES, 'left_free'))


def downgrade() -> None:
    op.execute(f"DELETE FROM notice WHERE kind IN {NEW_NOTICES}")
    op.execute("DELETE FROM pledge_change WHERE kind = 'left_free'")
    _allow('notice', 'noticekind', NOTICES)
    _allow('pledge_change', 'changekind', CHANGES)
    with op.batch_alter_table('work_order_line', schema=None) as batch_op:
        batch_op.drop_column('left_quantity')
    with op.batch_alter_table('work_order', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_work_order_left_within'), type_='check')
        batch_op.drop_column('left_quantity')
    with op.batch_alter_table('sheet_release', schema=None) as batch_op:
        batch_op.drop_column('left_free')
    with op.batch_alter_table('first_article', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_first_article_window_before_its_end'), type_='check')
        batch_op.drop_constraint(op.f('ck_first_article_left_once_accepted'), type_='check')
        batch_op.drop_column('window_ended_at')
        batch_op.drop_column('leave_until')


def _allow(table: str, name: str, kinds: tuple[str, ...]) -> None:
    named = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.drop_constraint(op.f(f'ck_{table}_{name}'), type_='check')
        batch_op.create_check_constraint(op.f(f'ck_{table}_{name}'), f'kind IN ({named})')
