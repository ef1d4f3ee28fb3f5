"""Remember when a picture was published"""

import sqlalchemy as sa
from alembic import op

revision = '202611220152'
down_revision = '202611220141'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('picture', schema=None) as batch_op:
        batch_op.add_column(sa.Column('published_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('picture', schema=None) as batch_op:
        batch_op.drop_column('published_at')
