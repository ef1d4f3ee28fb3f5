"""The one way into a campaign: in batches, in the order of arrival, bounded, and nobody suffers for another."""

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from c2m.clock import ManualClock, SystemClock
from c2m.db import lock_and_read, uuid7
from c2m.demand import batcher
from c2m.demand.batcher import JoinBatcher
from c2m.demand.closing import close_campaigns
from c2m.demand.joining import _Counter, place_pledge
from c2m.demand.models import LIVING, Campaign, CampaignState, PledgeState
from c2m.demand.pledge_requests import CampaignFull, KeyReused, PledgeRequest
from c2m.errors import Refusal, Unavailable
from tests.demand.market import WEEK, Market


class HeldBatcher(JoinBatcher):
    """A batcher whose writer waits at the door until it is let in; remembers how large its batches were."""

    def __init__(self, market: Market, **options: int) -> None:
        super().__init__(market.database, ManualClock(market.now), **options)
        self.door = threading.Event()
        self.sizes: list[int] = []

    def _place(self, requests):  # type: ignore[no-untyped-def]
        assert self.door.wait(10)
        self.sizes.append(len(requests))
        return super()._place(requests)


@pytest.fixture
def held(market: Market) -> Iterator[HeldBatcher]:
    one = HeldBatcher(market, most_waiting=10)
    yield one
    one.door.set()


@contextmanager
def in_line(one: HeldBatcher, requests: list[PledgeRequest]) -> Iterator[list[Future[UUID]]]:
    """One request at the door and the others in line behind it, in this order; let in when the block ends."""
    with ThreadPoolExecutor(len(requests)) as pool:
        asked = []
        for place, request in enumerate(requests):
            asked.append(pool.submit(one.join, request))
            wait_until(lambda place=place: len(one._line) == place and one._writer is not None)
        yield asked
        one.door.set()


def wait_until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.002)


def test_whoever_waits_while_one_is_written_is_the_next_batch(market: Market, held: HeldBatcher) -> None:
    campaign = market.campaign()
    with in_line(held, [market.request(campaign, 2) for _ in range(6)]) as asked:
        pass
    assert held.sizes == [1, 5]
    assert {market.pledge(answer.result()).quantity for answer in asked} == {2}
    assert market.get(campaign).pledged_quantity == 12


def test_the_last_pieces_go_to_those_who_came_first(market: Market, held: HeldBatcher) -> None:
    campaign = market.campaign(cap=50)
    with in_line(held, [market.request(campaign, quantity) for quantity in (30, 15, 10, 5, 1)]) as asked:
        pass
    assert [type(answer.exception()) for answer in asked] == [type(None)] * 2 + [CampaignFull, type(None), CampaignFull]
    assert asked[2].exception().details["left"] == 5  # type: ignore[union-attr]
    assert market.get(campaign).pledged_quantity == 50


def test_a_full_line_turns_away_and_stores_nothing(market: Market, held: HeldBatcher) -> None:
    campaign = market.campaign()
    turned_away = market.request(campaign, 1)
    with in_line(held, [market.request(campaign, 1) for _ in range(11)]), pytest.raises(Unavailable):
        held.join(turned_away)
    assert market.get(campaign).pledged_quantity == len(market.pledges(campaign)) == 11
    assert turned_away.buyer_id not in {pledge.buyer_id for pledge in market.pledges(campaign)}


def test_whoever_lost_patience_in_line_is_never_written(market: Market, held: HeldBatcher) -> None:
    campaign = market.campaign()
    impatient = market.request(campaign, 1)
    with in_line(held, [market.request(campaign, 1) for _ in range(3)]), pytest.raises(Unavailable):
        held.join(impatient, patience=0.01)
    assert impatient.buyer_id not in {pledge.buyer_id for pledge in market.pledges(campaign)}
    assert market.get(campaign).pledged_quantity == 3


def test_a_bad_request_hurts_nobody_else_in_its_batch(market: Market, held: HeldBatcher) -> None:
    campaign = market.campaign()
    nobody = replace(market.request(campaign, 1), buyer_id=uuid7())
    with in_line(
        held, [market.request(campaign, 1), market.request(campaign, 1), nobody, market.request(campaign, 1)]
    ) as asked:
        pass
    assert held.sizes == [1, 3, 1, 1, 1]
    assert isinstance(asked[2].exception(), IntegrityError)
    assert [market.state(asked[i].result()) for i in (0, 1, 3)] == [PledgeState.UNPAID] * 3
    assert market.get(campaign).pledged_quantity == 3


def test_when_the_database_is_away_all_are_told_and_the_next_are_served(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, one = market.campaign(), JoinBatcher(market.database, ManualClock(market.now))
    request = market.request(campaign, 1)
    with monkeypatch.context() as away:
        away.setattr(batcher, "place_pledges", lambda *_args, **_options: _gone())
        with pytest.raises(OperationalError):
            one.join(request)
    assert market.state(one.join(request)) is PledgeState.UNPAID


def _gone() -> None:
    raise OperationalError("SELECT", {}, Exception("server closed the connection"))


def test_a_key_gets_its_first_answer_even_after_the_campaign_sold_out(market: Market) -> None:
    campaign, one = market.campaign(cap=50), JoinBatcher(market.database, ManualClock(market.now))
    request = market.request(campaign, 50)
    first = one.join(request)
    assert one.join(request) == first
    with pytest.raises(KeyReused):
        one.join(replace(request, lines=((request.lines[0][0], 49),)))
    assert len(market.pledges(campaign)) == 1


def test_a_form_sent_twice_at_once_is_one_pledge(market: Market, held: HeldBatcher) -> None:
    campaign = market.campaign()
    request = market.request(campaign, 3)
    with in_line(held, [market.request(campaign, 1), request, request]) as asked:
        pass
    assert asked[1].result() == asked[2].result()
    assert market.get(campaign).pledged_quantity == 4


def test_an_idle_writer_ends_and_the_next_request_starts_another(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher, "IDLE_SECONDS", 0.01)
    campaign, one = market.campaign(), JoinBatcher(market.database, ManualClock(market.now))
    one.join(market.request(campaign, 1))
    wait_until(lambda: one._writer is None)
    one.join(market.request(campaign, 1))
    assert market.get(campaign).pledged_quantity == 2


def test_a_process_that_ends_first_writes_who_is_in_line(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    program = f"""
        import threading
        from datetime import datetime
        from uuid import UUID
        from c2m import migrations
        from c2m.clock import ManualClock
        from c2m.db import Database
        from c2m.demand.batcher import JoinBatcher
        from c2m.demand.pledge_requests import PledgeRequest

        migrations.metadata()
        joins = JoinBatcher(Database({market.database.url!r}), ManualClock(datetime.fromisoformat("{market.now}")))
        for key in range(20):
            lines = ((UUID("{market.variant(campaign)}"), 1),)
            joins._queue(PledgeRequest(UUID("{campaign}"), UUID("{buyer}"), lines, f"ending-{{key}}"))
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert market.get(campaign).pledged_quantity == 20


def test_the_time_is_taken_once_the_rows_are_locked(market: Market) -> None:
    campaigns = [market.campaign(), market.campaign()]
    is_locked, released = threading.Event(), list[datetime]()

    def hold() -> None:
        with market.database.transaction() as session:
            lock_and_read(session, Campaign, ["id"], campaigns[1:])
            is_locked.set()
            time.sleep(0.3)
            released.append(datetime.now(UTC))

    holder = threading.Thread(target=hold)
    holder.start()
    is_locked.wait()
    with market.database.transaction() as session:
        locked = lock_and_read(session, Campaign, ["id", "minimum"], campaigns)
    holder.join()
    assert list(locked.rows) == sorted(campaigns)
    assert released[0] - timedelta(milliseconds=50) < locked.time_by(SystemClock()) <= datetime.now(UTC)


def test_a_clock_moved_by_hand_stays_in_charge(market: Market) -> None:
    clock = ManualClock(datetime(2030, 1, 1, tzinfo=UTC))
    with market.database.transaction() as session:
        assert lock_and_read(session, Campaign, ["id"], [market.campaign()]).time_by(clock) == clock.now()


def drift(market: Market, campaign: UUID) -> int:
    """Pieces in living pledges that the closed campaign did not count."""
    found = market.get(campaign)
    assert found.state is CampaignState.SUCCEEDED
    assert found.final_quantity is not None
    return sum(p.quantity for p in market.pledges(campaign) if p.state in LIVING) - found.final_quantity


def test_closing_during_a_flood_counts_every_piece(market: Market) -> None:
    campaign = market.campaign(minimum=1)
    variant = market.variant(campaign)
    processes = [JoinBatcher(market.database, ManualClock(market.now)) for _ in range(2)]  # their clocks stand still
    buyers = [market.buyer() for _ in range(12)]
    accepted: list[UUID] = []

    def flood(number: int) -> None:
        for attempt in range(10_000):
            request = PledgeRequest(campaign, buyers[number], ((variant, 1),), f"flood-{number}-{attempt}")
            try:
                accepted.append(processes[number % 2].join(request))
            except Refusal:
                return

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(len(buyers))]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(accepted) >= 40)
    market.now += WEEK
    with market.database.transaction() as session:  # not in turn among the payments that the flood goes on to ask for
        close_campaigns(session, [campaign], market.now)
    for thread in threads:
        thread.join()
    market.work()
    market.pass_time(timedelta(hours=1))
    assert drift(market, campaign) == 0
    assert market.get(campaign).final_quantity == len(accepted) == len(market.pledges(campaign))


def test_without_the_guard_the_same_flood_slips_in_after_the_count(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = market.campaign(minimum=1)
    market.join_and_pay(campaign, 1)
    requests = [market.request(campaign, 1) for _ in range(8)]
    assert market.get(campaign).state is CampaignState.OPEN  # looked at before the close, without the lock
    market.pass_time(WEEK)
    monkeypatch.setattr(_Counter, "_refusal", lambda *_: None)
    for request in requests:
        with market.database.transaction() as session:
            place_pledge(session, request, now=market.now)
    assert drift(market, campaign) == len(requests)
