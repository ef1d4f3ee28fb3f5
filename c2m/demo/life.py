"""The days of the market, hour by hour: people act through the platform's use cases, the worker does the rest."""

from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta

from c2m.app import build_worker
from c2m.audit.jobs import AUDIT, request_audit
from c2m.clock import ManualClock
from c2m.demo.buyers import Buyers
from c2m.demo.calendar import local_hour
from c2m.demo.demand import HOURS
from c2m.demo.first_pieces import FirstPieces
from c2m.demo.gallery import Gallery, another_process
from c2m.demo.hours import Hours
from c2m.demo.makers import Makers
from c2m.demo.market import Market
from c2m.demo.merchandisers import Merchandisers
from c2m.demo.onlookers import Onlookers
from c2m.demo.town import Town
from c2m.demo.wanting import Wanting
from c2m.design.making import Maker
from c2m.jobs import Worker

Watch = Callable[[datetime], None]


def live(market: Market, password_hash: str, watch: Watch, pool: Executor | None = None) -> None:
    """Let the market live from its first hour to its last; `watch` is told the time every hour, `pool` draws.

    On the hour the worker does what fell due; some minutes later people act, and it does what follows from that.
    In the other hours everybody rests.
    """
    size, calendar = market.size, market.calendar
    clock = ManualClock(calendar.starts_at)
    minutes = market.chance("minutes")
    with Gallery(size.picture_px, market.seed, pool or another_process()) as gallery:
        gallery.order([*size.products, *size.prepared, *size.ideas])
        worker = _worker(market, gallery)
        people = _People(market, password_hash, gallery)
        people.settle(clock.now())
        for hour in calendar.hours():
            watch(hour)
            if local_hour(hour) not in HOURS and hour < calendar.ends_at:
                continue
            clock.set(hour)
            worker.run_until_idle(clock.now())
            if hour < calendar.ends_at:
                clock.advance(timedelta(minutes=minutes.randint(2, 56), seconds=minutes.randint(0, 59)))
                people.act(worker, clock.now())
        with market.database.transaction() as session:
            request_audit(session, now=clock.now())
        worker.run_until_idle(clock.now())


def _worker(market: Market, gallery: Gallery) -> Worker:
    """The platform's worker without its daily audit, which would take a third of the demo's time; one comes last.

    What the picture studio is asked for is made by the gallery's process.
    """
    worker = build_worker(market.database, market.provider)
    worker.schedules = [schedule for schedule in worker.schedules if schedule.kind != AUDIT]
    worker.handlers = {**worker.handlers, **Maker(market.database, lambda: gallery.atelier).handlers()}
    return worker


class _People:
    """Everybody who acts, each in a unit of work of their own."""

    def __init__(self, market: Market, password_hash: str, gallery: Gallery) -> None:
        self.market = market
        self.town = Town(market, password_hash)
        self.merchandisers = Merchandisers(market, self.town, gallery)
        self.buyers = Buyers(market, self.town, self.merchandisers)
        self.onlookers = Onlookers(market, self.town, self.merchandisers)
        self.wanting = Wanting(market, self.town)
        self.makers = Makers(market, self.town)
        self.first_pieces = FirstPieces(market)
        self.hours = Hours(market, self.town)

    def settle(self, now: datetime) -> None:
        """The first day's registrations."""
        with self.market.database.transaction() as session:
            self.town.found(session, now=now)

    def act(self, worker: Worker, now: datetime) -> None:
        """What everybody does in this hour, then the jobs that follow; cards refused now are good again afterwards."""
        for actor in (
            self.town,
            self.hours,
            self.merchandisers,
            self.first_pieces,
            self.makers,
            self.buyers,
            self.onlookers,
            self.wanting,
        ):
            with self.market.database.transaction() as session:
                actor.act(session, now=now)
        worker.run_until_idle(now)
        self.market.provider.declined_organisations.clear()
