"""Leaders: some who join share a link, and some who come later come by it."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import UUID

from sqlmodel import Session

from c2m.demand.models import Campaign, Pledge
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.teams import start_team
from c2m.demo.market import Market
from c2m.demo.people import Custom
from c2m.demo.town import Town

MOST_TEAMS = 4  # a campaign
SHARES_A_LINK = 0.5  # of leaders who join
COMES_BY_A_LINK = 0.25  # of who joins a campaign with teams
NAMES = ("巷尾拼单群", "三号楼团购", "早市姐妹团", "菜鸟站邻居群", "宝妈好物团", "老街坊团")


@dataclass
class Leaders:
    """The teams of the market's campaigns."""

    market: Market
    town: Town
    _rng: Random = field(init=False)
    _teams: dict[UUID, list[UUID]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rng = self.market.chance("leaders")

    def team_for(self, campaign_id: UUID) -> UUID | None:
        """The team by whose link somebody comes, if by any."""
        teams = self._teams.get(campaign_id)
        return self._rng.choice(teams) if teams and self._rng.random() < COMES_BY_A_LINK else None

    def joined(self, session: Session, pledge_id: UUID, request: PledgeRequest, *, now: datetime) -> None:
        """Some of those who buy for a neighbourhood begin a team once they have joined."""
        teams = self._teams.setdefault(request.campaign_id, [])
        if not self._leads(request) or len(teams) >= MOST_TEAMS:
            return
        if session.get_one(Campaign, request.campaign_id).commission_ppm:
            name = NAMES[(len(self._teams) + len(teams)) % len(NAMES)]
            teams.append(start_team(session, session.get_one(Pledge, pledge_id), name, now=now).id)

    def _leads(self, request: PledgeRequest) -> bool:
        if request.team_id is not None:
            return False
        if request.buyer_id == self.town.buyer_to_try.id:
            return True
        custom = next(buyer.profile.custom for buyer in self.town.buyers if buyer.id == request.buyer_id)
        return custom is Custom.LEADER and self._rng.random() < SHARES_A_LINK
