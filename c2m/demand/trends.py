"""Rising words among wants, searches, saves and sales, put down as briefs, and what became of earlier ones."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import insert_missing, table_of, uuid7
from c2m.demand.clustering.describing import GENERAL
from c2m.demand.clustering.lexicon import CATEGORY_OF, NAMES
from c2m.demand.clustering.reading import read
from c2m.demand.clustering.trends import Counts, Growth, Rising, rising
from c2m.demand.models import Campaign, CampaignState, Need, Pledge, SearchCount, TrendBrief
from c2m.design.models import Concept, SavedConcept

STATE_BRIEFS = "demand.state_briefs"
DAYS, DAYS_BEFORE = 14, 28
YEAR = timedelta(days=364)  # whole weeks, so that a Monday is beside a Monday
# What buyers ask for tells what rises; saves and sales follow what was put up, and stand beside it as evidence.
ASKED_FOR = ("wants", "searches")
MOST_FOLLOWED = 200
BUYERS = 2  # that say a word which is not of the lexicon, before others read it

Daily = Mapping[str, Mapping[date, int]]  # word → day → how often


@dataclass(frozen=True)
class Followed:
    """An earlier brief with what came after it: the next window's counts, and what was made of it since."""

    brief: TrendBrief
    after: int | None  # counts in the window after; None while it lasts
    made: int  # campaigns and concepts with the word that were opened since

    @property
    def then(self) -> int:
        """What it was stated from: counts of its own window."""
        found = (self.brief.evidence.get(source) for source in ASKED_FOR)
        return sum(int(counts["now"]) for counts in found if counts)

    @property
    def held(self) -> bool:
        """Whether it was said as often in the two weeks after."""
        return self.after is not None and self.after >= self.then


def rising_now(session: Session, *, now: datetime) -> Sequence[Rising]:
    """Words that rose in the last two weeks over the four before, with each source's counts."""
    until = now.date()
    daily = _daily(session, since=until - YEAR - timedelta(days=DAYS + DAYS_BEFORE))
    first = min((day for words in daily.values() for days in words.values() for day in days), default=until)
    seasoned = first <= until - YEAR - timedelta(days=DAYS + DAYS_BEFORE - 7)
    counted = {
        source: {word: _counts(days, until, seasoned=seasoned) for word, days in words.items()}
        for source, words in daily.items()
    }
    asked_for = {source: counted[source] for source in ASKED_FOR}
    return [
        replace(found, sources={source: words[found.word] for source, words in counted.items() if found.word in words})
        for found in rising(asked_for, days=DAYS, days_before=DAYS_BEFORE)
    ]


def state_briefs(session: Session, _ids: Sequence[UUID], now: datetime) -> None:
    """Write down what rises now, each word once a week, so that it can be seen later what became of it."""
    week = now.date() - timedelta(days=now.weekday())
    rows = [
        {
            "id": uuid7(),
            "word": found.word[:60],
            "category": CATEGORY_OF.get(found.word, GENERAL),
            "until": week,
            "growth": found.growth.median,
            "growth_low": found.growth.low,
            "growth_high": found.growth.high,
            "probability": found.growth.probability,
            "evidence": {source: asdict(counts) for source, counts in found.sources.items()},
            "stated_at": now,
        }
        for found in rising_now(session, now=now)
    ]
    insert_missing(session, TrendBrief, rows)


def earlier_briefs(session: Session, *, now: datetime, most: int = 20) -> Sequence[Followed]:
    """Briefs of earlier weeks, the newest first, with what came after them."""
    week = now.date() - timedelta(days=now.weekday())
    newest = select(TrendBrief).where(TrendBrief.until < week).order_by(col(TrendBrief.until).desc(), TrendBrief.word)
    briefs = session.exec(newest.limit(most)).all()
    if not briefs:
        return []
    daily = _daily(session, since=min(brief.until for brief in briefs))
    made = _made(session)
    return [
        Followed(
            brief,
            after=_after(daily, brief) if now.date() >= brief.until + timedelta(days=DAYS) else None,
            made=sum(opened >= brief.stated_at for opened, words in made if brief.word in words),
        )
        for brief in briefs
    ]


def record_of(session: Session, *, now: datetime) -> tuple[int, int]:
    """Of so many earlier briefs whose two weeks are over, so many held: (held, all)."""
    over = [brief for brief in earlier_briefs(session, now=now, most=MOST_FOLLOWED) if brief.after is not None]
    return sum(brief.held for brief in over), len(over)


def growth_of(brief: TrendBrief) -> Growth:
    """The growth a brief was stated with."""
    return Growth(brief.growth, brief.growth_low, brief.growth_high, brief.probability)


def _daily(session: Session, *, since: date) -> dict[str, Daily]:
    """Each source's counts by word and day: wants and searches by their words, saves and sales by the title's."""
    need, search, saved, concept, pledge, campaign = (
        table_of(model) for model in (Need, SearchCount, SavedConcept, Concept, Pledge, Campaign)
    )
    from_then = datetime.combine(since, datetime.min.time(), tzinfo=UTC)
    stated = sa.select(need.c.words, need.c.stated_at, need.c.buyer_id).where(need.c.stated_at >= from_then)
    needs = session.execute(stated)
    saves = session.execute(
        sa.select(concept.c.title, concept.c.title_en, saved.c.saved_at)
        .join_from(saved, concept, concept.c.id == saved.c.concept_id)
        .where(saved.c.saved_at >= from_then)
    )
    sales = session.execute(
        sa.select(campaign.c.title, campaign.c.title_en, sa.func.date(pledge.c.paid_at), sa.func.count())
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(pledge.c.paid_at >= from_then)
        .group_by(campaign.c.id, campaign.c.title, campaign.c.title_en, sa.func.date(pledge.c.paid_at))
    )
    searched: dict[str, Counter[date]] = defaultdict(Counter)
    for row in session.execute(sa.select(search).where(search.c.day >= since)):
        searched[row.word][row.day] += row.searches
    return {
        "wants": _shared((row.words, row.stated_at.date(), row.buyer_id) for row in needs),
        "searches": {word: days for word, days in searched.items() if word in NAMES},
        "saves": _of_titles((f"{row.title} {row.title_en}", row.saved_at.date(), 1) for row in saves),
        "sales": _of_titles((f"{title} {title_en}", _day(day), n) for title, title_en, day, n in sales),
    }


def _shared(said: Iterable[tuple[str, date, UUID]]) -> Daily:
    """Words of wants by day; those that only one buyer says are that buyer's own."""
    found: dict[str, Counter[date]] = defaultdict(Counter)
    buyers: dict[str, set[UUID]] = defaultdict(set)
    for words, day, buyer in said:
        for word in set(read(words).words):
            found[word][day] += 1
            buyers[word].add(buyer)
    return {word: days for word, days in found.items() if word in NAMES or len(buyers[word]) >= BUYERS}


def _of_titles(counted: Iterable[tuple[str, date, int]]) -> Daily:
    found: dict[str, Counter[date]] = defaultdict(Counter)
    for title, day, count in counted:
        for word in set(read(title).words) & NAMES.keys():
            found[word][day] += count
    return found


def _counts(days: Mapping[date, int], until: date, *, seasoned: bool) -> Counts:
    def between(end: date, length: int) -> int:
        return sum(count for day, count in days.items() if end - timedelta(days=length) < day <= end)

    def window(end: date) -> tuple[int, int]:
        return between(end, DAYS), between(end - timedelta(days=DAYS), DAYS_BEFORE)

    return Counts(*window(until), *window(until - YEAR)) if seasoned else Counts(*window(until))


def _after(daily: Mapping[str, Daily], brief: TrendBrief) -> int:
    end = brief.until + timedelta(days=DAYS)
    return sum(
        count
        for source in ASKED_FOR
        for day, count in daily[source].get(brief.word, {}).items()
        if brief.until < day <= end
    )


def _made(session: Session) -> list[tuple[datetime, frozenset[str]]]:
    """Campaigns and concepts with the words of their titles, and when buyers first saw them."""
    campaign, concept = table_of(Campaign), table_of(Concept)
    opened = sa.select(campaign.c.title, campaign.c.title_en, campaign.c.opened_at).where(
        campaign.c.opened_at.is_not(None), campaign.c.state != CampaignState.CANCELLED
    )
    published = sa.select(concept.c.title, concept.c.title_en, concept.c.published_at)
    rows = [*session.execute(opened), *session.execute(published.where(concept.c.published_at.is_not(None)))]
    return [(when, frozenset(read(f"{title} {title_en}").words)) for title, title_en, when in rows]


def _day(stored: date | str) -> date:
    return date.fromisoformat(stored) if isinstance(stored, str) else stored
