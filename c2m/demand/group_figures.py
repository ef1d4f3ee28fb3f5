"""What stands in a group of needs: how many buyers, how their quantities and budgets spread, whether it grows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import table_of
from c2m.demand.clustering.describing import Bin, histogram, shares, without_contacts
from c2m.demand.clustering.trends import Counts, Growth, growth
from c2m.demand.models import Campaign, CampaignState, GroupCampaign, MakersInterest, Need, NeedGroup, NeedState
from c2m.design.models import Picture, PictureKind
from c2m.design.pictures import PictureNotFound
from c2m.errors import N_, NotFound

WINDOW_DAYS = 14
BEFORE_DAYS = 28
EXAMPLES = 6
FEWEST_BUYERS = 3  # from so many on, how their wants spread and grow says something

SENT_WITH_WANT = "want"  # an upload that its buyer sent knowing that others see it

need, group, picture = table_of(Need), table_of(NeedGroup), table_of(Picture)


class GroupNotFound(NotFound):
    sentence = N_("There is no such group of wants.")


class GroupSort(StrEnum):
    PIECES = "pieces"
    BUYERS = "buyers"
    NEWEST = "newest"
    RISING = "rising"


@dataclass(frozen=True)
class Example:
    """One need of a group as others may read it: without its buyer, and without what leads to them."""

    words: str
    quantity: int
    budget_minor: int | None
    wanted_by: date | None
    region: str
    stated_at: datetime


@dataclass(frozen=True)
class SentPicture:
    """A picture that came with a need of a group, with what the need said, without its buyer."""

    picture_id: UUID
    kind: PictureKind
    of_photograph: bool  # made from the buyer's own photograph
    words: str

    @property
    def is_ours(self) -> bool:
        """Whether we made it of words alone; what is or began as a photograph is the buyer's."""
        return self.kind is not PictureKind.PHOTO and not self.of_photograph


@dataclass(frozen=True)
class GroupFigures:
    """A group in figures; budgets in minor units a piece."""

    buyers: int
    needs: int
    pieces: int
    quantities: Sequence[Bin]
    budgets: Sequence[Bin]
    median_budget_minor: int | None
    earliest: date | None
    regions: Sequence[tuple[str, int, float]]
    recent: Counts
    growth: Growth
    examples: Sequence[Example]

    @property
    def says_enough(self) -> bool:
        """Whether enough buyers want it for a spread or a growth to say more than what one of them did."""
        return self.buyers >= FEWEST_BUYERS


def groups(*, now: datetime, sort: GroupSort = GroupSort.PIECES, categories: Sequence[str] = ()) -> sa.Select[Any]:
    """Groups with open needs: id, titles, category, words, buyers, needs, pieces, mean budget, last two weeks."""
    since = now - timedelta(days=WINDOW_DAYS)
    recent = sa.func.sum(sa.case((need.c.stated_at >= since, 1), else_=0)).label("recent")
    earlier = sa.func.sum(
        sa.case(
            (sa.and_(need.c.stated_at < since, need.c.stated_at >= since - timedelta(days=BEFORE_DAYS)), 1), else_=0
        )
    ).label("earlier")
    pieces, buyers = sa.func.sum(need.c.quantity).label("pieces"), sa.func.count(need.c.buyer_id.distinct())
    statement = (
        sa.select(group.c.id, group.c.title, group.c.title_en, group.c.category, group.c.words, group.c.formed_at)
        .add_columns(group.c.makers_asked_at, buyers.label("buyers"), sa.func.count().label("needs"), pieces)
        .add_columns(
            sa.func.avg(need.c.budget_minor).label("budget_minor"), sa.func.min(need.c.currency).label("currency")
        )
        .add_columns(recent, earlier)
        .join_from(group, need, need.c.group_id == group.c.id)
        .where(need.c.state == NeedState.OPEN)
        .group_by(group.c.id)
    )
    if categories:
        statement = statement.where(group.c.category.in_(categories))
    orders: dict[GroupSort, list[Any]] = {
        GroupSort.PIECES: [pieces.desc()],
        GroupSort.BUYERS: [buyers.desc(), pieces.desc()],
        GroupSort.NEWEST: [group.c.formed_at.desc()],
        GroupSort.RISING: [((recent + 0.5) / (earlier + 0.5)).desc(), recent.desc()],
    }
    return statement.order_by(*orders[sort], group.c.id)


def group_of(session: Session, group_id: UUID) -> NeedGroup:
    """The group with this id.

    Raises:
        GroupNotFound
    """
    found = session.get(NeedGroup, group_id)
    if found is None:
        raise GroupNotFound(group_id=group_id)
    return found


def budgets_of(session: Session, group_id: UUID) -> list[tuple[int, int]]:
    """What the group's buyers would pay for a piece at most, and how many pieces each of them needs."""
    rows = session.execute(
        sa.select(need.c.budget_minor, need.c.quantity)
        .where(need.c.group_id == group_id, need.c.state == NeedState.OPEN, need.c.budget_minor.is_not(None))
        .order_by(need.c.id)
    )
    return [(row.budget_minor, row.quantity) for row in rows]


def figures_of(session: Session, group_id: UUID, *, now: datetime) -> GroupFigures:
    """What the open needs of a group come to."""
    rows = session.exec(
        select(Need).where(Need.group_id == group_id, Need.state == NeedState.OPEN).order_by(col(Need.stated_at).desc())
    ).all()
    since = now - timedelta(days=WINDOW_DAYS)
    counts = Counts(
        now=sum(row.stated_at >= since for row in rows),
        before=sum(since > row.stated_at >= since - timedelta(days=BEFORE_DAYS) for row in rows),
    )
    budgets = sorted(row.budget_minor for row in rows if row.budget_minor is not None)
    return GroupFigures(
        buyers=len({row.buyer_id for row in rows}),
        needs=len(rows),
        pieces=sum(row.quantity for row in rows),
        quantities=histogram([row.quantity for row in rows]),
        budgets=histogram(budgets),
        median_budget_minor=budgets[(len(budgets) - 1) // 2] if budgets else None,
        earliest=min((row.wanted_by for row in rows if row.wanted_by), default=None),
        regions=shares(Counter(row.region for row in rows)),
        recent=counts,
        growth=growth(counts, days=WINDOW_DAYS, days_before=BEFORE_DAYS),
        examples=[
            Example(
                without_contacts(row.words), row.quantity, row.budget_minor, row.wanted_by, row.region, row.stated_at
            )
            for row in rows[:EXAMPLES]
        ],
    )


def pictures_of(session: Session, group_id: UUID) -> list[SentPicture]:
    """Pictures that came with a group's open needs, the first first; no upload of those promised to stay unseen."""
    may_be_seen = sa.or_(
        picture.c.kind != PictureKind.PHOTO, picture.c.provenance["sent_with"].as_string() == SENT_WITH_WANT
    )
    rows = session.execute(
        sa.select(picture.c.id, picture.c.kind, picture.c.provenance, need.c.words)
        .join_from(need, picture, picture.c.id == need.c.picture_id)
        .where(need.c.group_id == group_id, need.c.state == NeedState.OPEN, may_be_seen)
        .order_by(need.c.stated_at, need.c.id)
    )
    return [
        SentPicture(row.id, PictureKind(row.kind), "source_picture" in row.provenance, without_contacts(row.words))
        for row in rows
    ]


def picture_of(session: Session, group_id: UUID, picture_id: UUID) -> Picture:
    """A picture that came with an open need of a group.

    Raises:
        PictureNotFound
    """
    if picture_id not in {sent.picture_id for sent in pictures_of(session, group_id)}:
        raise PictureNotFound(picture_id=picture_id)
    return session.get_one(Picture, picture_id)


def campaigns_of(session: Session, group_id: UUID) -> Sequence[Campaign]:
    """Campaigns that were drafted for a group, the newest first."""
    drafted = select(Campaign).join(GroupCampaign, col(GroupCampaign.campaign_id) == col(Campaign.id))
    return session.exec(
        drafted.where(GroupCampaign.group_id == group_id).order_by(col(GroupCampaign.drafted_at).desc())
    ).all()


def opened_for(session: Session, group_id: UUID) -> Sequence[Campaign]:
    """Campaigns made for a group that buyers may see."""
    return [campaign for campaign in campaigns_of(session, group_id) if campaign.state is not CampaignState.DRAFT]


def interests_of(session: Session, group_id: UUID) -> Sequence[MakersInterest]:
    """Factories that would make what a group needs, the cheapest first."""
    statement = select(MakersInterest).where(MakersInterest.group_id == group_id)
    return session.exec(statement.order_by(col(MakersInterest.price_minor), col(MakersInterest.ready_by))).all()
