"""The demo market: a small one lives through its days on both databases, the same for the same seed."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select
from typer.testing import CliRunner

from c2m import audit, migrations
from c2m.cli import cli
from c2m.config import DEMO_PASSWORD
from c2m.db import Database, table_of
from c2m.demand.models import CampaignKind
from c2m.demo.belts import Belt
from c2m.demo.calendar import Calendar, Diary, local_hour
from c2m.demo.catalogue import BELTS, DRAFTS, IDEAS, PRODUCTS, TRADES
from c2m.demo.cli import NotADemo, prepare
from c2m.demo.demand import DAY, HOURS, share_of_hour
from c2m.demo.life import live
from c2m.demo.market import Market, Size
from c2m.demo.products import Product
from c2m.demo.summary import Summary, sign_ins, summarise
from c2m.design.categories import CATEGORIES
from c2m.design.models import Picture, PictureKind
from c2m.identity.models import Role
from c2m.identity.service import Registration, register_organisation, sign_in
from c2m.jobs import Job, JobState
from c2m.ledger.models import Hold, Posting
from c2m.ledger.provider import SandboxProvider
from c2m.ledger.queries import signed_amount
from c2m.production.models import FirstArticle
from tests.conftest import CHEAP, PASSWORD_HASH

END = datetime(2026, 11, 22, 6, tzinfo=UTC)
SMALL = Size(factories=16, buyers=40, merchandisers=2, campaigns=4, drafts=1, concepts=1, picture_px=64)
TINY = Size(factories=8, buyers=12, merchandisers=1, campaigns=2, drafts=0, concepts=0, picture_px=64)


def a_lived_market(database: Database, *, days: int = 12, seed: int = 7, size: Size = SMALL) -> Summary:
    """A market that has lived through its days."""
    market = Market(database, SandboxProvider(), Calendar(END, days), seed, size)
    live(market, CHEAP.hash(DEMO_PASSWORD), lambda _hour: None, ThreadPoolExecutor(1))
    with database.reading() as session:
        return summarise(session, now=END)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # on PostgreSQL one lives for the pages' test
def test_small_market_lives(database: Database) -> None:
    summary = a_lived_market(database)
    assert sum(summary.campaigns.values()) == SMALL.campaigns + SMALL.drafts + 1  # the promoted concept's
    assert summary.campaigns["draft"] >= 1
    assert summary.campaigns["succeeded"] > 0
    assert summary.concepts == {"promoted": 1}
    assert summary.organisations["factory pending"] > 0
    assert summary.pieces.confirmed > 0
    assert summary.forms["with extra pieces"] > 0
    assert summary.forms["with a ceiling"] > 0
    money = summary.money
    assert money.collected > money.refunded > 0
    with database.reading() as session:
        assert audit.run(session, now=END) == []
        assert dead_jobs(session) == 0
        total = session.execute(sa.select(sa.func.sum(signed_amount())).select_from(table_of(Posting))).scalar_one()
        assert total == 0
        kinds = session.execute(sa.select(table_of(Picture).c.kind, table_of(Picture).c.provenance)).all()
        accounts = sign_ins(session)
        first_pieces = session.exec(select(FirstArticle)).all()
    sketches = [made for kind, made in kinds if kind is PictureKind.SKETCH and made["generator"] == "sketch"]
    assert len(sketches) == SMALL.campaigns + SMALL.drafts + len(first_pieces)
    concepts = [made for kind, made in kinds if kind is PictureKind.CONCEPT]
    assert [made["attributes"]["primary"] for made in concepts] == [primary for primary, _ in IDEAS[0].colours]
    assert len(kinds) == len(sketches) + len(concepts)
    assert first_pieces
    assert [account.role for account in accounts] == list(Role)
    for account in accounts:
        assert account.name
        assert account.name_en
        assert sign_in(database, CHEAP, account.email, DEMO_PASSWORD, "127.0.0.1", now=END)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Summary]]:
    """A tiny market that has lived, and its summary."""
    database = an_empty_database(tmp_path_factory.mktemp("demo") / "kept.sqlite3")
    yield database, a_lived_market(database, days=8, seed=3, size=TINY)
    database.dispose()


@pytest.mark.parametrize(("seed", "same"), [(3, True), (4, False)])
def test_same_seed_gives_same_summary(kept: tuple[Database, Summary], tmp_path: Path, seed: int, *, same: bool) -> None:
    again = a_lived_market(an_empty_database(tmp_path / "again.sqlite3"), days=8, seed=seed, size=TINY)
    assert (again == kept[1]) == same


def test_command_shows_the_market_it_keeps_and_fails_when_something_is_broken(kept: tuple[Database, Summary]) -> None:
    database, summary = kept
    command = ["demo", "--keep", "--json", "--database-url", database.url, "--ends-at", f"{END:%Y-%m-%dT%H:%M:%S}"]
    ran = CliRunner().invoke(cli, command)
    assert ran.exit_code == 0, ran.output
    shown = json.loads(ran.stdout)
    assert shown["campaigns"] == summary.campaigns
    assert shown["invariants_broken"] == 0
    assert {account["role"] for account in shown["sign_ins"]} == set(Role)
    with database.transaction() as session:
        hold = table_of(Hold)
        session.execute(sa.update(hold).values(amount_minor=hold.c.amount_minor + 1).where(hold.c.state == "held"))
    broken = CliRunner().invoke(cli, command)
    assert broken.exit_code == 1
    assert "I2" in {finding["invariant"] for finding in json.loads(broken.stdout)["findings"]}


def test_other_peoples_market_is_left_alone(database: Database) -> None:
    stranger = Registration(Role.OPERATOR, "Somebody", "somebody@else.example", "Some Body", PASSWORD_HASH)
    with database.transaction() as session:
        register_organisation(session, stranger, now=END)
    with pytest.raises(NotADemo):
        prepare(database, fresh=True)
    with database.reading() as session:
        assert session.execute(sa.text("SELECT count(*) FROM user_account")).scalar_one() == 1


def test_demo_market_is_kept_or_begun_anew(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'demo.sqlite3'}")
    assert prepare(database, fresh=False)
    operator = Registration(Role.OPERATOR, "c2m", "operator@c2m.example", "Op", PASSWORD_HASH)
    with database.transaction() as session:
        register_organisation(session, operator, now=END)
    assert not prepare(database, fresh=False)
    assert prepare(database, fresh=True)
    with database.reading() as session:
        assert session.execute(sa.text("SELECT count(*) FROM user_account")).scalar_one() == 0
    database.dispose()


def test_catalogue_is_as_large_as_promised() -> None:
    verified = Size().factories - Size().factories // 19 - Size().factories // 8
    assert verified >= 60
    assert len(BELTS) >= 8
    assert Size().buyers >= 400
    assert Size().merchandisers >= 6
    assert len(PRODUCTS) == 40
    assert {product.kind for product in PRODUCTS} == set(CampaignKind)
    assert len(IDEAS) >= 5


def test_every_form_of_a_group_buy_is_on_offer() -> None:
    for form in ("pack", "colour_minimum", "extension", "next_round", "sample", "extended", "completed", "cap"):
        usual = next(field.default for field in fields(Product) if field.name == form)
        assert any(getattr(product, form) != usual for product in PRODUCTS), form
    samples = {product.title_en for product in PRODUCTS if product.kind is CampaignKind.SAMPLE}
    assert {product.sample for product in PRODUCTS} - {""} <= samples


@pytest.mark.parametrize("belt", BELTS, ids=lambda belt: belt.name_en)
def test_belts_make_known_categories(belt: Belt) -> None:
    assert set(belt.categories) <= TRADES.keys() & CATEGORIES.keys()
    assert len(belt.label) <= 60
    assert len(belt.region_label) <= 60


def test_products_can_be_made_and_drawn() -> None:
    made = {category for belt in BELTS for category in belt.categories}
    for product in (*PRODUCTS, *DRAFTS, *(idea.becomes for idea in IDEAS if idea.becomes)):
        assert product.category in made
        assert product.spec.category == product.category
        assert product.title
        assert product.title_en
        assert "\n" in product.description


def test_day_of_demand_adds_up() -> None:
    opens = datetime(2026, 11, 1, 16, tzinfo=UTC)  # midnight in Shanghai
    deadline = datetime(2026, 11, 11, 16, tzinfo=UTC)
    hours = Calendar(deadline, 10).hours()
    whole = sum(share_of_hour(opens, deadline, hour) for hour in hours if local_hour(hour) in HOURS)
    assert sum(HOURS.values()) == DAY
    assert 0.85 < whole < 1.15


def test_diary_gives_what_is_due_in_order() -> None:
    diary: Diary[str] = Diary()
    for hour, what in ((9, "late"), (7, "first"), (8, "second"), (8, "third")):
        diary.note(END.replace(hour=hour), what)
    assert diary.due(END.replace(hour=8)) == ["first", "second", "third"]
    assert diary.due(END.replace(hour=8)) == []
    assert diary.due(END.replace(hour=9)) == ["late"]


def test_calendar_squeezes_days_and_keeps_evenings_on_their_side() -> None:
    calendar = Calendar(END, 45)
    assert calendar.at(-10) == END.replace(day=17)
    assert calendar.at(-1000) > calendar.starts_at
    assert calendar.evening(-0.2, 21) <= END < calendar.evening(0.2, 9)
    assert local_hour(calendar.evening(10, 21)) == 21


def dead_jobs(session: Session) -> int:
    c = table_of(Job).c
    return int(session.execute(sa.select(sa.func.count()).where(c.state == JobState.DEAD)).scalar_one())


def an_empty_database(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    migrations.create(database)
    return database
