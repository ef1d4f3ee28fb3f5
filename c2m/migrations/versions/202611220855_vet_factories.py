"""Vet factories"""

from datetime import UTC, timedelta

import sqlalchemy as sa
from alembic import op
from uuid_utils.compat import uuid7

revision = '202611220855'
down_revision = '202611220850'
branch_labels = None
depends_on = None

LICENCE = '营业执照 Business licence'


def upgrade() -> None:
    op.create_table('matching_terms',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('newcomer_share_ppm', sa.Integer(), nullable=False),
    sa.Column('newcomer_orders', sa.Integer(), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('set_by', sa.Uuid(), nullable=True),
    sa.CheckConstraint('newcomer_orders > 0', name=op.f('ck_matching_terms_newcomer_orders')),
    sa.CheckConstraint('newcomer_share_ppm BETWEEN 0 AND 500000', name=op.f('ck_matching_terms_newcomer_share')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_matching_terms'))
    )
    op.create_table('claim',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('factory_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Enum('licence', 'machines', 'certificate', 'sample_work', name='claimkind', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('reference', sa.String(length=120), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Enum('open', 'verified', 'refused', 'expired', name='claimstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('evidence', sa.String(length=500), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_by', sa.Uuid(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recheck', sa.String(length=24), nullable=True),
    sa.CheckConstraint("(state = 'open') = (checked_at IS NULL)", name=op.f('ck_claim_checked')),
    sa.CheckConstraint("state NOT IN ('verified', 'expired') OR expires_at IS NOT NULL", name=op.f('ck_claim_runs_out')),
    sa.ForeignKeyConstraint(['factory_id'], ['factory.id'], name=op.f('fk_claim_factory_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_claim'))
    )
    with op.batch_alter_table('claim', schema=None) as batch_op:
        batch_op.create_index('ix_claim_factory_id', ['factory_id', 'state'], unique=False)
        batch_op.create_index('ix_claim_state', ['state', 'expires_at'], unique=False)

    op.create_table('newcomer_offer',
    sa.Column('offer_id', sa.Uuid(), nullable=False),
    sa.Column('extra_minor', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_newcomer_offer_offer_id')),
    sa.PrimaryKeyConstraint('offer_id', name=op.f('pk_newcomer_offer'))
    )
    with op.batch_alter_table('factory', schema=None) as batch_op:
        batch_op.add_column(sa.Column('level', sa.String(length=24), nullable=False, server_default='listed'))
    with op.batch_alter_table('factory', schema=None) as batch_op:
        batch_op.alter_column('level', server_default=None)
        batch_op.create_check_constraint(batch_op.f('ck_factory_factorylevel'), "level IN ('listed', 'verified', 'vetted')")
    _keep_verified()



def downgrade() -> None:
    with op.batch_alter_table('factory', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_factory_factorylevel'), type_='check')
        batch_op.drop_column('level')

    op.drop_table('newcomer_offer')
    with op.batch_alter_table('claim', schema=None) as batch_op:
        batch_op.drop_index('ix_claim_state')
        batch_op.drop_index('ix_claim_factory_id')

    op.drop_table('claim')
    op.drop_table('matching_terms')


def _keep_verified() -> None:
    """Factories that were verified stay so: their licence was checked when they were."""
    time = sa.DateTime(timezone=True)
    organisation = sa.table('organisation', sa.column('id', sa.Uuid()), sa.column('state', sa.String()), sa.column('registered_at', time), sa.column('decided_at', time), sa.column('decided_by', sa.Uuid()), sa.column('decision_note', sa.String()))
    factory = sa.table('factory', sa.column('id', sa.Uuid()), sa.column('level', sa.String()))
    claim = sa.table('claim', *(sa.column(name, sa.Uuid()) for name in ('id', 'factory_id', 'checked_by')), *(sa.column(name, sa.String()) for name in ('kind', 'title', 'reference', 'state', 'evidence')), *(sa.column(name, time) for name in ('made_at', 'checked_at', 'expires_at')))
    verified = sa.select(organisation).join_from(factory, organisation, organisation.c.id == factory.c.id).where(organisation.c.state == 'active')
    for row in op.get_bind().execute(verified).all():
        checked = row.decided_at or row.registered_at
        checked = checked if checked.tzinfo else checked.replace(tzinfo=UTC)
        made = row.registered_at if row.registered_at.tzinfo else row.registered_at.replace(tzinfo=UTC)
        op.execute(sa.insert(claim).values(id=uuid7(), factory_id=row.id, kind='licence', title=LICENCE, reference='', made_at=made, state='verified', evidence=row.decision_note or 'Checked with the registration.', checked_at=checked, checked_by=row.decided_by, expires_at=checked + timedelta(days=365)))
        op.execute(sa.update(factory).where(factory.c.id == row.id).values(level='verified'))
