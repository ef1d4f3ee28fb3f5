"""The waiting list: filled in order inside the unit of work that frees pieces, fair to whoever queued first."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from c2m.audit import running
from c2m.db import table_of, uuid7
from c2m.demand import pledges
from c2m.demand.campaigns import CampaignNotOpen, cancel_campaign
from c2m.demand.models import (
    ChangeKind,
    Pledge,
    PledgeChange,
    PledgeState,
    Waiting,
    WaitingState,
)
from c2m.demand.pledge_requests import (
    CeilingRefused,
    KeyReused,
    LimitReached,
    NothingChosen,
    PledgeRequest,
    QuantityRefused,
    UnknownColour,
    UnknownTeam,
    UnknownVariant,
)
from c2m.demand.queries import WaitingNotFound, queue_of
from c2m.demand.rules import Turn, pieces_in_order, turns
from c2m.demand.teams import start_team
from c2m.demand.waiting import (
    AlreadyWaiting,
    MoreThanThereAre,
    NoExtraPieces,
    NothingToWaitFor,
    NotWaiting,
    leave_queue,
    wait_for_pieces,
)
from c2m.errors import Refusal
from c2m.notices.models import NoticeKind
from tests.demand.market import WEEK, Market
from tests.demand.queueing import became, cancel, leave, place, told, wait


def sold_out(market: Market, *quantities: int, **terms: object) -> tuple[UUID, list[UUID]]:
    """A campaign whose cap these pledges have used up, all paid."""
    campaign = market.campaign(**{"cap": sum(quantities), "minimum": 1} | terms)  # type: ignore[arg-type]
    return campaign, [market.join_and_pay(campaign, quantity) for quantity in quantities]


def test_turns_come_in_order_whole_or_in_part() -> None:
    queue = [Turn(6, None, False), Turn(6, None, False), Turn(9, None, True), Turn(1, None, False)]
    assert turns(10, queue) == [6, 0, 4, 0]


def test_the_limit_of_a_buyer_holds_in_the_queue_too() -> None:
    assert turns(10, [Turn(5, 3, False), Turn(5, 3, True), Turn(5, 0, True)]) == [0, 3, 0]


@given(st.integers(0, 60), st.lists(st.builds(Turn, st.integers(1, 30), st.none() | st.integers(0, 30), st.booleans())))
def test_afterwards_nobody_could_be_served_with_what_is_left(free: int, queue: list[Turn]) -> None:
    served = turns(free, queue)
    left = free - sum(served)
    assert left >= 0
    for turn, pieces in zip(queue, served, strict=True):
        room = turn.wanted if turn.room is None else turn.room
        assert pieces <= min(turn.wanted, room)
        assert pieces in (0, turn.wanted) or turn.takes_part
        more = min(left, turn.wanted - pieces, room - pieces)
        assert more <= 0 or (not turn.takes_part and more < turn.wanted)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.data())
def test_pieces_are_taken_line_by_line_each_once(quantities: list[int], data: st.DataObject) -> None:
    lines = [(uuid7(), quantity) for quantity in quantities]
    first = data.draw(st.integers(0, sum(quantities)))
    both = [pieces_in_order(lines, 0, first), pieces_in_order(lines, first, sum(quantities) - first)]
    totals = {variant: sum(n for part in both for v, n in part if v == variant) for variant, _ in lines}
    assert totals == dict(lines)


def test_freed_pieces_go_to_the_first_in_the_queue_at_once(market: Market) -> None:
    campaign, [one, _] = sold_out(market, 5, 5)
    first, second = wait(market, campaign, 5), wait(market, campaign, 5)
    cancel(market, one)
    [pledge] = became(market, first)
    assert (pledge.quantity, pledge.state, pledge.charged_minor) == (5, PledgeState.UNPAID, 200_00)
    assert place(market, first).state is WaitingState.FILLED
    assert place(market, second).state is WaitingState.WAITING
    assert market.get(campaign).pledged_quantity == 10
    market.work()
    assert market.state(pledge.id) is PledgeState.PAID
    assert market.escrow(campaign) == 400_00
    assert told(market, pledge.buyer_id) == [NoticeKind.WAITING_FILLED]


def test_whom_the_pieces_do_not_suffice_keeps_the_place_and_later_ones_that_fit_pass(market: Market) -> None:
    campaign, [one, other] = sold_out(market, 3, 7)
    large, small = wait(market, campaign, 8), wait(market, campaign, 2)
    cancel(market, one)
    assert place(market, large).state is WaitingState.WAITING
    assert [p.quantity for p in became(market, small)] == [2]
    cancel(market, other)
    assert [p.quantity for p in became(market, large)] == [8]


def test_a_part_is_taken_where_it_is_welcome_and_the_rest_later(market: Market) -> None:
    campaign, [one, other] = sold_out(market, 3, 7)
    partly = wait(market, campaign, 5, takes_part=True)
    cancel(market, one)
    assert (place(market, partly).filled_quantity, place(market, partly).state) == (3, WaitingState.WAITING)
    cancel(market, other)
    assert [p.quantity for p in became(market, partly)] == [3, 2]
    assert place(market, partly).state is WaitingState.FILLED


def test_a_declined_payment_passes_the_pieces_on(market: Market) -> None:
    campaign, [one] = sold_out(market, 5)
    poor = market.buyer()
    market.provider.declined_organisations.add(str(poor))
    first, second = wait(market, campaign, 5, buyer=poor), wait(market, campaign, 5)
    cancel(market, one)
    market.work()
    assert [p.state for p in became(market, first)] == [PledgeState.CANCELLED]
    assert [p.state for p in became(market, second)] == [PledgeState.PAID]


def test_moving_up_is_told_on_the_order(market: Market) -> None:
    campaign, [one] = sold_out(market, 5)
    waiting = wait(market, campaign, 5)
    cancel(market, one)
    [pledge] = became(market, waiting)
    with market.database.reading() as session:
        [change] = session.exec(select(PledgeChange).where(PledgeChange.pledge_id == pledge.id)).all()
    assert (change.kind, change.pieces, change.amount_minor) == (ChangeKind.MOVED_UP, 5, 0)


def test_what_is_free_is_taken_without_waiting(market: Market) -> None:
    campaign, _ = sold_out(market, 5, cap=12)
    whole = wait(market, campaign, 4)
    partly = wait(market, campaign, 9, takes_part=True)
    assert place(market, whole).state is WaitingState.FILLED
    assert place(market, partly).filled_quantity == 3


def test_the_limit_is_asked_again_when_the_turn_comes(market: Market) -> None:
    campaign, [one] = sold_out(market, 5, cap=6, per_buyer_limit=5)
    greedy = market.buyer()
    waiting = wait(market, campaign, 5, buyer=greedy)
    market.join_and_pay(campaign, 1, buyer=greedy)
    cancel(market, one)
    assert place(market, waiting).state is WaitingState.WAITING
    assert market.get(campaign).pledged_quantity == 1


def test_a_place_keeps_what_its_buyer_agreed_to(market: Market) -> None:
    terms = {"colour_minimum": 2, "next_round_days": 5, "commission_ppm": 30_000, "minimum": 50}
    campaign, [first, _] = sold_out(market, 7, 53, variants=(("black", "M"), ("white", "M")), **terms)
    with market.database.transaction() as session:
        team = start_team(session, session.get_one(Pledge, first), "Lane", now=market.now)
    agreed = {"ceiling_minor": 30_00, "fallback_colour": "white", "joins_next_round": True, "team_id": team.id}
    waiting = wait(market, campaign, 4, **agreed)
    cancel(market, first)
    market.work()
    [pledge] = became(market, waiting)
    assert {name: getattr(pledge, name) for name in agreed} == agreed
    assert (pledge.unit_price_minor, pledge.charged_minor) == (30_00, 120_00)
    assert market.get(campaign).conditional_quantity == 4
    market.pass_time(WEEK)
    assert market.state(pledge.id) is PledgeState.REFUNDED
    assert market.spent(pledge.buyer_id) == 0


def test_who_stays_at_a_dearer_price_is_charged_the_present_one(market: Market) -> None:
    campaign, [pledge] = sold_out(market, 7)
    waiting = wait(market, campaign, 4, ceiling_minor=30_00, accepts_dearer=True)
    cancel(market, pledge)
    [moved] = became(market, waiting)
    assert (moved.charged_minor, moved.ceiling_minor, moved.accepts_dearer) == (160_00, 30_00, True)


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"ceiling_minor": 28_99}, CeilingRefused),
        ({"fallback_colour": "pink"}, UnknownColour),
        ({"team_id": UUID(int=1)}, UnknownTeam),
        ({"flexible": 1}, NoExtraPieces),
    ],
)
def test_waiting_is_judged_as_joining_is(market: Market, terms: dict[str, object], refusal: type[Refusal]) -> None:
    campaign, _ = sold_out(market, 7)
    with pytest.raises(refusal):
        wait(market, campaign, 4, **terms)  # type: ignore[arg-type]
    assert places(market) == 0


def test_who_left_is_passed_over(market: Market) -> None:
    campaign, [one] = sold_out(market, 5)
    first, second = wait(market, campaign, 5), wait(market, campaign, 5)
    leave(market, first)
    cancel(market, one)
    assert (place(market, first).state, became(market, first)) == (WaitingState.LEFT, [])
    assert place(market, second).state is WaitingState.FILLED
    with pytest.raises(NotWaiting):
        leave(market, first)


def test_nobody_leaves_for_somebody_else(market: Market) -> None:
    campaign, _ = sold_out(market, 5)
    waiting = wait(market, campaign, 5)
    with pytest.raises(WaitingNotFound), market.database.transaction() as session:
        leave_queue(session, waiting, buyer_id=market.buyer(), now=market.now)
    assert place(market, waiting).state is WaitingState.WAITING


@pytest.mark.parametrize("ends", ["succeeded", "failed", "cancelled"])
def test_when_the_campaign_ends_the_queue_ends_and_is_told(market: Market, ends: str) -> None:
    campaign, _ = sold_out(market, 5, minimum=5 if ends != "failed" else 6, cap=6)
    waiting = wait(market, campaign, 2)
    if ends == "cancelled":
        with market.database.transaction() as session:
            cancel_campaign(session, campaign, now=market.now)
        market.work()
    else:
        market.pass_time(WEEK)
    assert market.get(campaign).state == ends
    ended = place(market, waiting)
    assert (ended.state, ended.ended_at) == (WaitingState.LAPSED, market.now)
    assert told(market, ended.buyer_id) == [NoticeKind.WAITING_LAPSED]


def test_after_the_deadline_nobody_moves_up(market: Market) -> None:
    campaign, _ = sold_out(market, 5, cap=6)
    slow = market.join(campaign, 1)
    waiting = wait(market, campaign, 1)
    market.provider.declined_organisations.add(str(market.pledge(slow).buyer_id))
    market.pass_time(WEEK)
    assert became(market, waiting) == []
    assert place(market, waiting).state is WaitingState.LAPSED


def test_a_repeated_request_gets_its_first_place(market: Market) -> None:
    campaign, _ = sold_out(market, 5)
    buyer = market.buyer()
    first = wait(market, campaign, 2, buyer=buyer, key="once")
    assert wait(market, campaign, 2, buyer=buyer, key="once") == first
    with pytest.raises(KeyReused):
        wait(market, campaign, 3, buyer=buyer, key="once")


def test_one_place_a_buyer(market: Market) -> None:
    campaign, _ = sold_out(market, 5)
    buyer = market.buyer()
    first = wait(market, campaign, 2, buyer=buyer)
    with pytest.raises(AlreadyWaiting):
        wait(market, campaign, 1, buyer=buyer)
    leave(market, first)
    wait(market, campaign, 1, buyer=buyer)


@pytest.mark.parametrize(
    ("pieces", "refusal"),
    [(0, QuantityRefused), (-1, QuantityRefused), (True, QuantityRefused), (6, MoreThanThereAre), (4, LimitReached)],
)
def test_what_can_never_be_served_is_refused(market: Market, pieces: int, refusal: type[Refusal]) -> None:
    campaign, _ = sold_out(market, 3, 2, per_buyer_limit=3)
    with pytest.raises(refusal):
        wait(market, campaign, pieces)
    assert places(market) == 0


def test_other_campaigns_variants_and_empty_requests_are_refused(market: Market) -> None:
    campaign, _ = sold_out(market, 5)
    elsewhere = market.variant(market.campaign())
    own = market.variant(campaign)
    for lines, refusal in (
        ((), NothingChosen),
        (((elsewhere, 1),), UnknownVariant),
        (((own, 1), (own, 1)), UnknownVariant),
    ):
        request = PledgeRequest(campaign, market.buyer(), lines, str(uuid7()))
        with pytest.raises(refusal), market.database.transaction() as session:
            wait_for_pieces(session, request, now=market.now)
    assert places(market) == 0


def test_without_a_cap_and_after_the_end_there_is_nothing_to_wait_for(market: Market) -> None:
    with pytest.raises(NothingToWaitFor):
        wait(market, market.campaign(), 1)
    campaign, _ = sold_out(market, 5)
    market.now += WEEK
    with pytest.raises(CampaignNotOpen):
        wait(market, campaign, 1)


def test_the_queue_counts_places_and_pieces(market: Market) -> None:
    campaign, _ = sold_out(market, 5)
    wait(market, campaign, 2)
    second = wait(market, campaign, 3)
    with market.database.reading() as session:
        queue = queue_of(session, campaign, before=second)
    assert (queue.places, queue.pieces, queue.before) == (2, 5, 1)


def test_a_long_queue_is_served_to_the_last_piece_in_order(market: Market) -> None:
    campaign, [one] = sold_out(market, 250)
    buyers = [market.buyer() for _ in range(260)]
    places = [wait(market, campaign, 1, buyer=buyer) for buyer in buyers]
    cancel(market, one)
    states = [place(market, waiting).state for waiting in places]
    assert states == [WaitingState.FILLED] * 250 + [WaitingState.WAITING] * 10


def test_leaving_and_queueing_at_once_sells_no_piece_twice(market: Market) -> None:
    campaign, pledges = sold_out(market, *[2] * 12)
    buyers = [market.buyer() for _ in range(12)]
    faults: list[Exception] = []

    def run(number: int) -> None:
        try:
            wait(market, campaign, 1 + number % 3, buyer=buyers[number], takes_part=number % 2 == 0)
            cancel(market, pledges[number])
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    market.work()
    alive = [p for p in market.pledges(campaign) if p.state is PledgeState.PAID]
    with market.database.reading() as session:
        rows = session.execute(sa.select(table_of(Waiting))).all()
    assert sum(p.quantity for p in alive) == market.get(campaign).pledged_quantity <= 24
    assert sum(p.quantity for p in alive) == sum(row.filled_quantity for row in rows)
    assert all(row.state is WaitingState.FILLED for row in rows)


def places(market: Market) -> int:
    with market.database.reading() as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(table_of(Waiting))).scalar_one())


def test_time_passes_without_a_queue_growing_old(market: Market) -> None:
    campaign, _ = sold_out(market, 5)
    waiting = wait(market, campaign, 5)
    market.pass_time(timedelta(days=6))
    assert place(market, waiting).state is WaitingState.WAITING


def test_without_the_fill_somebody_waits_for_pieces_that_are_free(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, [one] = sold_out(market, 5)
    waiting = wait(market, campaign, 5)
    monkeypatch.setattr(pledges, "fill_queues", lambda *_args, **_options: None)
    cancel(market, one)
    with market.database.reading() as session:
        [found] = running.run(session, now=market.now)
    assert (found.sentence, found.ids) == (
        "Pieces are free and somebody who could have them still waits.",
        (str(waiting),),
    )
