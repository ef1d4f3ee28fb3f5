"""Keep what was forecast of campaigns"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '202611221526'
down_revision = '202611221523'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('success_model',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('trained_on', sa.Integer(), nullable=False),
    sa.Column('first_closed', sa.Date(), nullable=True),
    sa.Column('last_closed', sa.Date(), nullable=True),
    sa.Column('parameters', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_success_model')),
    sa.UniqueConstraint('version', name=op.f('uq_success_model_version'))
    )
    op.create_table('prediction',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('elapsed_days', sa.Integer(), nullable=False),
    sa.Column('elapsed', sa.Float(), nullable=False),
    sa.Column('target', sa.Integer(), nullable=False),
    sa.Column('is_minimum', sa.Boolean(), nullable=False),
    sa.Column('probability', sa.Float(), nullable=False),
    sa.Column('p10', sa.Integer(), nullable=False),
    sa.Column('p50', sa.Integer(), nullable=False),
    sa.Column('p90', sa.Integer(), nullable=False),
    sa.Column('moved_by', sa.String(length=20), nullable=False),
    sa.Column('moved', sa.Float(), nullable=False),
    sa.Column('known_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.Integer(), nullable=True),
    sa.Column('score', sa.Float(), nullable=True),
    sa.CheckConstraint('(known_at IS NULL) = (outcome IS NULL)', name=op.f('ck_prediction_known_with_outcome')),
    sa.CheckConstraint('known_at IS NULL OR made_at < known_at', name=op.f('ck_prediction_made_before_known')),
    sa.CheckConstraint('p10 <= p50 AND p50 <= p90', name=op.f('ck_prediction_quantiles_rise')),
    sa.CheckConstraint('probability > 0 AND probability < 1', name=op.f('ck_prediction_never_certain')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_prediction_campaign_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_prediction')),
    sa.UniqueConstraint('campaign_id', 'target', 'elapsed_days', name=op.f('uq_prediction_campaign_id_target_elapsed_days'))
    )
    with op.batch_alter_table('prediction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_prediction_campaign_id'), ['campaign_id'], unique=False)
        batch_op.create_index('ix_prediction_unknown', ['campaign_id'], unique=False, sqlite_where=sa.text('known_at IS NULL'), postgresql_where=sa.text('known_at IS NULL'))



def downgrade() -> None:
    with op.batch_alter_table('prediction', schema=None) as batch_op:
        batch_op.drop_index('ix_prediction_unknown', sqlite_where=sa.text('known_at IS NULL'), postgresql_where=sa.text('known_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_prediction_campaign_id'))

    op.drop_table('prediction')
    op.drop_table('success_model')
