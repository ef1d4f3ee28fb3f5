"""Free exits: buyers leave what came out differently, once and for all their money, before the rest is made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.audit import run
from c2m.db import Database, table_of, uuid7
from c2m.demand.models import DemandSheet, Pledge, PledgeState
from c2m.design.models import Picture
from c2m.identity.models import User
from c2m.ledger.models import AccountKind, Transfer
from c2m.notices.models import Notice, NoticeKind
from c2m.production.accounts import mismatches
from c2m.production.exits import (
    ExitOver,
    Exits,
    NothingToLeave,
    OrderGone,
    WayOut,
    end_exit_windows,
    exits_of,
    leave_free,
    open_window,
    way_out,
    ways_out,
)
from c2m.production.first_articles import judge_first_article, send_first_article
from c2m.production.floor import FirstArticleDue, ReportRequest, report_step
from c2m.production.models import FirstArticle, Milestone, WorkOrder, WorkOrderState
from c2m.production.queries import work_order
from c2m.production.settlement import settle_work_orders
from c2m.production.telling import tell_ended, tell_judged
from tests.builders import MORNING
from tests.design.builders import a_concept
from tests.production.market import (
    PROMISED,
    a_sold_campaign,
    an_order,
    balances,
    deliver,
    everything,
    pay_everything,
    ship,
)

JUDGED = MORNING + timedelta(minutes=7)
UNTIL = datetime(2026, 11, 4, 14, 0, tzinfo=UTC)  # 48 hours later, and on to ten in the evening in Shanghai
HOUR = timedelta(hours=1)


def a_concept_sold(
    session: Session, pledged: list[int], *orders: int, **offer: object
) -> tuple[list[WorkOrder], list[Pledge]]:
    """What was a concept, sold to one pledge for each quantity and given to factories in these parts."""
    concept, [shown, _] = a_concept(session)
    payments = [[30_00 * quantity, 70_00 * quantity] for quantity in pledged]
    campaign, variant, pledges, sheet = a_sold_campaign(session, pledged, payments=payments, concept_id=concept.id)
    for pledge in pledges:
        pledge.balance_minor = 70_00 * pledge.quantity
        session.add(pledge)
    made = [an_order(session, sheet, {variant: pieces}, **offer) for pieces in orders or [sum(pledged)]]
    campaign.picture_id = shown.picture_id
    campaign.pledged_quantity = campaign.final_quantity = sum(pledged)
    sheet.served_at = MORNING
    session.add_all([campaign, sheet])
    session.flush()
    return made, pledges


def judged(
    session: Session, order: WorkOrder, *, note: str = "", words: str = "", differs: bool = False
) -> FirstArticle:
    """The order's first piece, accepted."""
    concept, [shown, _] = a_concept(session)
    who = {"email": f"{uuid7()}@c2m.example", "name": "Lin", "password_hash": "", "registered_at": MORNING}
    judge = User(organisation_id=concept.organisation_id, **who)
    session.add(judge)
    session.flush()
    picture = session.get_one(Picture, shown.picture_id)
    article = send_first_article(session, order, picture, note=note, now=MORNING)
    judge_first_article(session, article, accepts=True, words=words, differs=differs, judged_by=judge.id, now=JUDGED)
    return article


def bulk(session: Session, order: WorkOrder, *, now: datetime = JUDGED) -> UUID:
    """Two pieces through the step after the material."""
    return report_step(session, ReportRequest(order.id, 1, 2, 0, str(uuid7())), now=now)


def state(session: Session, pledge: Pledge) -> tuple[PledgeState, int]:
    seen = session.get_one(Pledge, pledge.id, populate_existing=True)
    return seen.state, seen.released_quantity


def given_back(session: Session, pledge: Pledge) -> int:
    """What is on its way back to a pledge's buyer."""
    back = select(Transfer.amount_minor).where(Transfer.subject_id == pledge.id, Transfer.direction == "refund")
    return sum(session.exec(back))


def test_as_pictured_opens_no_window_and_a_deviation_does(database: Database) -> None:
    with database.transaction() as session:
        [plain], _ = a_concept_sold(session, [4])
        [dark], _ = a_concept_sold(session, [4])
        assert judged(session, plain).leave_until is None
        assert judged(session, dark, words="Darker than shown", differs=True).leave_until == UNTIL
        for order in (plain, dark):
            report_step(session, ReportRequest(order.id, 0, 4, 0, "material"), now=JUDGED)
        bulk(session, plain)
        before = everything(session)
        with pytest.raises(FirstArticleDue):
            bulk(session, dark)
        assert everything(session) == before


def test_what_the_factory_says_differs_cannot_be_accepted_silently(database: Database) -> None:
    with database.transaction() as session:
        [order], pledges = a_concept_sold(session, [4])
        article = judged(session, order, note="The handle is 1 cm shorter")
        assert open_window(session, pledges[0].campaign_id, now=JUDGED) == UNTIL
        tell_judged(session, [article.id], JUDGED)
        told = session.exec(select(Notice).order_by(col(Notice.kind))).all()
        assert [(n.kind, n.facts["reason"]) for n in told] == [
            (NoticeKind.FIRST_ARTICLE_DIFFERS, "The handle is 1 cm shorter"),
            (NoticeKind.FIRST_PIECE_DIFFERS, "The handle is 1 cm shorter"),
        ]
        assert told[1].organisation_id == pledges[0].buyer_id


def test_who_leaves_gets_deposit_and_balance_back_once_and_fewer_are_made(database: Database) -> None:
    with database.transaction() as session:
        [order], [stays, leaves] = a_concept_sold(session, [6, 4], setup_minor=50_00, total_minor=650_00)
        report_step(session, ReportRequest(order.id, 0, 10, 0, "material"), now=MORNING)
        article = judged(session, order, note="Darker")
        assert leave_free(session, leaves, now=UNTIL - timedelta(seconds=1)) == 4
        assert state(session, leaves) == (PledgeState.REFUNDED, 4)
        assert given_back(session, leaves) == 400_00
        before = everything(session)
        with pytest.raises(OrderGone):
            leave_free(session, leaves, now=UNTIL - timedelta(seconds=1))
        assert everything(session) == before
        seen = work_order(session, order.id)
        assert (seen.quantity, seen.left_quantity, seen.total_minor) == (6, 4, 410_00)
        assert session.get_one(DemandSheet, order.sheet_id, populate_existing=True).version == 2
        assert exits_of(session, [leaves.campaign_id]) == {leaves.campaign_id: Exits(1, 4, 400_00)}
        end_exit_windows(session, [article.id], UNTIL)
        tell_ended(session, [article.id], UNTIL)
        over = session.exec(select(Notice).where(Notice.kind == NoticeKind.FREE_EXIT_OVER)).all()
        assert [(n.facts["left"], n.facts["pieces"]) for n in over] == [(4, 6), (4, 6)]
        steps = session.execute(sa.select(table_of(Milestone)).where(table_of(Milestone).c.position > 0)).all()
        for step in steps:
            report_step(session, ReportRequest(order.id, step.position, 6, 0, str(uuid7())), now=UNTIL)
        deliver(session, ship(session, order, now=UNTIL))
        assert state(session, stays) == (PledgeState.FULFILLED, 0)
        assert state(session, leaves) == (PledgeState.REFUNDED, 4)
        pay_everything(session, now=PROMISED)
        assert balances(session) == {
            AccountKind.OUTSIDE: -600_00,
            AccountKind.FACTORY_PAYABLE: 410_00,
            AccountKind.MERCHANDISER_PAYABLE: 190_00,
        }
        assert list(mismatches(session)) == []
        assert _broken(session) == set()


def test_keeping_needs_nothing_and_the_end_is_the_end(database: Database) -> None:
    with database.transaction() as session:
        [order], [pledge] = a_concept_sold(session, [4])
        article = judged(session, order, note="Darker")
        report_step(session, ReportRequest(order.id, 0, 4, 0, "material"), now=MORNING)
        end_exit_windows(session, [article.id], UNTIL - timedelta(seconds=1))  # a job that came too early
        with pytest.raises(FirstArticleDue):
            bulk(session, order, now=UNTIL)
        before = everything(session)
        with pytest.raises(ExitOver):
            leave_free(session, pledge, now=UNTIL)
        assert everything(session) == before
        end_exit_windows(session, [article.id], UNTIL)
        end_exit_windows(session, [article.id], UNTIL + HOUR)
        assert session.get_one(FirstArticle, article.id, populate_existing=True).window_ended_at == UNTIL
        bulk(session, order, now=UNTIL)
        with pytest.raises(ExitOver):  # a request that began in time and came to its turn after the end
            leave_free(session, pledge, now=UNTIL - timedelta(seconds=1))
        assert state(session, pledge) == (PledgeState.CONFIRMED, 0)


def test_only_pieces_that_differ_can_be_left(database: Database) -> None:
    with database.transaction() as session:
        [differing, as_shown], pledges = a_concept_sold(session, [5, 5], 6, 4)
        judged(session, as_shown)
        judged(session, differing, note="Darker")
        assert way_out(session, pledges[1], now=JUDGED) == WayOut(UNTIL, 5, 500_00)
        assert leave_free(session, pledges[1], now=JUDGED) == 5
        assert way_out(session, pledges[1], now=JUDGED) is None
        assert way_out(session, pledges[0], now=JUDGED) == WayOut(UNTIL, 1, 100_00)
        [(pledge, campaign, way)] = ways_out(session, pledges[0].buyer_id, now=JUDGED)
        assert (pledge.id, campaign.id, way.pieces) == (pledges[0].id, pledges[0].campaign_id, 1)
        assert ways_out(session, pledges[0].buyer_id, now=UNTIL) == []
        assert leave_free(session, pledges[0], now=JUDGED) == 1
        assert way_out(session, pledges[0], now=JUDGED) is None
        assert state(session, pledges[0]) == (PledgeState.CONFIRMED, 1)
        assert given_back(session, pledges[0]) == 100_00
        assert (work_order(session, differing.id).quantity, work_order(session, as_shown.id).quantity) == (0, 4)
        before = everything(session)
        with pytest.raises(NothingToLeave):
            leave_free(session, pledges[0], now=JUDGED)
        assert everything(session) == before


def test_an_order_everybody_left_is_over_and_its_setting_up_is_paid(database: Database) -> None:
    with database.transaction() as session:
        [order], [pledge] = a_concept_sold(session, [4], setup_minor=50_00, total_minor=290_00)
        judged(session, order, note="Darker")
        leave_free(session, pledge, now=JUDGED)
        seen = work_order(session, order.id)
        assert (seen.state, seen.quantity, seen.earned_minor, seen.margin_minor) == (
            WorkOrderState.DELIVERED,
            0,
            50_00,
            -50_00,
        )
        assert _broken(session) == set()
        settle_work_orders(session, [order.id], now=PROMISED)
        pay_everything(session, now=PROMISED)
        assert balances(session) == {
            AccountKind.OUTSIDE: 48_50,
            AccountKind.MERCHANDISER_PAYABLE: -50_00,
            AccountKind.PLATFORM_FEES: 1_50,
        }
        assert list(mismatches(session)) == []
        assert _broken(session) == set()


def _broken(session: Session) -> set[str]:
    """What the audit says of money, pledges and orders; the campaigns of these tests never were closed for real."""
    session.flush()
    about = {"I1", "I2", "I3", "I7", "I12", "I13"}
    return {finding.sentence for finding in run(session, now=PROMISED) if finding.invariant in about}
