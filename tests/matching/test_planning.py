"""From open sheets to offers: what fits is offered, what doesn't is explained, tried again, or handed back."""

from datetime import timedelta

from sqlmodel import select

from c2m.db import Database
from c2m.demand.models import DemandSheet
from c2m.matching.offers import accept_offers
from tests.builders import MORNING, a_line, an_open_sheet
from tests.matching.market import answers, match, sound


def test_a_sheet_is_offered_to_the_cheaper_factory_and_served_when_it_accepts(database: Database) -> None:
    with database.transaction() as session:
        sheet = an_open_sheet(session, 300, variants=[("black", "M"), ("black", "L"), ("red", "M")])
        a_line(session, prices={1: 70_00})
        cheap = a_line(session, prices={1: 62_00, 200: 60_00}, setup_minor=100_00)
    [offer] = match(database, MORNING)
    assert (offer.sheet_id, offer.factory_id, offer.quantity) == (sheet.id, cheap.factory_id, 300)
    assert (offer.unit_price_minor, offer.setup_minor, offer.total_minor) == (60_00, 100_00, 300 * 60_00 + 100_00)
    assert offer.expires_at == MORNING + timedelta(hours=48)
    with database.transaction() as session:
        assert accept_offers(session, answers([offer]), now=MORNING + timedelta(hours=1)) == [offer.id]
    with database.reading() as session:
        assert session.exec(select(DemandSheet.served_at)).one() == MORNING + timedelta(hours=1)
    assert sound(database)
