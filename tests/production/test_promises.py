"""How right stated dates were: what came before, inside and after each range."""

from datetime import timedelta

import pytest
from sqlmodel import select

from c2m.db import Database
from c2m.demand.models import Campaign
from c2m.matching.models import Booking, StatedWindow
from c2m.matching.offers import accept_offers
from c2m.matching.rules import arrival
from c2m.production.promises import Came, Stage, kept
from tests.builders import MORNING, a_line, an_open_sheet
from tests.matching.market import answers, match

pytestmark = pytest.mark.both_databases
DAY = timedelta(days=1)


def test_plans_are_counted_before_inside_and_after_the_ranges_that_were_stated(database: Database) -> None:
    with database.transaction() as session:
        sheet = an_open_sheet(session, 70)
        line = a_line(session, weekly_capacity=100)
    [offer] = match(database, MORNING)
    with database.transaction() as session:
        accept_offers(session, answers([offer]), now=MORNING)
    with database.transaction() as session:
        booking = session.exec(select(Booking)).one()
        planned = arrival(booking.week, line.lead_days)
        campaign = session.get_one(Campaign, sheet.campaign_id)
        assert campaign.opened_at
        ranges = [(3, 9), (-9, -1), (0, 5), (-5, 0), None]
        for number, days in enumerate(ranges):
            session.add(
                StatedWindow(
                    campaign_id=campaign.id,
                    stated_at=campaign.opened_at + number * timedelta(hours=1),
                    fewest=1,
                    most=70,
                    earliest=planned + days[0] * DAY if days else None,
                    latest=planned + days[1] * DAY if days else None,
                )
            )
    with database.reading() as session:
        early, halfway, late = kept(session)
    assert (early.stage, early.said, early.without_date, early.width_days) == (Stage.EARLY, 5, 1, 6.0)
    assert early.planned == Came(4, before=0.25, inside=0.5, after=0.25, error_days=-3.25)
    assert early.delivered == Came(0)
    assert (halfway.said, late.said) == (0, 0)
