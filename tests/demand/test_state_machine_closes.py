"""Whatever pledges agree to for the close: every close, extension and next round is right to the cent."""

from typing import Any

from hypothesis.stateful import invariant, run_state_machine_as_test

from c2m.audit import run
from c2m.db import Database
from c2m.demand.models import CampaignState
from tests.conftest import lives
from tests.demand.close_machine import CloseRules
from tests.demand.test_state_machine import CampaignAndLedger


class Closes(CloseRules, CampaignAndLedger):
    """Few campaigns, many pledges with everything there is to agree to; audited whenever a campaign has ended."""

    # Tried elsewhere; here they would end most campaigns before they close.
    a_campaign_is_called_off = a_bank_declines_from_now_on = the_provider_is_away = None  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.audited: set[Any] = set()

    @invariant()
    def a_close_is_audited(self) -> None:
        ended = {c for c in self.known if self.market.get(c).state in (CampaignState.SUCCEEDED, CampaignState.FAILED)}
        if ended - self.audited:
            self.market.work()
            self.audited |= ended
            with self.market.database.reading() as session:
                assert run(session, now=self.market.now) == []

    def teardown(self) -> None:
        super().teardown()
        with self.market.database.reading() as session:
            assert run(session, now=self.market.now) == []


def test_closes_are_right_whatever_was_agreed_to(database: Database) -> None:
    machine = type("Machine", (Closes,), {"database": database})
    run_state_machine_as_test(machine, settings=lives(database, 12, steps=12))
