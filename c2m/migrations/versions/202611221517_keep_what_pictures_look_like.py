"""Keep what pictures look like"""

import sqlalchemy as sa
from alembic import op
revision = '202611221517'
down_revision = '202611221457'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('picture_look',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('picture_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.String(length=80), nullable=False),
    sa.Column('vector', sa.LargeBinary(), nullable=False),
    sa.Column('described_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['picture_id'], ['picture.id'], name=op.f('fk_picture_look_picture_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_picture_look')),
    sa.UniqueConstraint('picture_id', 'version', name=op.f('uq_picture_look_picture_id_version'))
    )
    with op.batch_alter_table('picture_look', schema=None) as batch_op:
        batch_op.create_index('ix_picture_look_news', ['version', 'described_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('picture_look', schema=None) as batch_op:
        batch_op.drop_index('ix_picture_look_news')

    op.drop_table('picture_look')
