"""Keep first articles"""

import sqlalchemy as sa
from alembic import op
revision = '202611221521'
down_revision = '202611221517'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('first_article',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('work_order_id', sa.Uuid(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('picture_id', sa.Uuid(), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('state', sa.Enum('sent', 'accepted', 'refused', name='firstarticlestate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('verdict', sa.String(length=500), nullable=False),
    sa.Column('judged_by', sa.Uuid(), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('judged_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'sent') = (judged_at IS NULL)", name=op.f('ck_first_article_judged_or_waiting')),
    sa.ForeignKeyConstraint(['judged_by'], ['user_account.id'], name=op.f('fk_first_article_judged_by')),
    sa.ForeignKeyConstraint(['picture_id'], ['picture.id'], name=op.f('fk_first_article_picture_id')),
    sa.ForeignKeyConstraint(['work_order_id'], ['work_order.id'], name=op.f('fk_first_article_work_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_first_article')),
    sa.UniqueConstraint('work_order_id', 'attempt', name=op.f('uq_first_article_work_order_id_attempt'))
    )


def downgrade() -> None:
    op.drop_table('first_article')
