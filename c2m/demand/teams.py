"""Teams: a leader shares a link, members join by it, and the leader earns what was agreed when the team was made."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, insert_missing, insert_rows, number_of, table_of, update_rows, uuid7
from c2m.demand import queries
from c2m.demand.campaigns import CampaignNotOpen
from c2m.demand.models import Campaign, CampaignState, Commission, Pledge, PledgeState, Team
from c2m.demand.queries import GONE
from c2m.errors import N_, Conflict, NotFound
from c2m.identity.models import Organisation
from c2m.ledger.models import AccountKind, Direction, Hold
from c2m.ledger.rules import AccountRef, Draft, move
from c2m.ledger.service import Payment, buyer_payable, pay_out, post
from c2m.money import share
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

COMMISSION = "demand.commission"
COMMISSION_REFERENCE = "commission:"
MOST_REMEMBERED = 8


class TeamNotFound(NotFound):
    sentence = N_("There is no such team.")


class CannotLead(Conflict):
    sentence = N_("Only who takes part in an open campaign can lead a team.")


Owed = tuple[UUID, str]
"""An organisation and a currency."""


@dataclass(frozen=True)
class Untaken:
    """A commission that no settlement has taken off the merchandiser's margin yet."""

    pledge_id: UUID
    amount_minor: int


@dataclass(frozen=True)
class Progress:
    """How far a team has come: buyers and pieces with living pledges, and what its leader has earned."""

    buyers: int
    pieces: int
    earned_minor: int


@dataclass(frozen=True)
class TeamView:
    """A team as strangers may see it: its leader masked, its progress in the open."""

    team: Team
    initial: str
    progress: Progress


def start_team(session: Session, pledge: Pledge, name: str, *, now: datetime) -> Team:
    """Let the buyer of a living pledge lead a team at the commission the campaign offers; asking again changes nothing.

    Raises:
        CannotLead, CampaignNotOpen
    """
    campaign = queries.campaign(session, pledge.campaign_id)
    if campaign.state is not CampaignState.OPEN or now >= campaign.deadline:
        raise CampaignNotOpen(campaign_id=campaign.id)
    if pledge.state not in (PledgeState.UNPAID, PledgeState.PAID) or pledge.merchant_funded:
        raise CannotLead(pledge_id=pledge.id)
    team_id = uuid7()
    row = {
        "id": team_id,
        "campaign_id": campaign.id,
        "leader_id": pledge.buyer_id,
        "name": name,
        "code": number_of("T", team_id).removeprefix("T-"),
        "commission_ppm": campaign.commission_ppm,
        "created_at": now,
    }
    insert_missing(session, Team, [row])
    return session.exec(select(Team).where(Team.campaign_id == campaign.id, Team.leader_id == pledge.buyer_id)).one()


def team_by_code(session: Session, code: str) -> Team:
    """The team a share link names, however it is written.

    Raises:
        TeamNotFound
    """
    found = session.exec(select(Team).where(Team.code == code.upper())).first()
    if found is None:
        raise TeamNotFound(code=code)
    return found


def team_led(session: Session, campaign_id: UUID, leader_id: UUID) -> Team | None:
    """The team a buyer leads in a campaign."""
    return session.exec(select(Team).where(Team.campaign_id == campaign_id, Team.leader_id == leader_id)).first()


def team_remembered(session: Session, campaign_id: UUID, codes: Sequence[str]) -> Team | None:
    """Of the teams whose links somebody followed, latest first, the one of this campaign."""
    asked = [code.upper() for code in codes[:MOST_REMEMBERED]]
    found = session.exec(select(Team).where(Team.campaign_id == campaign_id, col(Team.code).in_(asked))).all()
    return min(found, key=lambda team: asked.index(team.code), default=None)


def view_of(session: Session, team: Team) -> TeamView:
    """One team with its progress."""
    leader = session.get_one(Organisation, team.leader_id)
    return TeamView(team, leader.name[:1], _progress(session, [team.id])[team.id])


def teams_in(session: Session, campaign_id: UUID, *, limit: int = 5) -> list[TeamView]:
    """A campaign's teams that have members, the largest first."""
    pieces = sa.func.sum(Pledge.quantity)
    rows = session.exec(
        select(Team, Organisation.name)
        .join(Organisation, col(Organisation.id) == col(Team.leader_id))
        .join(Pledge, sa.and_(*_members()))
        .where(Team.campaign_id == campaign_id)
        .group_by(*table_of(Team).c, col(Organisation.name))
        .order_by(pieces.desc(), col(Team.id))
        .limit(limit)
    ).all()
    progress = _progress(session, [team.id for team, _ in rows])
    return [TeamView(team, name[:1], progress[team.id]) for team, name in rows]


def members_of(session: Session, team_id: UUID, *, limit: int = 12) -> list[queries.Joiner]:
    """The latest members of a team, names masked."""
    rows = session.exec(
        select(Organisation.name, Pledge.region, Pledge.quantity, Pledge.placed_at)
        .join(Organisation, col(Pledge.buyer_id) == col(Organisation.id))
        .where(Pledge.team_id == team_id, col(Pledge.state).not_in(GONE))
        .order_by(col(Pledge.placed_at).desc(), col(Pledge.id).desc())
        .limit(limit)
    )
    return [queries.Joiner(name[:1], region, pieces, at) for name, region, pieces, at in rows]


def tell_leaders(session: Session, pledge_ids: Sequence[UUID], *, now: datetime) -> None:
    """Tell leaders of the members whose payment has arrived."""
    pledge, team, campaign = table_of(Pledge), table_of(Team), table_of(Campaign)
    messages: list[Message] = []
    for part in chunks(pledge_ids):
        rows = session.execute(
            sa.select(pledge.c.id, pledge.c.quantity, team.c.leader_id, team.c.campaign_id, team.c.name)
            .add_columns(campaign.c.title, campaign.c.title_en)
            .join_from(pledge, team, team.c.id == pledge.c.team_id)
            .join(campaign, campaign.c.id == pledge.c.campaign_id)
            .where(pledge.c.id.in_(part))
        )
        messages += [
            Message(
                row.leader_id,
                NoticeKind.TEAM_JOINED,
                row.campaign_id,
                f"team_joined:{row.id}",
                {"title": row.title, "title_en": row.title_en, "team": row.name, "pieces": row.quantity},
            )
            for row in rows
        ]
    tell(session, messages, now=now)


def earn_commissions(session: Session, pledge_ids: Sequence[UUID], *, now: datetime) -> None:
    """Pay leaders their share of what fulfilled members paid, each once, from the merchandiser's account."""
    earned = [found for part in chunks(pledge_ids) for found in _earned(session, part) if found.amount_minor]
    insert_rows(session, Commission, [found.row(now) for found in earned])
    post(session, [found.entry for found in earned], now=now)
    pay_out(session, [found.payment for found in earned], Direction.PAYOUT, now=now)
    tell(session, [found.message for found in earned], now=now)


def untaken_commissions(session: Session, merchandiser_ids: Sequence[UUID]) -> dict[Owed, list[Untaken]]:
    """The commissions each merchandiser still has to bear, oldest pledge first; the caller holds its lock."""
    c = table_of(Commission).c
    found: dict[Owed, list[Untaken]] = defaultdict(list)
    for part in chunks(merchandiser_ids):
        rows = session.execute(
            sa.select(c.merchandiser_id, c.currency, c.pledge_id, c.amount_minor)
            .where(c.merchandiser_id.in_(part), c.taken_by_id.is_(None))
            .order_by(c.pledge_id)
        )
        for row in rows:
            found[row.merchandiser_id, row.currency].append(Untaken(row.pledge_id, row.amount_minor))
    return found


def take_commissions(session: Session, orders: Mapping[UUID, UUID]) -> None:
    """Note by which work order's settlement commissions were borne: member's pledge → work order."""
    rows = [{"pledge_id": pledge_id, "taken_by_id": order_id} for pledge_id, order_id in orders.items()]
    update_rows(session, Commission, rows, by=("pledge_id",))


@dataclass(frozen=True)
class _Earned:
    """A commission that falls due, and whose it is."""

    pledge_id: UUID
    team_id: UUID
    leader_id: UUID
    merchandiser_id: UUID
    campaign_id: UUID
    title: str
    title_en: str
    currency: str
    amount_minor: int

    @property
    def reference(self) -> str:
        return commission_reference(self.pledge_id)

    @property
    def entry(self) -> Draft:
        merchandiser = AccountRef(AccountKind.MERCHANDISER_PAYABLE, self.merchandiser_id, self.currency)
        leader = buyer_payable(self.leader_id, self.currency)
        return Draft(self.reference, COMMISSION, move(self.amount_minor, merchandiser, leader))

    @property
    def payment(self) -> Payment:
        account = buyer_payable(self.leader_id, self.currency)
        return Payment(self.reference, COMMISSION, self.team_id, self.leader_id, account, self.amount_minor)

    @property
    def message(self) -> Message:
        facts = {
            "title": self.title,
            "title_en": self.title_en,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
        }
        return Message(self.leader_id, NoticeKind.COMMISSION_EARNED, self.campaign_id, self.reference, facts)

    def row(self, now: datetime) -> dict[str, object]:
        return {
            "pledge_id": self.pledge_id,
            "team_id": self.team_id,
            "merchandiser_id": self.merchandiser_id,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "earned_at": now,
        }


def commission_reference(pledge_id: UUID) -> str:
    """Names the entry by which a member's pledge pays its leader."""
    return f"{COMMISSION_REFERENCE}{pledge_id.hex}"


def _earned(session: Session, pledge_ids: Sequence[UUID]) -> list[_Earned]:
    """What fulfilled pledges of members come to: the share of the money that was captured for them."""
    pledge, team, campaign, hold = table_of(Pledge), table_of(Team), table_of(Campaign), table_of(Hold)
    paid = (
        sa.select(hold.c.subject_id, sa.func.sum(hold.c.captured_minor).label("minor"))
        .where(hold.c.subject_id.in_(pledge_ids))
        .group_by(hold.c.subject_id)
        .subquery()
    )
    columns = {
        "pledge_id": pledge.c.id,
        "team_id": team.c.id,
        "leader_id": team.c.leader_id,
        "merchandiser_id": campaign.c.organisation_id,
        "campaign_id": campaign.c.id,
        "title": campaign.c.title,
        "title_en": campaign.c.title_en,
        "currency": campaign.c.currency,
    }
    rows = session.execute(
        sa.select(*(column.label(name) for name, column in columns.items()), paid.c.minor, team.c.commission_ppm)
        .join_from(pledge, team, team.c.id == pledge.c.team_id)
        .join(campaign, campaign.c.id == pledge.c.campaign_id)
        .join(paid, paid.c.subject_id == pledge.c.id)
        .where(pledge.c.id.in_(pledge_ids), pledge.c.state == PledgeState.FULFILLED)
        .where(pledge.c.buyer_id != team.c.leader_id)
        .order_by(pledge.c.id)
    ).mappings()
    return [
        _Earned(**{name: row[name] for name in columns}, amount_minor=share(int(row["minor"]), row["commission_ppm"]))
        for row in rows
    ]


def _members() -> tuple[sa.ColumnElement[bool], ...]:
    pledge, team = table_of(Pledge).c, table_of(Team).c
    return (pledge.team_id == team.id, pledge.state.not_in(GONE))


def _progress(session: Session, team_ids: Sequence[UUID]) -> dict[UUID, Progress]:
    pledge, earned = table_of(Pledge).c, table_of(Commission).c
    joined = {
        row.team_id: (row.buyers, int(row.pieces))
        for row in session.execute(
            sa.select(
                pledge.team_id,
                sa.func.count(sa.distinct(pledge.buyer_id)).label("buyers"),
                sa.func.sum(pledge.quantity).label("pieces"),
            )
            .where(pledge.team_id.in_(team_ids), pledge.state.not_in(GONE))
            .group_by(pledge.team_id)
        )
    }
    paid = {
        row.team_id: int(row.minor)
        for row in session.execute(
            sa.select(earned.team_id, sa.func.sum(earned.amount_minor).label("minor"))
            .where(earned.team_id.in_(team_ids))
            .group_by(earned.team_id)
        )
    }
    return {i: Progress(*joined.get(i, (0, 0)), paid.get(i, 0)) for i in team_ids}
