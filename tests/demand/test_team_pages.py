"""Teams and merchants' completion on their pages: the link, the tick, the disclosure, and bad input."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, select

from c2m.app import build_worker
from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.demand import queries
from c2m.demand.campaigns import CampaignDraft, create_campaign, open_campaign
from c2m.demand.models import CampaignKind, Pledge, Team
from c2m.demand.policies import standard_policy
from c2m.demand.rules import Tier
from c2m.ledger.provider import SandboxProvider
from tests.conftest import NOON, Person, Visitor
from tests.design.builders import everything

Client = Callable[..., Visitor]


@pytest.fixture
def english(client: Client) -> Client:
    """`client`, reading English."""

    def make(name: str | None = None) -> Visitor:
        browser = client(name)
        browser.set_cookie("locale", "en")
        return browser

    return make


@pytest.fixture
def campaign(database: Database, people: dict[str, Person]) -> UUID:
    """The merchandiser's open group-buy of kettles at ¥40, ¥34 from 50, minimum 50, 3 % for team leaders."""
    draft = CampaignDraft(
        organisation_id=people["merchandiser"].organisation_id,
        kind=CampaignKind.GROUP_BUY,
        title="壶",
        title_en="Kettle",
        category="general",
        currency="CNY",
        variants=(("黑 Black", "M"), ("黑 Black", "L")),
        tiers=(Tier(1, 40_00), Tier(50, 34_00)),
        minimum=50,
        deadline=NOON.replace(day=28),
        commission_ppm=30_000,
    )
    with database.transaction() as session:
        campaign_id = create_campaign(session, draft, policy=standard_policy(session, now=NOON), now=NOON)
        open_campaign(session, campaign_id, now=NOON)
    return campaign_id


def an_order(database: Database, campaign: UUID, pieces: int = 5, **more: Any) -> dict[str, Any]:
    with database.reading() as session:
        variant = queries.variants(session, campaign)[0].id
    return {f"pieces.{variant}": str(pieces), "idempotency_key": str(uuid7())} | more


def a_team(database: Database, campaign: UUID, leader: Visitor, name: str = "Lane end") -> tuple[str, Team]:
    """A buyer joins and begins a team; the order's address and the team."""
    order = leader.post(f"/campaigns/{campaign}/join", data=an_order(database, campaign)).location
    assert leader.post(f"{order}/team", data={"name": name}).status_code == 303
    with database.reading() as session:
        return order, session.exec(select(Team)).one()


def pledges(session: Session) -> list[Pledge]:
    return list(session.exec(select(Pledge).order_by(Pledge.placed_at, Pledge.id)).all())


def test_a_link_is_remembered_through_sign_in_and_joins_the_team(
    database: Database, campaign: UUID, people: dict[str, Person], english: Client, provider: SandboxProvider
) -> None:
    leader = english("buyer")
    order, team = a_team(database, campaign, leader)
    assert f"/t/{team.code}" in leader.get(order).get_data(as_text=True)
    visitor = english()
    followed = visitor.get(f"/t/{team.code.lower()}")
    assert (followed.status_code, followed.location) == (303, f"/campaigns/{campaign}")
    assert "HttpOnly" in followed.headers["Set-Cookie"]
    assert "Join in “Lane end”, the team of T**" in visitor.get(followed.location).get_data(as_text=True)
    member = visitor.sign_in(people["buyer2"])
    page = member.get(f"/campaigns/{campaign}").get_data(as_text=True)
    assert "T** earns 3.0% of what you pay" in page
    assert f'value="{team.code}" checked' in page
    form = an_order(database, campaign, team=team.code)
    sent = member.post(f"/campaigns/{campaign}/checkout", data=form, follow_redirects=True)
    checkout = sent.get_data(as_text=True)
    assert "You join in “Lane end”" in checkout
    assert f'name="team" value="{team.code}"' in checkout
    joined = member.post(f"/campaigns/{campaign}/join", data=form)
    assert joined.status_code == 303
    build_worker(database, provider).run_until_idle(NOON)
    with database.reading() as session:
        assert [pledge.team_id for pledge in pledges(session)] == [None, team.id]
    assert "You joined in “Lane end”" in member.get(joined.location).get_data(as_text=True)
    seen = leader.get(order).get_data(as_text=True)
    assert "1 buyer · 5 pieces" in seen
    assert "Somebody joined your team" in leader.get("/messages").get_data(as_text=True)
    assert "Lane end" in english().get(f"/campaigns/{campaign}").get_data(as_text=True)
    assert "Lane end" in english("merchandiser").get(f"/studio/campaigns/{campaign}").get_data(as_text=True)


def test_who_unticks_the_team_joins_without_it(database: Database, campaign: UUID, english: Client) -> None:
    _, team = a_team(database, campaign, english("buyer"))
    member = english("buyer2")
    member.get(f"/t/{team.code}")
    refused = member.post(f"/campaigns/{campaign}/checkout", data=an_order(database, campaign, pieces=0))
    assert f'value="{team.code}" checked' not in refused.get_data(as_text=True)
    member.post(f"/campaigns/{campaign}/join", data=an_order(database, campaign))
    with database.reading() as session:
        assert {pledge.team_id for pledge in pledges(session)} == {None}


def test_wrong_codes_and_names_are_answered_and_change_nothing(
    database: Database, campaign: UUID, english: Client
) -> None:
    shop = english("buyer")
    order = shop.post(f"/campaigns/{campaign}/join", data=an_order(database, campaign)).location
    before = everything(database)
    for code in ("NOSUCHTEAM", "x' OR 1=1 -", "0000000000"):
        assert shop.get(f"/t/{code}").status_code == 404
        answer = shop.post(f"/campaigns/{campaign}/join", data=an_order(database, campaign, team=code))
        assert answer.status_code == 422
        assert "no such team" in answer.get_data(as_text=True)
    for name in ("", " ", "x" * 41, "\x00"):
        assert shop.post(f"{order}/team", data={"name": name}).status_code == 422
    assert english("buyer2").post(f"{order}/team", data={"name": "Mine"}).status_code == 404
    assert english("merchandiser").post(f"{order}/team", data={"name": "Mine"}).status_code == 403
    assert everything(database) == before


def test_a_team_s_name_is_text_and_nothing_else(database: Database, campaign: UUID, english: Client) -> None:
    leader = english("buyer")
    order, _ = a_team(database, campaign, leader, "<b>{{7*7}}</b>")
    page = leader.get(order).get_data(as_text=True)
    assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in page
    assert "<b>{{7*7}}</b>" not in page


def test_a_merchant_completes_its_campaign_and_every_buyer_reads_it(
    database: Database, campaign: UUID, people: dict[str, Person], english: Client
) -> None:
    shop, studio = english("buyer"), english("merchandiser")
    shop.post(f"/campaigns/{campaign}/join", data=an_order(database, campaign, pieces=30))
    page = studio.get(f"/studio/campaigns/{campaign}").get_data(as_text=True)
    assert "20 pieces are missing from the minimum" in page
    assert "¥680.00 in all" in page
    answer = studio.post(f"/studio/campaigns/{campaign}/complete", data=an_order(database, campaign, pieces=20))
    assert answer.status_code == 303
    with database.reading() as session:
        found = pledges(session)[-1]
    house = people["merchandiser"].organisation_id
    assert (found.buyer_id, found.quantity, found.merchant_funded) == (house, 20, True)
    seen = english().get(f"/campaigns/{campaign}").get_data(as_text=True)
    assert "The merchant itself took 20 pieces of these" in seen
    assert "1 buyer · 50 pieces" in seen
    assert "you yourself" in studio.get(f"/studio/campaigns/{campaign}").get_data(as_text=True)


def test_completion_is_bounded_and_nobody_else_s(database: Database, campaign: UUID, english: Client) -> None:
    studio, before = english("merchandiser"), everything(database)
    path = f"/studio/campaigns/{campaign}/complete"
    for pieces, status in (("51", 409), ("0", 422), ("-1", 422), ("1e3", 422), ("NaN", 422), ("9999999", 422)):
        assert (
            studio.post(path, data=an_order(database, campaign) | {key_of(database, campaign): pieces}).status_code
            == status
        ), pieces
    assert studio.post(path, data={f"pieces.{uuid7()}": "1", "idempotency_key": "long enough"}).status_code == 422
    assert english("merchandiser2").post(path, data=an_order(database, campaign)).status_code == 404
    assert english("buyer").post(path, data=an_order(database, campaign)).status_code == 403
    assert everything(database) == before


def key_of(database: Database, campaign: UUID) -> str:
    with database.reading() as session:
        return f"pieces.{queries.variants(session, campaign)[0].id}"


def test_the_board_s_views_show_what_needs_attention(
    database: Database, campaign: UUID, clock: ManualClock, english: Client
) -> None:
    studio = english("merchandiser")

    def shown(view: str) -> bool:
        return "Kettle" in studio.get(f"/studio/campaigns?view={view}").get_data(as_text=True)

    assert [view for view in ("all", "drafts", "open", "short", "closing", "succeeded", "ended") if shown(view)] == [
        "all",
        "open",
    ]
    clock.instant = NOON.replace(day=27)
    assert shown("short")
    page = studio.get("/studio/campaigns?view=short").get_data(as_text=True)
    assert "50 pieces missing" in page
    clock.instant = NOON.replace(day=29)
    assert [view for view in ("open", "short", "closing") if shown(view)] == ["closing"]
