"""The operator's pages: what waits, deciding on factories, retrying jobs, reading the ledger, having all audited."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from c2m.audit.jobs import AUDIT
from c2m.audit.models import AuditRun
from c2m.clock import ManualClock
from c2m.db import Database, table_of, uuid7
from c2m.identity.models import Organisation, OrganisationState, Role
from c2m.jobs import Job, JobState
from c2m.ledger.models import Entry
from c2m.matching.models import MatchRun, OfferState
from c2m.production.models import WorkOrder
from tests.builders import a_campaign, a_capability, a_factory, a_line, an_offer, an_open_sheet, an_organisation
from tests.conftest import PEOPLE, Person, Visitor
from tests.matching.market import match
from tests.production.market import PROMISED, a_sold_campaign, an_order, deliver, make, ship
from tests.web.test_access import everything

pytestmark = pytest.mark.both_databases

ENGLISH = {"Accept-Language": "en"}
UNPAGED = ("/operator/ledger", "/operator/audit", "/operator/promises")
PAGES = (
    "/operator",
    "/operator/factories",
    "/operator/matching",
    "/operator/promises",
    "/operator/late",
    "/operator/jobs",
    "/operator/ledger",
    "/operator/audit",
    "/operator/concepts",
    "/operator/pictures",
)
EXPORTS = tuple(f"/operator/{name}.csv" for name in ("factories", "matching", "late", "jobs", "ledger"))
Client = Callable[..., Visitor]


def text(visitor: Visitor, address: str, status: int = 200) -> str:
    """A page in English."""
    answer = visitor.get(address, headers=ENGLISH)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def table(visitor: Visitor, address: str) -> list[dict[str, str]]:
    """The rows of a CSV download."""
    answer = visitor.get(address, headers=ENGLISH)
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def a_job(session: Session, state: JobState, **fields: Any) -> Job:
    job = Job(
        kind=fields.pop("kind", "ledger.carry_out"),
        key=str(uuid7()),
        due_at=PROMISED,
        created_at=PROMISED,
        state=state,
        **fields,
    )
    session.add(job)
    session.flush()
    return job


def a_pending_factory(session: Session, name: str = "Shishi Runze", **fields: Any) -> Organisation:
    return an_organisation(session, Role.FACTORY, name=name, state=OrganisationState.PENDING, **fields)


@pytest.mark.parametrize("address", PAGES)
def test_on_an_empty_site_every_page_says_what_is_not_there(client: Client, address: str) -> None:
    page = text(client("operator"), address)
    assert 'class="empty"' in page or address == "/operator/audit"


@pytest.mark.parametrize("name", [None, *(name for name in PEOPLE if name != "operator")])
def test_nobody_else_comes_in(client: Client, database: Database, name: str | None) -> None:
    visitor = client(name)
    before = everything(database)
    posts = ("/operator/audit", f"/operator/jobs/{uuid4()}/retry", f"/operator/factories/{uuid4()}/decide")
    expected = {403} if name else {303, 401}
    assert {visitor.get(address).status_code for address in (*PAGES, *EXPORTS)} <= expected
    assert {visitor.post(address, data={"decision": "verify"}).status_code for address in posts} <= expected
    assert everything(database) == before


@pytest.mark.parametrize(
    "address",
    [
        "/operator/jobs?state=eaten",
        "/operator/jobs?sort=password",
        "/operator/late?sort=1;drop",
        "/operator/factories?state=any",
        "/operator/matching?left=perhaps",
        "/operator/concepts?state=eaten",
        "/operator/ledger?before=yesterday",
        "/operator/ledger?account=swiss",
        "/operator/ledger?q=" + "9" * 121,
    ],
)
def test_an_address_that_makes_no_sense_is_refused(client: Client, address: str) -> None:
    text(client("operator"), address, status=422)


@pytest.mark.parametrize("address", [page for page in PAGES[1:] if page not in UNPAGED])
def test_a_page_behind_the_last_one_is_not_found(client: Client, address: str) -> None:
    text(client("operator"), f"{address}?page=2", status=404)


def test_the_console_counts_what_waits_and_the_rail_repeats_it(
    client: Client, database: Database, clock: ManualClock
) -> None:
    now = clock.now()
    with database.transaction() as session:
        a_pending_factory(session, registered_at=now - timedelta(hours=30))
        soon = {"deadline": now + timedelta(hours=5), "minimum": 50, "title_en": "Striped tote"}
        a_campaign(session, created_at=now - timedelta(days=2), **soon)
        a_campaign(session, created_at=now - timedelta(days=2), deadline=now + timedelta(hours=25), minimum=50)
        _, variant, _, sheet = a_sold_campaign(session, [4, 6])
        an_order(session, sheet, {variant: 4}, deliver_by=now - timedelta(days=2, hours=1))
        line = a_capability(session, a_factory(session))
        open_offer = {"state": OfferState.OFFERED, "expires_at": now + timedelta(hours=3), "answered_at": None}
        an_offer(session, sheet, line, {variant: 6}, **open_offer)
        a_job(session, JobState.DEAD, finished_at=now - timedelta(hours=2), error="TimeoutError: no answer")
    page = text(client("operator"), "/operator")
    for label, count, note in (
        ("Factories to verify", 1, "longest for 1 d 6 h"),
        ("Campaigns falling short", 1, "the first closes in 5 h 0 min"),
        ("Offers running out", 1, "the first in 3 h 0 min"),
        ("Late work orders", 1, "the latest by 3 days"),
        ("Failed jobs", 1, "longest for 2 h 0 min"),
    ):
        fact = page.partition(f'<span class="label">{label}</span>')[2].partition("</a>")[0]
        assert fact.startswith(f"<b>{count}</b>")
        assert note in fact
    assert "Striped tote" in page
    assert "TimeoutError: no answer" in page
    rail = text(client("operator"), "/operator/audit").partition('<nav class="rail"')[2].partition("</nav>")[0]
    assert rail.count('<span class="count">1</span>') == 1
    assert rail.count('<span class="count hot">1</span>') == 2


def test_a_factory_is_verified_and_leaves_the_queue(
    client: Client, database: Database, people: dict[str, Person], clock: ManualClock
) -> None:
    with database.transaction() as session:
        factory = a_pending_factory(session, name="<b>Runze</b>")
    operator = client("operator")
    page = text(operator, "/operator/factories")
    assert "&lt;b&gt;Runze&lt;/b&gt;" in page
    seen = {"decision": "verify", "note": "Licence in the register"}
    answer = operator.post(f"/operator/factories/{factory.id}/decide", data=seen, headers=ENGLISH)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/operator/factories")
    page = text(operator, "/operator/factories")
    assert "is verified." in page
    assert f"/operator/factories/{factory.id}/decide" not in page
    with database.reading() as session:
        decided = session.get_one(Organisation, factory.id)
        assert (decided.state, decided.decided_at) == (OrganisationState.ACTIVE, clock.now())
        assert decided.decided_by == people["operator"].user_id


def test_a_factory_is_turned_down_with_a_reason_and_never_without(client: Client, database: Database) -> None:
    with database.transaction() as session:
        factory = a_pending_factory(session)
    operator = client("operator")
    address = f"/operator/factories/{factory.id}/decide"
    before = everything(database)
    for data in ({"decision": "turn_down"}, {"decision": "turn_down", "note": "   "}):
        answer = operator.post(address, data=data, headers=ENGLISH)
        assert answer.status_code == 422
        assert "Please say why." in answer.get_data(as_text=True)
    answer = operator.post(address, data={"decision": "verify", "note": " "}, headers=ENGLISH)
    assert (answer.status_code, "Say what you saw." in answer.get_data(as_text=True)) == (422, True)
    for data in (
        {},
        {"decision": "burn"},
        {"decision": "turn_down", "note": "x" * 501},
        {"decision": "verify", "s": 1},
    ):
        assert operator.post(address, data=data).status_code == 422
    assert everything(database) == before
    reason = {"decision": "turn_down", "note": "No business licence"}
    assert operator.post(address, data=reason).status_code == 303
    assert "No business licence" in text(operator, "/operator/factories?state=refused")
    before = everything(database)
    assert operator.post(address, data={"decision": "verify"}).status_code == 409
    assert everything(database) == before


def test_only_factories_are_decided_on(client: Client, database: Database, people: dict[str, Person]) -> None:
    operator = client("operator")
    before = everything(database)
    for organisation_id in (uuid4(), people["buyer"].organisation_id):
        address = f"/operator/factories/{organisation_id}/decide"
        assert operator.post(address, data={"decision": "verify"}).status_code == 404
    assert everything(database) == before


def test_factories_are_found_by_name_sorted_and_exported_without_formulas(client: Client, database: Database) -> None:
    with database.transaction() as session:
        for name, region in (("=HYPERLINK(1)", "Zhejiang"), ("Alpha", "Anhui"), ("Beta", "Anhui")):
            a_pending_factory(session, name=name, region=region)
    operator = client("operator")
    page = text(operator, "/operator/factories?sort=-name")
    assert page.index("<b>Beta</b>") < page.index("<b>Alpha</b>")
    page = text(operator, "/operator/factories?q=anhui")
    assert "Alpha" in page
    assert "HYPERLINK" not in page
    assert "No factory matches" in text(operator, "/operator/factories?q=%25")
    names = [row["Factory"] for row in table(operator, "/operator/factories.csv?sort=name")]
    assert names == ["'=HYPERLINK(1)", "Alpha", "Beta"]


def test_a_job_that_gave_up_is_tried_again(client: Client, database: Database, clock: ManualClock) -> None:
    with database.transaction() as session:
        dead = a_job(session, JobState.DEAD, attempts=8, error="=cmd|' /C calc'!A0")
        a_job(session, JobState.DONE, kind="matching.match", finished_at=PROMISED)
    operator = client("operator")
    page = text(operator, "/operator/jobs")
    assert "Carry out payments" in page
    assert "Match demand sheets to factories</" not in page.partition("<tbody>")[2]
    assert table(operator, "/operator/jobs.csv")[0]["Error"] == "'=cmd|' /C calc'!A0"
    answer = operator.post(f"/operator/jobs/{dead.id}/retry", headers=ENGLISH)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/operator/jobs?state=dead")
    page = text(operator, "/operator/jobs?state=dead")
    assert "“Carry out payments” is tried again." in page
    assert "No such job" in page
    with database.reading() as session:
        job = session.get_one(Job, dead.id)
        assert (job.state, job.attempts, job.due_at, job.error) == (JobState.READY, 0, clock.now(), None)


def test_only_a_job_that_gave_up_is_tried_again(client: Client, database: Database) -> None:
    with database.transaction() as session:
        jobs = [a_job(session, state).id for state in JobState if state is not JobState.DEAD]
    operator = client("operator")
    before = everything(database)
    assert {operator.post(f"/operator/jobs/{job_id}/retry").status_code for job_id in jobs} == {409}
    assert operator.post(f"/operator/jobs/{uuid4()}/retry").status_code == 404
    assert everything(database) == before


def test_late_orders_name_factory_days_and_compensation(client: Client, database: Database, clock: ManualClock) -> None:
    clock.set(PROMISED + timedelta(days=4, hours=1))
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [4, 6, 5])
        humen = an_order(session, sheet, {variant: 4})
        yiwu = an_order(session, sheet, {variant: 6}, deliver_by=PROMISED + timedelta(days=3))
        an_order(session, sheet, {variant: 5}, deliver_by=clock.now() + timedelta(hours=1))
        session.execute(
            sa.text("UPDATE factory SET belt = 'Yiwu' WHERE id = :id").bindparams(
                sa.bindparam("id", yiwu.factory_id, table_of(WorkOrder).c.factory_id.type)
            )
        )
        make(session, humen, 4)
        deliver(session, ship(session, humen, 2), now=PROMISED + timedelta(days=2))
    operator = client("operator")
    page = text(operator, "/operator/late")
    assert page.index(humen.number) < page.index(yiwu.number)
    assert "5 days late" in page
    assert "2 delivered" in page
    assert "2 work orders · 10 pieces · compensated so far: ¥4.00" in page
    page = text(operator, "/operator/late?sort=-due")
    assert page.index(yiwu.number) < page.index(humen.number)
    page = text(operator, "/operator/late?belt=Yiwu")
    assert yiwu.number in page
    assert humen.number not in page
    assert "Nothing is late in this belt" in text(operator, "/operator/late?belt=Atlantis")
    first, second = table(operator, "/operator/late.csv")
    assert (first["Work order"], first["Days late"], first["Compensation"]) == (humen.number, "5", "4.00")
    assert (second["Belt"], second["Days late"], second["Compensation"]) == ("Yiwu", "2", "0.00")


def test_match_runs_say_why_pieces_are_left(client: Client, database: Database, clock: ManualClock) -> None:
    with database.transaction() as session:
        _, _, _, sheet = a_sold_campaign(session, [4])
        run = {"factories": 3, "status": "optimal", "seconds": 0.2}
        left = [{"sheet_id": str(sheet.id), "quantity": 1234, "reason": "MOQ", "pieces_missing": 26}]
        session.add(MatchRun(started_at=clock.now(), sheets=2, offers_made=1, unserved=left, gap_ppm=1500, **run))
        session.add(MatchRun(started_at=clock.now() - timedelta(days=1), sheets=1, offers_made=7, **run))
    operator = client("operator")
    page = text(operator, "/operator/matching")
    assert "26 pieces are missing to the smallest order of any factory." in page
    assert '<b class="num">1,234 pieces</b>' in page
    assert "0.15%" in page
    assert "2 runs" in page
    assert "1 run</span>" in text(operator, "/operator/matching?left=1")
    [row] = table(operator, "/operator/matching.csv")
    assert (row["Sheet"], row["Pieces left"]) == (sheet.number, "1234")


def entries_shown(page: str) -> int:
    return page.count('<tr class="entry">')


@pytest.fixture
def posted(database: Database) -> dict[str, Any]:
    """Two campaigns with an order each; one order is delivered late and compensated."""
    with database.transaction() as session:
        campaign, variant, [pledge], sheet = a_sold_campaign(session, [4], title_en="Striped tote")
        a_sold_campaign(session, [3], title_en="Blue mug")
        order = an_order(session, sheet, {variant: 4})
        make(session, order, 4)
        deliver(session, ship(session, order), now=PROMISED + timedelta(days=2))
        return {"campaign": campaign, "pledge": pledge, "order": order}


def test_the_ledger_finds_what_an_order_a_campaign_or_a_name_is_about(client: Client, posted: dict[str, Any]) -> None:
    operator = client("operator")
    assert entries_shown(text(operator, "/operator/ledger")) == 4
    campaign, pledge, order = posted["campaign"], posted["pledge"], posted["order"]
    for words, found in (
        (pledge.id, 3),  # paid in, delivered, compensated
        (order.number, 2),
        (order.number.lower(), 2),
        (campaign.number, 2),  # both movements of its escrow
        ("striped", 2),
        ("Blue mug", 1),
        (pledge.buyer_id, 2),  # paid in, compensated
        ("delivery:", 1),
        (uuid4(), 0),
        ("100%", 0),
    ):
        assert entries_shown(text(operator, f"/operator/ledger?q={words}".replace("%", "%25"))) == found, words
    page = text(operator, f"/operator/ledger?q={order.number}")
    assert "Compensation for the delay" in page
    assert "Striped tote" in page
    assert "No entry found" in text(operator, f"/operator/ledger?q={uuid4()}")


def test_the_ledger_is_read_by_account_page_by_page_and_exported(
    client: Client, database: Database, posted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("c2m.pages.ledger.ENTRIES_SHOWN", 3)
    operator = client("operator")
    assert entries_shown(text(operator, "/operator/ledger?account=factory_payable")) == 2
    page = text(operator, "/operator/ledger")
    assert entries_shown(page) == 3
    with database.reading() as session:
        ids = session.exec(select(Entry.id).order_by(sa.desc(table_of(Entry).c.id))).all()
    assert f"/operator/ledger?before={ids[2]}" in page
    older = text(operator, f"/operator/ledger?before={ids[2]}")
    assert entries_shown(older) == 1
    assert "Older entries" not in older
    legs = table(operator, "/operator/ledger.csv?account=factory_payable")
    assert {leg["What for"] for leg in legs} == {"Delivery", "Compensation for the delay"}
    assert sum(float(leg["Debit"] or 0) for leg in legs) == sum(float(leg["Credit"] or 0) for leg in legs) == 416.0


def test_an_audit_is_asked_for_once_and_its_findings_are_told_in_plain_words(
    client: Client, database: Database, clock: ManualClock
) -> None:
    operator = client("operator")
    assert "Not audited yet" in text(operator, "/operator/audit")
    for _ in range(2):
        answer = operator.post("/operator/audit")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/operator/audit")
    with database.transaction() as session:
        [job] = session.exec(select(Job).where(Job.kind == AUDIT)).all()
        assert job.due_at == clock.now()
        broken = uuid4()
        finding = {"invariant": "I12", "sentence": "A lot isn't the sum of its parcels.", "ids": [str(broken)]}
        run = AuditRun(audited_at=clock.now(), seconds=1.2, findings=[finding | {"broken": 14}])
        session.add(run)
    page = text(operator, "/operator/audit")
    assert 'hx-trigger="every 3s"' in page
    assert "A lot isn&#39;t the sum of its parcels." in page or "A lot isn't the sum of its parcels." in page
    assert str(broken) in page
    assert "14 rows" in page
    assert page.count("Holds</span>") == 12
    assert page.count("Broken</span>") == 1
    chinese = operator.get("/operator/audit").get_data(as_text=True)
    assert "批次件数不等于各包裹之和。" in chinese
    assert "1 finding in the last audit" in text(operator, "/operator")


def test_a_run_is_read_as_a_plan_with_its_reasons(
    client: Callable[..., Visitor], database: Database, clock: ManualClock
) -> None:
    with database.transaction() as session:
        a_line(session, weekly_capacity=500, prices={1: 40_00})
        a_line(session, a_factory(session, belt="Yiwu"), weekly_capacity=500, prices={1: 45_50})
        a_line(session, weekly_capacity=500, minimum=150)
        an_open_sheet(session, 100, issued_at=clock.now(), required_date=clock.now() + timedelta(days=40))
    [offer] = match(database, clock.now())
    operator = client("operator")
    assert f"/operator/matching/{offer.run_id}" in text(operator, "/operator/matching")
    page = text(operator, f"/operator/matching/{offer.run_id}")
    assert "¥5.50 a piece more, setup included" in page
    assert "50 pieces are missing to its smallest order" in page
    assert "pieces at their price: " in page
    document = operator.get(f"/operator/matching/{offer.run_id}.json").json
    assert document
    assert document["offers"][0]["explanation"] == offer.explanation
    assert operator.get(f"/operator/matching/{offer.id}").status_code == 404
