"""A factory's pages: the inbox and its answers, capacity by weeks, profile and lines; refusals change nothing."""

import html
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select
from werkzeug.test import TestResponse

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.identity.models import Organisation, OrganisationState
from c2m.matching import queries
from c2m.matching.capacity import capacity_map
from c2m.matching.counters import record_effects, weigh_counters
from c2m.matching.models import (
    Capability,
    Claim,
    ClaimState,
    CounterOffer,
    Factory,
    Offer,
    OfferState,
    PriceBreak,
    Reservation,
)
from c2m.matching.offers import Answer, accept_offers
from c2m.matching.rules import PriceStep, Terms, monday
from c2m.production.work_orders import create_work_orders
from tests.builders import a_factory, a_line, an_open_sheet, verify
from tests.conftest import Person, Visitor
from tests.design.builders import a_file
from tests.matching.market import match, offers
from tests.web.test_access import everything

LINE = {
    "weekly_capacity": "400",
    "minimum": "20",
    "setup": "120.50",
    "lead_days": "4",
    "prices.0.from_quantity": "20",
    "prices.0.price": "58.00",
}


@pytest.fixture
def line(database: Database, people: dict[str, Person]) -> Capability:
    """The one line of `factory`: T-shirts at ¥60, 100 a week."""
    with database.transaction() as session:
        factory = a_factory_of(session, people["factory"])
        return a_line(session, factory, weekly_capacity=100)


def a_factory_of(session: Any, person: Person) -> Factory:
    """The profile of a person's factory."""
    factory = Factory(id=person.organisation_id, belt="Yiwu", region="Zhejiang")
    session.add(factory)
    session.flush()
    verify(session, factory)
    return factory


@pytest.fixture
def offer(database: Database, line: Capability, clock: ManualClock) -> Offer:
    """An open offer of 70 T-shirts in two colours to `factory`."""
    with database.transaction() as session:
        late = clock.now() + timedelta(days=40)
        colours = [("black", "M"), ("red", "L")]
        an_open_sheet(session, 70, variants=colours, issued_at=clock.now(), required_date=late)
    [found] = match(database, clock.now())
    return found


def test_the_inbox_shows_an_offer_with_what_it_earns_and_why(client: Callable[..., Visitor], offer: Offer) -> None:
    page = client("factory").get("/factory/inbox").get_data(as_text=True)
    assert "¥4,200.00" in page  # 3 % of it is the platform's
    assert page.count("¥4,074.00") == 2  # in the figures and on the button
    assert f"/factory/inbox/{offer.id}/answer" in page
    assert f"{offer.explanation['fit']['score']}" in page


def test_an_offer_that_comes_late_says_by_how_many_days(
    client: Callable[..., Visitor], database: Database, offer: Offer
) -> None:
    [date_part] = [part for part in offer.explanation["fit"]["parts"] if part["part"] == "date"]
    late = [part | {"spare": -3} if part == date_part else part for part in offer.explanation["fit"]["parts"]]
    with database.transaction() as session:
        why = offer.explanation | {"fit": offer.explanation["fit"] | {"parts": late}}
        session.merge(offer).explanation = why
    page = client("factory").get(f"/factory/inbox/{offer.id}", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "3 days late</span>" in page
    assert "days to spare" not in page


def test_a_sheet_is_given_as_csv_and_json(client: Callable[..., Visitor], offer: Offer) -> None:
    factory = client("factory")
    rows = factory.get(f"/factory/inbox/{offer.id}.csv").get_data(as_text=True).split()
    assert len(rows) == 3
    document = factory.get(f"/factory/inbox/{offer.id}.json").json
    assert document
    assert sum(piece["quantity"] for piece in document["pieces"]) == document["quantity"] == 70
    assert (document["total_minor"], document["fee_minor"], document["net_minor"]) == (4_200_00, 126_00, 4_074_00)
    assert sum(document["weeks"].values()) == 70
    why = document["why"]
    assert round(sum(part["points"] for part in why["fit"]["parts"])) == why["fit"]["score"]
    assert (bool(why["sentence"]), why["next_best"]) == (True, None)  # the next one's price is told after the answer


def test_the_whole_sheet_is_read_with_its_buyers_masked(client: Callable[..., Visitor], offer: Offer) -> None:
    factory = client("factory")
    page = factory.get(f"/factory/inbox/{offer.id}/sheet?size=M").get_data(as_text=True)
    assert "A buyer house" not in page
    assert "A**" not in page
    assert "¥100.00" not in page  # what buyers pay
    document = factory.get(f"/factory/inbox/{offer.id}/sheet.json").json
    assert document
    assert (document["quantity"], document["unit_price_minor"]) == (70, None)
    assert client("factory2").get(f"/factory/inbox/{offer.id}/sheet.json").status_code == 404


@pytest.mark.parametrize("path", ["", ".csv", ".json", "/sheet"])
def test_another_factorys_offer_is_not_found(client: Callable[..., Visitor], offer: Offer, path: str) -> None:
    assert client("factory2").get(f"/factory/inbox/{offer.id}{path}").status_code == 404


def test_another_factory_cannot_answer(client: Callable[..., Visitor], database: Database, offer: Offer) -> None:
    stranger = client("factory2")
    before = everything(database)
    assert stranger.post(f"/factory/inbox/{offer.id}/answer", data={"answer": "accept"}).status_code == 404
    assert everything(database) == before


@pytest.mark.parametrize("form", [{}, {"answer": "perhaps"}, {"answer": "decline", "reason": "x" * 301}])
def test_an_answer_that_is_none_is_refused_beside_the_buttons(
    client: Callable[..., Visitor], database: Database, offer: Offer, form: dict[str, str]
) -> None:
    factory = client("factory")
    before = everything(database)
    answer = factory.post(f"/factory/inbox/{offer.id}/answer", data=form)
    assert answer.status_code == 422
    assert 'id="answer-error"' in answer.get_data(as_text=True)
    assert everything(database) == before


def test_an_offer_is_answered_once(client: Callable[..., Visitor], database: Database, offer: Offer) -> None:
    factory = client("factory")
    address = f"/factory/inbox/{offer.id}/answer"
    assert factory.post(address, data={"answer": "accept"}).location == "/factory/work-orders"
    before = everything(database)
    for again in ("accept", "decline"):
        refused = factory.post(address, data={"answer": again}, headers={"Accept-Language": "en"})
        assert refused.status_code == 409
        assert "already been answered" in refused.get_data(as_text=True)
    assert everything(database) == before
    [found] = offers(database)
    assert (found.state, found.answered_by) == (OfferState.ACCEPTED, factory.person and factory.person.user_id)


def test_an_offer_is_taken_in_part(client: Callable[..., Visitor], database: Database, offer: Offer) -> None:
    factory = client("factory")
    address = f"/factory/inbox/{offer.id}/answer"
    for pieces, sentence in (("", "Take between one"), ("0", "at least 1"), ("71", "Take between one piece and all")):
        form = {"answer": "part", "pieces": pieces}
        refused = factory.post(address, data=form, headers={"Accept-Language": "en"})
        assert refused.status_code == 422
        assert sentence in refused.get_data(as_text=True)
    assert factory.post(address, data={"answer": "part", "pieces": "40"}).location == "/factory/work-orders"
    [found] = offers(database)
    assert (found.state, found.quantity, found.untaken) == (OfferState.ACCEPTED, 40, 30)


def countered(client: Callable[..., Visitor], offer: Offer, **terms: str) -> TestResponse:
    """The answer to a counter-offer of the offer's own terms but for those named."""
    day = (offer.deliver_by + timedelta(hours=8)).date().isoformat()
    form = {"quantity": "70", "unit_price": "60.00", "deliver_by": day, "note": "Yarn went up 纱线涨价"} | terms
    return client("factory").post(f"/factory/inbox/{offer.id}/counter", data=form, headers={"Accept-Language": "en"})


def test_a_counter_is_made_weighed_and_decided(
    client: Callable[..., Visitor], database: Database, offer: Offer, clock: ManualClock
) -> None:
    assert countered(client, offer, unit_price="85.50").location == f"/factory/inbox/{offer.id}"
    [found] = offers(database)
    assert found.state is OfferState.COUNTERED
    english = {"Accept-Language": "en"}
    asked = client("factory").get(f"/factory/inbox/{offer.id}", headers=english).get_data(as_text=True)
    assert "You asked for 70 pieces at ¥85.50 a piece" in asked
    with database.reading() as session:
        counter_id = session.exec(select(CounterOffer.id)).one()
    operator = client("operator")
    address = f"/operator/counters/{counter_id}"
    assert address in operator.get("/operator/offers?show=countered").get_data(as_text=True)
    assert "Being worked out" in operator.get(address, headers=english).get_data(as_text=True)
    with database.transaction() as session:
        record_effects(session, weigh_counters(session, [counter_id], clock.now()), clock.now())
    page = operator.get(address, headers=english).get_data(as_text=True)
    assert "If agreed" in page
    assert "¥5,985.00" in page  # 70 at ¥85.50
    assert "¥6,009.50" in page  # with a factory's risk of coming late, ¥0.35 a piece
    assert "¥1,785.00</span>" in page  # it takes the offer as it stands, at ¥60
    assert "¥409.50</span>" in page  # nobody else makes them: 70 pieces left at their target cost of ¥80
    assert operator.post(f"{address}/decide", data={"decision": "agree"}).status_code == 303
    [found] = offers(database)
    assert (found.state, found.total_minor, found.deliver_by) == (OfferState.ACCEPTED, 5_985_00, offer.deliver_by)
    assert operator.post(f"{address}/decide", data={"decision": "refuse"}).status_code == 409
    assert "Decided" in operator.get(address, headers=english).get_data(as_text=True)


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({}, "These are the terms you were offered"),
        ({"quantity": "71"}, "no more than were offered"),
        ({"unit_price": "0"}, "price must be positive"),
        ({"unit_price": "cheap"}, "amount"),
        ({"deliver_by": "2026-11-01"}, "The day lies ahead"),
        ({"deliver_by": "2026-11-25"}, "name a later one"),
    ],
)
def test_a_counter_that_is_none_is_refused_beside_its_fields(
    client: Callable[..., Visitor], database: Database, offer: Offer, terms: dict[str, str], sentence: str
) -> None:
    client("factory")
    before = everything(database)
    answer = countered(client, offer, **terms)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert {k: v for k, v in everything(database).items() if k != "sign_in"} == {
        k: v for k, v in before.items() if k != "sign_in"
    }


def test_a_declined_offer_keeps_its_reason(client: Callable[..., Visitor], database: Database, offer: Offer) -> None:
    factory = client("factory")
    form = {"answer": "decline", "reason": "  The dye house is shut "}
    assert factory.post(f"/factory/inbox/{offer.id}/answer", data=form).location == "/factory/inbox"
    [found] = offers(database)
    assert (found.state, found.reason) == (OfferState.DECLINED, "The dye house is shut")
    assert "The dye house is shut" in factory.get("/factory/inbox?show=declined").get_data(as_text=True)


def test_an_offer_that_ran_out_takes_no_answer(
    client: Callable[..., Visitor], database: Database, offer: Offer, clock: ManualClock
) -> None:
    factory = client("factory")
    clock.advance(timedelta(hours=48))
    before = everything(database)
    assert factory.post(f"/factory/inbox/{offer.id}/answer", data={"answer": "accept"}).status_code == 409
    assert everything(database) == before
    assert f"/factory/inbox/{offer.id}/answer" not in factory.get("/factory/inbox").get_data(as_text=True)


def test_an_unverified_factory_is_told_why_nothing_comes(
    client: Callable[..., Visitor], database: Database, people: dict[str, Person]
) -> None:
    with database.transaction() as session:
        organisation = session.get_one(Organisation, people["factory"].organisation_id)
        organisation.state = OrganisationState.PENDING
        session.add(organisation)
    page = client("factory").get("/factory/inbox", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "has not verified you yet" in page


# Capacity


def week_capacity(database: Database, line: Capability, clock: ManualClock) -> int:
    """The line's capacity in the present week."""
    with database.reading() as session:
        [row] = capacity_map(session, line.factory_id, [monday(clock.now().date())])
        return row.cells[0].capacity


def test_a_week_is_changed(
    client: Callable[..., Visitor], database: Database, line: Capability, clock: ManualClock
) -> None:
    form = {"capability": str(line.id), "week": monday(clock.now().date()).isoformat(), "capacity": "0"}
    factory = client("factory")
    assert factory.post("/factory/capacity", data=form).location == "/factory/capacity"
    assert week_capacity(database, line, clock) == 0


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"capacity": "-1"}, "at least 0"),
        ({"capacity": "many"}, "whole number"),
        ({"week": "2026-11-02"}, "not yet over"),
        ({"week": "9999-12-27"}, "more than two years ahead"),
        ({"week": "soon"}, "a day such as 2026-12-05"),
        ({"capability": "mine"}, "one of the options"),
    ],
)
def test_a_week_that_makes_no_sense_is_refused(
    client: Callable[..., Visitor],
    database: Database,
    line: Capability,
    clock: ManualClock,
    entered: dict[str, str],
    sentence: str,
) -> None:
    factory = client("factory")
    form = {"capability": str(line.id), "week": monday(clock.now().date()).isoformat(), "capacity": "50"}
    before = everything(database)
    answer = factory.post("/factory/capacity", data=form | entered, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert everything(database) == before


def test_shifts_overtime_and_an_idle_week_are_set_on_the_lines_page(
    client: Callable[..., Visitor], database: Database, line: Capability, clock: ManualClock
) -> None:
    factory, address = client("factory"), f"/factory/capacity/{line.id}"
    shifts = {"unit": "minute", "load": "127", "per": "10", "days": "5", "shifts": "2", "units": "480"}
    assert factory.post(f"{address}/shifts", data=shifts).location == address
    assert factory.post(f"{address}/overtime", data={"units": "800", "premium": "30"}).location == address
    running = monday(clock.now().date())
    begun = {"week": running.isoformat(), "pieces": "100", "discount": "12.5"}
    assert factory.post(f"{address}/idle", data=begun).status_code == 422
    coming = (running + timedelta(weeks=2)).isoformat()
    idle = {"week": coming, "pieces": "100", "discount": "12.5"}
    assert factory.post(f"{address}/idle", data=idle).location == address
    page = factory.get(address).get_data(as_text=True)
    calendar = factory.get("/factory/capacity", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert calendar.count('<span class="mute small">idle weeks</span>') == 1
    assert factory.post(f"{address}/idle", data=idle | {"pieces": "0"}).location == address
    emptied = factory.get("/factory/capacity", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert '<span class="mute small">idle weeks</span>' not in emptied
    assert factory.post(f"{address}/idle", data=idle).location == address
    assert 'value="127"' in page
    assert 'value="12.5"' in page
    with database.reading() as session:
        rows = capacity_map(session, line.factory_id, [running + timedelta(weeks=2)])
    assert [row.cells[0].capacity for row in rows] == [377 - 100, 62, 100]  # 4,800 minutes and 800 at 12.7
    offered = client("merchandiser").get("/studio/idle-weeks", headers={"Accept-Language": "en"})
    assert "12.5%" in offered.get_data(as_text=True)
    [begin] = re.findall(r'href="(/studio/campaigns/new\?[^"]+)"', offered.get_data(as_text=True))
    draft = client("merchandiser").get(html.unescape(begin)).get_data(as_text=True)
    assert f'<option value="{line.category}" selected' in draft
    assert f'value="{line.minimum}"' in draft


@pytest.mark.parametrize(
    ("form", "entered"),
    [
        ("shifts", {"unit": "piece", "load": "2", "per": "1", "days": "5", "shifts": "1", "units": "10"}),
        ("shifts", {"unit": "hour"}),
        ("overtime", {"units": "101", "premium": "30"}),
        ("overtime", {"units": "10", "premium": "300"}),
        ("idle", {"week": "2026-12-07", "pieces": "101", "discount": "10"}),
        ("idle", {"week": "2026-12-07", "pieces": "10", "discount": "80"}),
        ("idle", {"week": "9999-12-27", "pieces": "10", "discount": "10"}),
    ],
)
def test_hours_that_make_no_sense_are_refused_beside_their_fields(
    client: Callable[..., Visitor], database: Database, line: Capability, form: str, entered: dict[str, str]
) -> None:
    factory = client("factory")
    before = everything(database)
    answer = factory.post(f"/factory/capacity/{line.id}/{form}", data=entered)
    assert answer.status_code == 422
    assert 'class="error"' in answer.get_data(as_text=True)
    assert everything(database) == before


def test_pieces_are_kept_for_an_own_order_and_given_back(
    client: Callable[..., Visitor], database: Database, line: Capability
) -> None:
    factory, address = client("factory"), f"/factory/capacity/{line.id}/2026-12-07"
    assert factory.post(f"{address}/keep", data={"quantity": "101"}).status_code == 422
    assert factory.post(f"{address}/keep", data={"quantity": "40", "note": "A regular"}).location == address
    page = factory.get(address).get_data(as_text=True)
    assert "A regular" in page
    with database.reading() as session:
        kept = session.exec(select(Reservation.id)).one()
    assert client("factory2").post(f"/factory/capacity/kept/{kept}/give-up").status_code == 404
    assert factory.post(f"/factory/capacity/kept/{kept}/give-up").status_code == 303
    assert factory.get("/factory/capacity/" + str(line.id) + "/soon").status_code == 404


def sent(factory: Visitor, content: bytes) -> TestResponse:
    data = {"file": (io.BytesIO(content), "weeks.csv")}
    english = {"Accept-Language": "en"}
    return factory.post("/factory/capacity/file", data=data, headers=english, content_type="multipart/form-data")


def test_weeks_come_back_by_file_as_they_were_taken_away(
    client: Callable[..., Visitor], database: Database, line: Capability, clock: ManualClock
) -> None:
    factory = client("factory")
    taken = factory.get("/factory/capacity.csv").get_data()
    changed = taken.replace(b"tshirt,sewing,regular,2026-12-07,piece,100", b"tshirt,sewing,regular,2026-12-07,piece,70")
    assert changed != taken
    assert sent(factory, changed).location == "/factory/capacity"
    with database.reading() as session:
        [row] = capacity_map(session, line.factory_id, [date(2026, 12, 7), date(2026, 12, 14)])
    assert [cell.capacity for cell in row.cells] == [70, 100]


def test_weeks_that_come_back_unchanged_go_on_following_the_line(
    client: Callable[..., Visitor], database: Database, line: Capability
) -> None:
    factory = client("factory")
    taken_away = factory.get("/factory/capacity.csv").data
    before = everything(database)
    assert sent(factory, taken_away).status_code == 303
    assert everything(database) == before
    shifts = {"unit": "job", "load": "1", "per": "40", "days": "5", "shifts": "2", "units": "1"}
    assert factory.post(f"/factory/capacity/{line.id}/shifts", data=shifts).status_code == 303
    with database.reading() as session:
        [row] = capacity_map(session, line.factory_id, [date(2026, 12, 7)])
    assert row.cells[0].capacity == 400  # ten jobs of forty


def test_a_file_as_excel_writes_it_is_read(
    client: Callable[..., Visitor], database: Database, line: Capability
) -> None:
    factory = client("factory")
    assert sent(factory, b"category;process;week;capacity\r\ntshirt;sewing;2026/12/7;55\r\n").status_code == 303
    with database.reading() as session:
        [row] = capacity_map(session, line.factory_id, [date(2026, 12, 7)])
    assert row.cells[0].capacity == 55
    for empty in (b"category,process,week,capacity\n", b"category,process,week,capacity,colour\na,b,c,1,red\n"):
        assert sent(factory, empty).status_code == 422


def test_each_bad_row_of_a_file_is_named_and_nothing_is_changed(
    client: Callable[..., Visitor], database: Database, line: Capability, offer: Offer
) -> None:
    with database.reading() as session:
        [booking, *_] = queries.offer_detail(session, offer.id, factory_id=offer.factory_id).weeks
    rows = [
        "category,process,week,unit,capacity",
        "tshirt,sewing,2026-12-21,piece,50",
        "dress,sewing,2026-12-21,piece,50",
        "tshirt,sewing,2026-11-02,piece,50",
        "tshirt,sewing,soon,piece,50",
        "tshirt,sewing,2026-12-28,minute,50",
        "tshirt,sewing,2026-12-28,piece,many",
        "tshirt,sewing,2026-12-23,,60",
        "tshirt,sewing,2099-12-23,,60",
    ]
    factory = client("factory")
    before = everything(database)
    answer = sent(factory, "\n".join(rows).encode("gb18030"))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for sentence in (
        "You have no line for this category",
        "This week is over",
        "Write the week as a day in it",
        "counts in another unit: piece",
        "whole number, 0 or more",
        "in row 2",
        "more than two years ahead",
    ):
        assert sentence in page
    booked = f"category,process,week,unit,capacity\ntshirt,sewing,{booking.week},piece,{booking.quantity - 1}\n"
    assert f"{booking.quantity} pieces are booked" in sent(factory, booked.encode()).get_data(as_text=True)
    assert "must name the columns" in sent(factory, b"a,b\n1,2\n").get_data(as_text=True)
    assert sent(factory, b"\xff\xfe\xff").status_code == 422
    assert everything(database) == before


def test_a_week_keeps_room_for_what_is_held(
    client: Callable[..., Visitor], database: Database, offer: Offer, line: Capability
) -> None:
    with database.reading() as session:
        [booking, *_] = queries.offer_detail(session, offer.id, factory_id=offer.factory_id).weeks
    factory = client("factory")
    before = everything(database)
    form = {"capability": str(line.id), "week": booking.week.isoformat(), "capacity": str(booking.quantity - 1)}
    answer = factory.post("/factory/capacity", data=form, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert f"{booking.quantity} pieces are booked or held" in answer.get_data(as_text=True)
    assert everything(database) == before


def test_a_weeks_page_names_its_public_holiday(client: Callable[..., Visitor], line: Capability) -> None:
    factory, english = client("factory"), {"Accept-Language": "en"}
    of_new_year = factory.get(f"/factory/capacity/{line.id}/2026-12-28", headers=english).get_data(as_text=True)
    ordinary = factory.get(f"/factory/capacity/{line.id}/2026-12-21", headers=english).get_data(as_text=True)
    assert "public holiday: New Year" in of_new_year
    assert "public holiday" not in ordinary


@pytest.mark.parametrize("week", ["9999-12-27", "2028-12-04", "soon", "2026-13-01"])
def test_a_week_nobody_plans_yet_is_not_found(client: Callable[..., Visitor], line: Capability, week: str) -> None:
    factory = client("factory")
    assert factory.get(f"/factory/capacity/{line.id}/{week}").status_code == 404
    assert factory.post(f"/factory/capacity/{line.id}/{week}/follow").status_code == 404


def test_another_factorys_weeks_are_not_found(
    client: Callable[..., Visitor], database: Database, line: Capability, clock: ManualClock
) -> None:
    stranger = client("factory2")
    before = everything(database)
    form = {"capability": str(line.id), "week": monday(clock.now().date()).isoformat(), "capacity": "50"}
    assert stranger.post("/factory/capacity", data=form).status_code == 404
    assert everything(database) == before


def test_work_left_over_from_weeks_gone_by_is_said_beside_the_capacity(
    client: Callable[..., Visitor], database: Database, clock: ManualClock, offer: Offer
) -> None:
    factory = client("factory")
    with database.transaction() as session:
        accept_offers(session, [Answer(offer.id, offer.factory_id)], now=clock.now())
        create_work_orders(session, [offer.id], now=clock.now())
    said = "70 pieces of weeks gone by are not finished yet."
    english = {"Accept-Language": "en"}
    assert said not in factory.get("/factory/capacity", headers=english).get_data(as_text=True)
    clock.advance(timedelta(days=28))
    later = client("factory")
    assert said in later.get("/factory/capacity", headers=english).get_data(as_text=True)


# Profile and lines


def terms_of(database: Database, capability_id: UUID) -> Terms:
    """A line's terms as they are stored."""
    with database.reading() as session:
        line = session.get_one(Capability, capability_id)
        steps = queries.price_steps(session, [capability_id])[capability_id]
        return Terms(line.weekly_capacity, line.minimum, line.setup_minor, line.lead_days, steps)


def entries_of(page: str, capability_id: UUID) -> dict[str, str]:
    """What stands in the fields of a line's form."""
    start = page.index(f"/factory/profile/lines/{capability_id}")
    inputs = page[start : page.index("</form>", start)].split("<input")[1:]
    found = {}
    for field in inputs:
        name, value = (field.partition(f'{attribute}="')[2].partition('"')[0] for attribute in ("name", "value"))
        if name != "csrf_token":
            found[name] = value
    return found


def test_a_new_factory_describes_itself_and_adds_a_line(
    client: Callable[..., Visitor], database: Database, people: dict[str, Person]
) -> None:
    factory = client("factory")
    profile = {"belt": "Yiwu", "region": "Zhejiang", "about": "Bags and shirts"}
    assert factory.post("/factory/profile", data=profile).location == "/factory/profile"
    assert factory.post("/factory/profile", data=profile | {"about": "Bags"}).location == "/factory/profile"
    assert factory.post("/factory/profile/lines", data=LINE | {"category": "tshirt"}).status_code == 303
    with database.reading() as session:
        assert session.get_one(Factory, people["factory"].organisation_id).about == "Bags"
        [found] = queries.capabilities(session, people["factory"].organisation_id)
    assert found.process == "sewing"
    assert terms_of(database, found.id) == Terms(400, 20, 120_50, 4, (PriceStep(20, 58_00),))


def test_a_factory_without_a_profile_has_no_lines(client: Callable[..., Visitor], database: Database) -> None:
    factory = client("factory")
    before = everything(database)
    assert factory.post("/factory/profile/lines", data=LINE | {"category": "tshirt"}).status_code == 404
    assert everything(database) == before


@pytest.mark.parametrize("entered", [{"belt": ""}, {"region": "x" * 61}, {"about": "x" * 501}, {"state": "active"}])
def test_a_profile_that_says_too_little_or_too_much_is_refused(
    client: Callable[..., Visitor], database: Database, line: Capability, entered: dict[str, str]
) -> None:
    factory = client("factory")
    before = everything(database)
    form = {"belt": "Yiwu", "region": "Zhejiang"} | entered
    assert factory.post("/factory/profile", data=form).status_code == 422
    assert everything(database) == before


BAD_TERMS = [
    ({"minimum": "0"}, "at least 1"),
    ({"lead_days": "366"}, "at most 365"),
    ({"setup": "-1"}, "amount"),
    ({"prices.0.from_quantity": "", "prices.0.price": ""}, "At least one price"),
    ({"prices.0.price": ""}, "either an amount or a share"),
    ({"prices.0.share": "80"}, "either an amount or a share"),
    ({"prices.0.from_quantity": ""}, "fill this in"),
    ({"prices.0.price": "", "prices.0.share": "lots"}, "percentage"),
    ({"prices.0.price": "", "prices.0.share": "0"}, "must be positive"),
    ({"prices.1.from_quantity": "20", "prices.1.price": "50"}, "more pieces than the one before"),
    ({"prices.1.from_quantity": "10", "prices.1.price": "50"}, "more pieces than the one before"),
    ({"prices.99.from_quantity": "10", "prices.99.price": "50"}, "One thing needs mending"),
]


@pytest.mark.parametrize(("entered", "sentence"), BAD_TERMS)
def test_terms_that_make_no_sense_are_refused(
    client: Callable[..., Visitor], database: Database, line: Capability, entered: dict[str, str], sentence: str
) -> None:
    factory = client("factory")
    before = everything(database)
    for address, form in (
        (f"/factory/profile/lines/{line.id}", LINE | entered),
        ("/factory/profile/lines", LINE | entered | {"category": "dress"}),
    ):
        answer = factory.post(address, data=form, headers={"Accept-Language": "en"})
        assert answer.status_code == 422
        assert sentence in answer.get_data(as_text=True)
    assert everything(database) == before


@pytest.mark.parametrize(
    ("category", "sentence"), [("coat", "already has a line"), ("spaceship", "There is no category")]
)
def test_a_line_is_of_one_known_category(
    client: Callable[..., Visitor], database: Database, line: Capability, category: str, sentence: str
) -> None:
    with database.transaction() as session:
        a_line(session, session.get_one(Factory, line.factory_id), category="coat")
    factory = client("factory")
    before = everything(database)
    form = LINE | {"category": category}
    answer = factory.post("/factory/profile/lines", data=form, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert everything(database) == before


def test_another_factorys_line_is_not_found(
    client: Callable[..., Visitor], database: Database, line: Capability
) -> None:
    stranger = client("factory2")
    before = everything(database)
    assert stranger.post(f"/factory/profile/lines/{line.id}", data=LINE).status_code == 404
    assert everything(database) == before


def test_sending_a_line_as_it_stands_changes_only_what_was_edited(
    client: Callable[..., Visitor], database: Database, people: dict[str, Person]
) -> None:
    """Shares of the target cost and steps beyond the usual four survive a change of the other terms."""
    with database.transaction() as session:
        factory = a_factory_of(session, people["factory"])
        line = a_line(session, factory, prices={1: 60_00, 50: 55_50, 100: 50_00, 200: 48_05})
        session.add(PriceBreak(capability_id=line.id, from_quantity=500, target_ppm=823_450))
    before = terms_of(database, line.id)
    visitor = client("factory")
    form = entries_of(visitor.get("/factory/profile").get_data(as_text=True), line.id)
    assert form["prices.4.share"] == "82.345"
    assert visitor.post(f"/factory/profile/lines/{line.id}", data=form | {"lead_days": "9"}).status_code == 303
    after = terms_of(database, line.id)
    assert after.steps == before.steps
    assert after == Terms(before.weekly_capacity, before.minimum, before.setup_minor, 9, before.steps)


def test_changing_terms_leaves_open_offers_as_they_are(
    client: Callable[..., Visitor], database: Database, offer: Offer, line: Capability
) -> None:
    assert client("factory").post(f"/factory/profile/lines/{line.id}", data=LINE).status_code == 303
    [found] = offers(database)
    assert (found.unit_price_minor, found.total_minor) == (offer.unit_price_minor, offer.total_minor)
    with database.reading() as session:
        [price] = session.exec(select(PriceBreak.unit_price_minor).where(PriceBreak.capability_id == line.id)).all()
    assert price == 58_00


def test_other_factories_lines_are_not_shown(
    client: Callable[..., Visitor], database: Database, line: Capability
) -> None:
    with database.transaction() as session:
        other = a_line(session, a_factory(session), category="dress")
    factory = client("factory")
    for path in ("/factory/profile", "/factory/capacity"):
        page = factory.get(path).get_data(as_text=True)
        assert str(line.id) in page
        assert str(other.id) not in page


# Vetting


def test_a_claim_is_sent_in_and_checked_with_evidence(
    client: Callable[..., Visitor], database: Database, line: Capability, clock: ManualClock
) -> None:
    factory, operator, english = client("factory"), client("operator"), {"Accept-Language": "en"}
    claim = {"kind": "machines", "title": "40 lockstitch machines 四十台平缝机", "reference": "M-1"}
    assert factory.post("/factory/verification", data=claim).location == "/factory/verification"
    assert factory.post("/factory/verification", data=claim | {"kind": "luck"}).status_code == 422
    with database.reading() as session:
        claim_id = session.exec(select(Claim.id).where(Claim.state == ClaimState.OPEN)).one()
    address = f"/operator/vetting/claims/{claim_id}"
    assert address in operator.get("/operator/vetting").get_data(as_text=True)
    assert operator.post(address, data={"finding": "verify", "evidence": ""}).status_code == 422
    past = {"finding": "verify", "evidence": "Counted on site", "until": "2026-11-01"}
    assert "lies in the past" in operator.post(address, data=past, headers=english).get_data(as_text=True)
    assert operator.post(address, data=past | {"until": "2027-11-01"}).location == "/operator/vetting"
    assert operator.post(address, data=past | {"until": "2027-11-01"}).status_code == 409
    page = factory.get("/factory/verification", headers=english).get_data(as_text=True)
    assert "Counted on site" in page
    assert "Missing to be vetted: Certificate, Sample work" in page
    assert factory.post("/factory/verification", data=claim).status_code == 422  # it holds already
    assert address in operator.get("/operator/vetting/claims?state=verified").get_data(as_text=True)
    assert operator.post(f"{address}/revoke", data={"reason": ""}).status_code == 422
    assert operator.post(f"{address}/revoke", data={"reason": "Sold"}).location == address
    history = operator.get(address, headers=english).get_data(as_text=True)
    assert [word in history for word in ("Revoked", "Sold", "Counted on site")] == [True] * 3
    assert "Sold" in factory.get("/factory/verification", headers=english).get_data(as_text=True)


def test_a_photograph_comes_with_a_claim_and_only_operators_see_it(
    client: Callable[..., Visitor], database: Database, line: Capability
) -> None:
    factory, operator = client("factory"), client("operator")
    claim = {"kind": "sample_work", "title": "Twenty cups 二十只杯子"}
    broken = claim | {"picture": (io.BytesIO(b"<svg onload=alert(1)>"), "cups.png")}
    refused = factory.post("/factory/verification", data=broken, content_type="multipart/form-data")
    assert refused.status_code == 422
    sent = claim | {"picture": (io.BytesIO(a_file()), "cups.png")}
    assert factory.post("/factory/verification", data=sent, content_type="multipart/form-data").status_code == 303
    with database.reading() as session:
        picture_id = session.exec(select(Claim.picture_id).where(Claim.state == ClaimState.OPEN)).one()
    address = f"/pictures/{picture_id}"
    assert address in operator.get("/operator/vetting").get_data(as_text=True)
    assert address in factory.get("/factory/verification").get_data(as_text=True)
    statuses = [client(who).get(address).status_code for who in ("operator", "factory", "merchandiser", "buyer")]
    assert statuses == [200, 200, 404, 404]


def test_the_share_for_new_factories_is_set_and_shown(client: Callable[..., Visitor]) -> None:
    operator, english = client("operator"), {"Accept-Language": "en"}
    assert operator.post("/operator/vetting/terms", data={"share": "51", "orders": "1"}).status_code == 422
    assert operator.post("/operator/vetting/terms", data={"share": "7.5", "orders": "2"}).status_code == 303
    assert "7.5 %" in operator.get("/operator/vetting", headers=english).get_data(as_text=True)
