"""Take every form of a group-buy"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '202611220429'
down_revision = '202611220234'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('notice',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Enum('campaign_succeeded', 'campaign_failed', 'campaign_extended', 'consent_lapsed', 'next_round', 'colour_changed', 'balance_due', 'balance_reminder', 'deposit_forfeited', 'waiting_filled', 'waiting_lapsed', 'team_joined', 'commission_earned', 'sample_credit', 'evaluation_asked', name='noticekind', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=False),
    sa.Column('facts', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_notice_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    sa.UniqueConstraint('key', name=op.f('uq_notice_key'))
    )
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.create_index('ix_notice_organisation_id', ['organisation_id', 'read_at'], unique=False)

    op.create_table('team',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('leader_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('commission_ppm', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_team_campaign_id')),
    sa.ForeignKeyConstraint(['leader_id'], ['organisation.id'], name=op.f('fk_team_leader_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_team')),
    sa.UniqueConstraint('campaign_id', 'leader_id', name=op.f('uq_team_campaign_id_leader_id')),
    sa.UniqueConstraint('code', name=op.f('uq_team_code'))
    )
    with op.batch_alter_table('team', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_team_leader_id'), ['leader_id'], unique=False)

    op.create_table('waiting',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('buyer_id', sa.Uuid(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('filled_quantity', sa.Integer(), nullable=False),
    sa.Column('takes_part', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'filled', 'left', 'lapsed', name='waitingstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('idempotency_key', sa.String(length=80), nullable=False),
    sa.Column('request_hash', sa.String(length=64), nullable=False),
    sa.Column('region', sa.String(length=60), nullable=False),
    sa.Column('placed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('filled_quantity >= 0 AND filled_quantity <= quantity', name=op.f('ck_waiting_filled_once')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_waiting_quantity_positive')),
    sa.ForeignKeyConstraint(['buyer_id'], ['organisation.id'], name=op.f('fk_waiting_buyer_id')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_waiting_campaign_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_waiting')),
    sa.UniqueConstraint('buyer_id', 'idempotency_key', name=op.f('uq_waiting_buyer_id_idempotency_key'))
    )
    with op.batch_alter_table('waiting', schema=None) as batch_op:
        batch_op.create_index('ix_waiting_campaign_id', ['campaign_id', 'state'], unique=False)

    op.create_table('waiting_line',
    sa.Column('waiting_id', sa.Uuid(), nullable=False),
    sa.Column('variant_id', sa.Uuid(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_waiting_line_quantity_positive')),
    sa.ForeignKeyConstraint(['variant_id'], ['variant.id'], name=op.f('fk_waiting_line_variant_id')),
    sa.ForeignKeyConstraint(['waiting_id'], ['waiting.id'], name=op.f('fk_waiting_line_waiting_id')),
    sa.PrimaryKeyConstraint('waiting_id', 'variant_id', name=op.f('pk_waiting_line'))
    )
    op.create_table('evaluation',
    sa.Column('pledge_id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('buyer_id', sa.Uuid(), nullable=False),
    sa.Column('quality', sa.Integer(), nullable=False),
    sa.Column('fit', sa.Integer(), nullable=False),
    sa.Column('would_order', sa.Boolean(), nullable=False),
    sa.Column('words', sa.String(length=1000), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('length(words) <= 1000', name=op.f('ck_evaluation_words_length')),
    sa.CheckConstraint('quality BETWEEN 1 AND 5 AND fit BETWEEN 1 AND 5', name=op.f('ck_evaluation_marks')),
    sa.ForeignKeyConstraint(['buyer_id'], ['organisation.id'], name=op.f('fk_evaluation_buyer_id')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_evaluation_campaign_id')),
    sa.ForeignKeyConstraint(['pledge_id'], ['pledge.id'], name=op.f('fk_evaluation_pledge_id')),
    sa.PrimaryKeyConstraint('pledge_id', name=op.f('pk_evaluation'))
    )
    with op.batch_alter_table('evaluation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_evaluation_campaign_id'), ['campaign_id'], unique=False)

    op.create_table('pledge_change',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('pledge_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Enum('flexible_taken', 'flexible_freed', 'colour_changed', 'colour_dropped', 'ceiling_missed', 'dearer_accepted', 'extended', 'carried_on', 'moved_up', name='changekind', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('from_variant_id', sa.Uuid(), nullable=True),
    sa.Column('to_variant_id', sa.Uuid(), nullable=True),
    sa.Column('pieces', sa.Integer(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['from_variant_id'], ['variant.id'], name=op.f('fk_pledge_change_from_variant_id')),
    sa.ForeignKeyConstraint(['pledge_id'], ['pledge.id'], name=op.f('fk_pledge_change_pledge_id')),
    sa.ForeignKeyConstraint(['to_variant_id'], ['variant.id'], name=op.f('fk_pledge_change_to_variant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pledge_change'))
    )
    with op.batch_alter_table('pledge_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pledge_change_pledge_id'), ['pledge_id'], unique=False)

    op.create_table('sample_credit',
    sa.Column('sample_pledge_id', sa.Uuid(), nullable=False),
    sa.Column('pledge_id', sa.Uuid(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_sample_credit_amount_positive')),
    sa.ForeignKeyConstraint(['pledge_id'], ['pledge.id'], name=op.f('fk_sample_credit_pledge_id')),
    sa.ForeignKeyConstraint(['sample_pledge_id'], ['pledge.id'], name=op.f('fk_sample_credit_sample_pledge_id')),
    sa.PrimaryKeyConstraint('sample_pledge_id', name=op.f('pk_sample_credit'))
    )
    with op.batch_alter_table('sample_credit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sample_credit_pledge_id'), ['pledge_id'], unique=False)

    op.create_table('waiting_pledge',
    sa.Column('pledge_id', sa.Uuid(), nullable=False),
    sa.Column('waiting_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['pledge_id'], ['pledge.id'], name=op.f('fk_waiting_pledge_pledge_id')),
    sa.ForeignKeyConstraint(['waiting_id'], ['waiting.id'], name=op.f('fk_waiting_pledge_waiting_id')),
    sa.PrimaryKeyConstraint('pledge_id', name=op.f('pk_waiting_pledge'))
    )
    with op.batch_alter_table('waiting_pledge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_waiting_pledge_waiting_id'), ['waiting_id'], unique=False)

    with op.batch_alter_table('campaign', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pack_pieces', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('colour_minimum', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('commission_ppm', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('extension_days', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('next_round_days', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('previous_round_id', sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column('sample_campaign_id', sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column('flexible_quantity', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('conditional_quantity', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('extended_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('consents_due_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('releasing_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_campaign_sample_campaign_id'), ['sample_campaign_id'], unique=False)
        batch_op.create_unique_constraint(batch_op.f('uq_campaign_previous_round_id'), ['previous_round_id'])
        batch_op.create_foreign_key(batch_op.f('fk_campaign_sample_campaign_id'), 'campaign', ['sample_campaign_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_campaign_previous_round_id'), 'campaign', ['previous_round_id'], ['id'])
        batch_op.create_check_constraint(batch_op.f('ck_campaign_parts_of_demand'), "flexible_quantity >= 0 AND conditional_quantity >= 0")
        batch_op.create_check_constraint(batch_op.f('ck_campaign_second_chances'), "extension_days >= 0 AND next_round_days >= 0")
        batch_op.create_check_constraint(batch_op.f('ck_campaign_packs'), "pack_pieces > 0 AND colour_minimum >= 0")
        batch_op.create_check_constraint(batch_op.f('ck_campaign_commission_share'), "commission_ppm BETWEEN 0 AND 200000")

    with op.batch_alter_table('pledge', schema=None) as batch_op:
        batch_op.add_column(sa.Column('flexible_quantity', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('ceiling_minor', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('accepts_dearer', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('fallback_colour', sa.String(length=40), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('joins_next_round', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('credit_minor', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('team_id', sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column('merchant_funded', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('consent', sa.Enum('asked', 'given', 'refused', 'lapsed', name='consent', native_enum=False, create_constraint=True, length=24), nullable=True))
        batch_op.add_column(sa.Column('carried_from_id', sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f('ix_pledge_team_id'), ['team_id'], unique=False)
        batch_op.create_unique_constraint(batch_op.f('uq_pledge_carried_from_id'), ['carried_from_id'])
        batch_op.create_foreign_key(batch_op.f('fk_pledge_carried_from_id'), 'pledge', ['carried_from_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_pledge_team_id'), 'team', ['team_id'], ['id'])
        batch_op.create_check_constraint(batch_op.f('ck_pledge_flexible_not_negative'), "flexible_quantity >= 0")
        batch_op.create_check_constraint(batch_op.f('ck_pledge_ceiling_positive'), "ceiling_minor IS NULL OR ceiling_minor > 0")
        batch_op.create_check_constraint(batch_op.f('ck_pledge_credit_not_negative'), "credit_minor >= 0")

    with op.batch_alter_table('pledge_line', schema=None) as batch_op:
        batch_op.add_column(sa.Column('flexible_quantity', sa.Integer(), nullable=False, server_default='0'))

    with op.batch_alter_table('policy', schema=None) as batch_op:
        batch_op.add_column(sa.Column('consent_hours', sa.Integer(), nullable=False, server_default='48'))
        batch_op.add_column(sa.Column('longest_extension_days', sa.Integer(), nullable=False, server_default='14'))
        batch_op.add_column(sa.Column('reminder_hours', sa.Integer(), nullable=False, server_default='24'))
        batch_op.add_column(sa.Column('waiting_minutes', sa.Integer(), nullable=False, server_default='120'))
        batch_op.create_check_constraint(batch_op.f('ck_policy_windows'), "consent_hours > 0 AND longest_extension_days >= 0 AND reminder_hours > 0 AND waiting_minutes > 0")

    with op.batch_alter_table('campaign', schema=None) as batch_op:
        batch_op.alter_column('pack_pieces', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('colour_minimum', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('commission_ppm', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('extension_days', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('next_round_days', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('flexible_quantity', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('conditional_quantity', existing_type=sa.Integer(), server_default=None)

    with op.batch_alter_table('pledge', schema=None) as batch_op:
        batch_op.alter_column('flexible_quantity', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('accepts_dearer', existing_type=sa.Boolean(), server_default=None)
        batch_op.alter_column('fallback_colour', existing_type=sa.String(length=40), server_default=None)
        batch_op.alter_column('joins_next_round', existing_type=sa.Boolean(), server_default=None)
        batch_op.alter_column('credit_minor', existing_type=sa.BigInteger(), server_default=None)
        batch_op.alter_column('merchant_funded', existing_type=sa.Boolean(), server_default=None)

    with op.batch_alter_table('pledge_line', schema=None) as batch_op:
        batch_op.alter_column('flexible_quantity', existing_type=sa.Integer(), server_default=None)

    with op.batch_alter_table('policy', schema=None) as batch_op:
        batch_op.alter_column('consent_hours', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('longest_extension_days', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('reminder_hours', existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column('waiting_minutes', existing_type=sa.Integer(), server_default=None)



def downgrade() -> None:
    with op.batch_alter_table('policy', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_policy_windows'), type_='check')
        batch_op.drop_column('waiting_minutes')
        batch_op.drop_column('reminder_hours')
        batch_op.drop_column('longest_extension_days')
        batch_op.drop_column('consent_hours')

    with op.batch_alter_table('pledge_line', schema=None) as batch_op:
        batch_op.drop_column('flexible_quantity')

    with op.batch_alter_table('pledge', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_pledge_flexible_not_negative'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_pledge_ceiling_positive'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_pledge_credit_not_negative'), type_='check')
        batch_op.drop_constraint(batch_op.f('fk_pledge_team_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_pledge_carried_from_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_pledge_carried_from_id'), type_='unique')
        batch_op.drop_index(batch_op.f('ix_pledge_team_id'))
        batch_op.drop_constraint(batch_op.f('ck_pledge_consent'), type_='check')
        batch_op.drop_column('carried_from_id')
        batch_op.drop_column('consent')
        batch_op.drop_column('merchant_funded')
        batch_op.drop_column('team_id')
        batch_op.drop_column('credit_minor')
        batch_op.drop_column('joins_next_round')
        batch_op.drop_column('fallback_colour')
        batch_op.drop_column('accepts_dearer')
        batch_op.drop_column('ceiling_minor')
        batch_op.drop_column('flexible_quantity')

    with op.batch_alter_table('campaign', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_campaign_parts_of_demand'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_campaign_second_chances'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_campaign_packs'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_campaign_commission_share'), type_='check')
        batch_op.drop_constraint(batch_op.f('fk_campaign_previous_round_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_campaign_sample_campaign_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_campaign_previous_round_id'), type_='unique')
        batch_op.drop_index(batch_op.f('ix_campaign_sample_campaign_id'))
        batch_op.drop_column('releasing_until')
        batch_op.drop_column('consents_due_at')
        batch_op.drop_column('extended_at')
        batch_op.drop_column('conditional_quantity')
        batch_op.drop_column('flexible_quantity')
        batch_op.drop_column('sample_campaign_id')
        batch_op.drop_column('previous_round_id')
        batch_op.drop_column('next_round_days')
        batch_op.drop_column('extension_days')
        batch_op.drop_column('commission_ppm')
        batch_op.drop_column('colour_minimum')
        batch_op.drop_column('pack_pieces')

    with op.batch_alter_table('waiting_pledge', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_waiting_pledge_waiting_id'))

    op.drop_table('waiting_pledge')
    with op.batch_alter_table('sample_credit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sample_credit_pledge_id'))

    op.drop_table('sample_credit')
    with op.batch_alter_table('pledge_change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pledge_change_pledge_id'))

    op.drop_table('pledge_change')
    with op.batch_alter_table('evaluation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_evaluation_campaign_id'))

    op.drop_table('evaluation')
    op.drop_table('waiting_line')
    with op.batch_alter_table('waiting', schema=None) as batch_op:
        batch_op.drop_index('ix_waiting_campaign_id')

    op.drop_table('waiting')
    with op.batch_alter_table('team', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_team_leader_id'))

    op.drop_table('team')
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_index('ix_notice_organisation_id')

    op.drop_table('notice')
