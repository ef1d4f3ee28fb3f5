"""Keep what was found on claims"""

import sqlalchemy as sa
from alembic import op

revision = '202611221804'
down_revision = '202611221803'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('claim_finding',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('claim_id', sa.Uuid(), nullable=False),
    sa.Column(
        'finding',
        sa.Enum(
            'verified', 'refused', 'revoked', 'cut_short', 'expired',
            name='findingkind', native_enum=False, create_constraint=True, length=24,
        ),
        nullable=False,
    ),
    sa.Column('seen', sa.String(length=500), nullable=False),
    sa.Column('found_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('found_by', sa.Uuid(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['claim_id'], ['claim.id'], name=op.f('fk_claim_finding_claim_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_claim_finding'))
    )
    with op.batch_alter_table('claim_finding', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_claim_finding_claim_id'), ['claim_id'], unique=False)
    op.execute(
        "INSERT INTO claim_finding (id, claim_id, finding, seen, found_at, found_by, expires_at) "
        "SELECT id, id, CASE WHEN state = 'refused' THEN 'refused' ELSE 'verified' END, "
        "evidence, checked_at, checked_by, expires_at FROM claim WHERE checked_at IS NOT NULL"
    )


def downgrade() -> None:
    with op.batch_alter_table('claim_finding', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_claim_finding_claim_id'))
    op.drop_table('claim_finding')
