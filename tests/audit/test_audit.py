"""The audit: silent on a market that lived, and naming each fault that is planted in it."""

import pytest

from c2m.audit import run
from c2m.audit.invariants import INVARIANTS
from c2m.audit.running import checks
from c2m.ledger.models import Entry
from c2m.pages.words import MOVES, PURPOSES
from tests.audit import close_faults, exit_faults, offer_faults, queue_faults  # noqa: F401 - add to FAULTS
from tests.audit.conftest import Lived
from tests.audit.faults import FAULTS, Fault, rows


def test_a_market_that_lived_through_everything_breaks_nothing(lived: Lived) -> None:
    with lived.database.reading() as session:
        assert run(session, now=lived.life.now) == []
    with lived.unguarded.reading() as session:
        assert run(session, now=lived.life.now) == []


@pytest.mark.parametrize("planted", FAULTS, ids=lambda planted: planted.name)
def test_a_planted_fault_is_found_with_its_rows(lived: Lived, planted: Fault) -> None:
    with lived.unguarded.writing() as session:
        ids = planted.plant(session, lived.life)
        found = run(session, now=lived.life.now)
        session.rollback()
    assert {finding.invariant for finding in found} == {planted.invariant}
    named = {finding.sentence: sorted(finding.ids) for finding in found}
    assert named[planted.sentence] == sorted(ids)


def test_each_invariant_has_checks_and_a_planted_fault(lived: Lived) -> None:
    with lived.database.reading() as session:
        checked = {check.invariant for check in checks(session)}
    assert checked == set(INVARIANTS)
    assert {planted.invariant for planted in FAULTS} == set(INVARIANTS)


def test_every_entry_the_market_posted_has_words(lived: Lived) -> None:
    with lived.database.reading() as session:
        kinds = {row["kind"] for row in rows(session, Entry)}
    purposes = {kind.rpartition(".")[0] if kind.rpartition(".")[2] in MOVES else kind for kind in kinds}
    assert purposes <= set(PURPOSES)
    assert {"demand.carried_on", "demand.colour_dropped", "demand.extension_declined"} <= purposes
    assert {"production.delivery", "demand.tier_difference", "design.want_refund", "demand.forfeit"} <= purposes
