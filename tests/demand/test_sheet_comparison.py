"""Two versions of a sheet side by side: what each variant was and is, what was left out between."""

import pytest

from c2m.db import Database
from c2m.demand.fulfilment import release_units
from c2m.demand.models import DemandSheet, Variant
from c2m.demand.sheet_comparison import Moved, OnlyOneVersion, compare_versions
from c2m.demand.sheet_document import comparison_document
from c2m.demand.sheet_figures import Change, NoSuchVersion
from c2m.errors import Invalid
from tests.builders import MORNING, a_campaign, a_confirmed_pledge, a_sheet

PLACES = [("黑 Black", "M"), ("黑 Black", "L"), ("白 White", "M")]


@pytest.fixture
def made(database: Database) -> tuple[DemandSheet, list[Variant]]:
    """A sheet of 10 black M, 5 black L for Zhejiang and 5 white M for nobody knows where."""
    with database.transaction() as session:
        campaign, variants = a_campaign(session, variants=PLACES)
        black_m, black_l, white_m = variants
        one = a_confirmed_pledge(session, campaign, {black_m.id: 10, black_l.id: 5})
        two = a_confirmed_pledge(session, campaign, {white_m.id: 5})
        one.region = "浙江"
        session.add(one)
        return a_sheet(session, campaign, [one, two]), variants


def let_go(database: Database, made: tuple[DemandSheet, list[Variant]]) -> None:
    """Version 2 is without two black L, version 3 without the white ones too."""
    sheet, (_black_m, black_l, white_m) = made
    with database.transaction() as session:
        release_units(session, {(sheet.id, black_l.id): 2}, now=MORNING)
    with database.transaction() as session:
        release_units(session, {(sheet.id, white_m.id): 5}, now=MORNING)


def test_two_versions_stand_side_by_side(database: Database, made: tuple[DemandSheet, list[Variant]]) -> None:
    let_go(database, made)
    with database.reading() as session:
        found = session.get_one(DemandSheet, made[0].id)
        compared = compare_versions(session, found, 3, 1)
        last = compare_versions(session, found, None, None)
        assert (compared.earlier.number, compared.later.number, compared.changed) == (1, 3, 2)
        assert compared.variants == (
            Moved("黑 Black", "M", 10, 10),
            Moved("黑 Black", "L", 5, 3),
            Moved("白 White", "M", 5, 0),
        )
        assert compared.regions == (("浙江", 15, 13), ("", 5, 0))
        assert [v.changes for v in compared.between] == [(Change("黑 Black", "L", 2),), (Change("白 White", "M", 5),)]
        document = comparison_document(compared)
        assert (document.was, document.now, document.difference) == (20, 13, -7)
        assert [moved.difference for moved in document.variants] == [0, -2, -5]
        assert [version.version for version in document.versions] == [1, 2, 3]
        assert (last.earlier.number, last.later.number, last.changed) == (2, 3, 1)


def test_only_two_versions_that_are_there_are_compared(
    database: Database, made: tuple[DemandSheet, list[Variant]]
) -> None:
    with database.reading() as session, pytest.raises(OnlyOneVersion):
        compare_versions(session, session.get_one(DemandSheet, made[0].id), None, None)
    let_go(database, made)
    with database.reading() as session:
        found = session.get_one(DemandSheet, made[0].id)
        with pytest.raises(NoSuchVersion):
            compare_versions(session, found, 1, 4)
        with pytest.raises(Invalid):
            compare_versions(session, found, 2, 2)
