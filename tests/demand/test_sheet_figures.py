"""A sheet's figures on both databases: the same as counting by hand, version after version."""

import random
from collections import Counter
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from c2m.db import Database
from c2m.demand import sheet_figures
from c2m.demand.fulfilment import release_units
from c2m.demand.models import Campaign, DemandSheet, Pledge, PledgeLine, SheetPledge, SheetRelease, Variant
from c2m.demand.sheet_figures import Change, Figure, Figures, NoSuchVersion, full_sheets
from c2m.identity.models import Organisation
from tests.builders import MORNING, a_campaign, a_confirmed_pledge, a_sheet

COLOURS, SIZES, REGIONS = ("黑 Black", "白 White", "藏青 Navy"), ("S", "M", "L"), ("浙江", "广东", "")
NOWHERE = ("藏青 Navy", "L")  # this combination isn't made


def a_large_sheet(session: Session, *, seed: int, pledges: int = 40) -> DemandSheet:
    """A sheet of random pledges over colours, sizes and regions; buyers' own houses stand in no region."""
    rng = random.Random(seed)
    places = [(c, s) for c in COLOURS for s in SIZES if (c, s) != NOWHERE]
    campaign, variants = a_campaign(session, variants=places)
    made = []
    for _ in range(pledges):
        chosen = rng.sample(variants, rng.randint(1, 4))
        pledge = a_confirmed_pledge(session, campaign, {v.id: rng.randint(1, 9) for v in chosen})
        pledge.region = rng.choice(REGIONS)
        session.add(pledge)
        made.append(pledge)
    return a_sheet(session, campaign, made)


def by_hand(session: Session, sheet: DemandSheet, version: int) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Pieces by (colour, size) and by region, counted one by one."""
    cells: Counter[tuple[str, str]] = Counter()
    regions: Counter[str] = Counter()
    for line in session.exec(select(SheetPledge).where(SheetPledge.sheet_id == sheet.id)):
        variant, pledge = session.get_one(Variant, line.variant_id), session.get_one(Pledge, line.pledge_id)
        gone = session.exec(
            select(SheetRelease).where(
                SheetRelease.sheet_id == sheet.id,
                SheetRelease.variant_id == line.variant_id,
                SheetRelease.pledge_id == line.pledge_id,
                SheetRelease.version <= version,
            )
        ).all()
        left = line.quantity - sum(release.quantity for release in gone)
        cells[variant.colour, variant.size] += left
        regions[pledge.region] += left
    return cells, regions


def check(figures: Figures, cells: Counter[tuple[str, str]], regions: Counter[str]) -> None:
    assert figures.total.pieces == cells.total() == sum(row.pieces for row in figures.regions)
    assert {(r.name, s): n for r in figures.colours for s, n in r.by_size.items() if n} == +cells
    assert {row.name: row.pieces for row in figures.regions} == +regions
    assert [row.pieces for row in figures.regions] == sorted(regions.values(), reverse=True)
    for size, pieces in figures.total.by_size.items():
        assert pieces == sum(n for (_, s), n in cells.items() if s == size)
        assert pieces == sum(row.by_size[size] or 0 for row in figures.regions)


@pytest.mark.parametrize("seed", [1, 2])
def test_figures_are_what_counting_by_hand_gives(database: Database, seed: int) -> None:
    with database.transaction() as session:
        sheet = a_large_sheet(session, seed=seed)
    with database.reading() as session:
        figures = sheet_figures.figures(session, sheet, 1)
        check(figures, *by_hand(session, sheet, 1))
        assert figures.sizes == SIZES
        [navy] = [row for row in figures.colours if row.name == NOWHERE[0]]
        assert navy.by_size[NOWHERE[1]] is None
        assert full_sheets(session, [sheet.campaign_id]) == {sheet.campaign_id: figures}


def test_several_campaigns_at_once_are_each_their_own(database: Database) -> None:
    with database.transaction() as session:
        sheets = [a_large_sheet(session, seed=seed, pledges=8) for seed in range(3)]
    with database.reading() as session:
        found = full_sheets(session, [sheet.campaign_id for sheet in sheets])
        assert found == {sheet.campaign_id: sheet_figures.figures(session, sheet, 1) for sheet in sheets}


def test_each_release_makes_a_version_that_says_what_it_leaves_out(database: Database) -> None:
    with database.transaction() as session:
        sheet = a_large_sheet(session, seed=5)
        line = {v.id: v for v in session.exec(select(Variant).where(Variant.campaign_id == sheet.campaign_id)).all()}
        first, second = list(line)[:2]
        release_units(session, {(sheet.id, first): 7, (sheet.id, second): 2}, now=MORNING)
        release_units(session, {(sheet.id, first): 3}, now=MORNING)
    with database.reading() as session:
        found = session.get_one(DemandSheet, sheet.id)
        assert found.version == 3
        told = sheet_figures.versions(session, found)
        assert [(v.number, v.pieces) for v in told] == [
            (1, found.quantity),
            (2, found.quantity - 9),
            (3, found.quantity - 12),
        ]
        changes = [Change(line[i].colour, line[i].size, n) for i, n in ((first, 7), (second, 2))]
        assert told[1].changes == tuple(changes)
        assert told[2].changes == (Change(line[first].colour, line[first].size, 3),)
        for number in (1, 2, 3):
            check(sheet_figures.figures(session, found, number), *by_hand(session, found, number))
        for number in (0, 4):
            with pytest.raises(NoSuchVersion):
                sheet_figures.version_of(found, number)


@pytest.mark.parametrize(
    "figure",
    [Figure(), Figure(colour=COLOURS[0]), Figure(size="M"), Figure(region="浙江"), Figure(COLOURS[1], "S", "")],
)
def test_the_lines_behind_a_figure_add_up_to_it(database: Database, figure: Figure) -> None:
    with database.transaction() as session:
        sheet = a_large_sheet(session, seed=7)
        line = session.exec(select(SheetPledge).order_by(col(SheetPledge.quantity).desc())).first()
        assert line is not None
        release_units(session, {(sheet.id, line.variant_id): 4}, now=MORNING)
    with database.reading() as session:
        for version in (1, 2):
            rows = session.execute(sheet_figures.pledge_lines(sheet.id, figure, version)).all()
            assert sum(row.quantity for row in rows) == pieces_of(session, sheet.id, figure, version)


def pieces_of(session: Session, sheet_id: UUID, figure: Figure, version: int) -> int:
    found = sheet_figures.figures(session, session.get_one(DemandSheet, sheet_id), version)
    if figure == Figure():
        return found.total.pieces
    if figure.region and not figure.colour:
        return next(row.pieces for row in found.regions if row.name == figure.region)
    if figure.colour and figure.size is None:
        return next(row.pieces for row in found.colours if row.name == figure.colour)
    if figure.colour is None:
        return found.total.by_size[figure.size or ""] or 0
    lines = session.exec(
        select(SheetPledge.quantity)
        .join(Variant, col(Variant.id) == SheetPledge.variant_id)
        .join(Pledge, col(Pledge.id) == SheetPledge.pledge_id)
        .where(Variant.colour == figure.colour, Variant.size == figure.size, Pledge.region == figure.region)
    ).all()
    gone = session.exec(
        select(SheetRelease.quantity)
        .join(Variant, col(Variant.id) == SheetRelease.variant_id)
        .join(Pledge, col(Pledge.id) == SheetRelease.pledge_id)
        .where(Variant.colour == figure.colour, Variant.size == figure.size, Pledge.region == figure.region)
        .where(SheetRelease.version <= version)
    ).all()
    return sum(lines) - sum(gone)


def test_a_buyer_s_own_region_stands_in_where_the_pledge_names_none(database: Database) -> None:
    with database.transaction() as session:
        sheet = a_large_sheet(session, seed=9, pledges=1)
        campaign = session.get_one(Campaign, sheet.campaign_id)
        pledge = a_confirmed_pledge(session, campaign, {session.exec(select(PledgeLine)).all()[0].variant_id: 6})
        house = session.get_one(Organisation, pledge.buyer_id)
        house.region = "四川"
        session.add(house)
        session.flush()
        found = full_sheets(session, [campaign.id])[campaign.id]
        assert {row.name: row.pieces for row in found.regions}["四川"] == 6
