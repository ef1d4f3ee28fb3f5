"""Trends from what buyers said, searched, saved and ordered; briefs are written down and followed."""

from datetime import timedelta

from sqlmodel import select

from c2m.db import Database, uuid7
from c2m.demand.models import SearchCount, TrendBrief
from c2m.demand.needs import NeedRequest, file_need
from c2m.demand.searched import SearchLog
from c2m.demand.trends import earlier_briefs, rising_now, state_briefs
from c2m.identity.models import Role
from tests.builders import MORNING, a_campaign, an_organisation


def search(database: Database, words: str, times: int, days_ago: int) -> None:
    """So many searches for these words on a day."""
    log = SearchLog(database, after_seconds=None)
    for _ in range(times):
        log.note(words, now=MORNING - timedelta(days=days_ago))
    log.write()


def test_searches_are_counted_by_day_and_word_of_either_language(database: Database) -> None:
    search(database, "帆布托特包", 2, 0)
    search(database, "canvas tote", 1, 0)
    search(database, "mug", 1, 3)
    with database.reading() as session:
        counted = {(row.day, row.word): row.searches for row in session.exec(select(SearchCount))}
    today, earlier = MORNING.date(), (MORNING - timedelta(days=3)).date()
    assert counted == {(today, "canvas"): 3, (today, "tote"): 3, (earlier, "mug"): 1}


def test_a_word_that_rises_in_wants_and_searches_is_a_brief_with_both_as_evidence(database: Database) -> None:
    search(database, "umbrella", 9, 2)
    search(database, "umbrella", 2, 25)
    search(database, "mug", 5, 3)
    search(database, "mug", 10, 25)
    with database.transaction() as session:
        for _ in range(4):
            buyer = an_organisation(session, Role.BUYER).id
            file_need(session, NeedRequest(buyer, "自动雨伞 zorbix", 50, "CNY", str(uuid7())), now=MORNING)
        lone = an_organisation(session, Role.BUYER).id
        file_need(session, NeedRequest(lone, "quuxform umbrella", 50, "CNY", str(uuid7())), now=MORNING)
        found = {risen.word: risen for risen in rising_now(session, now=MORNING)}
        assert "umbrella" in found
        assert "mug" not in found
        assert "quuxform" not in found
        sources = found["umbrella"].sources
        assert (sources["searches"].now, sources["searches"].before, sources["wants"].now) == (9, 2, 5)
        assert found["umbrella"].growth.probability > 0.99


def test_briefs_are_written_once_a_week_and_followed_afterwards(database: Database) -> None:
    search(database, "umbrella", 9, 2)
    with database.transaction() as session:
        for _ in range(2):
            state_briefs(session, [], MORNING)
        [brief] = session.exec(select(TrendBrief)).all()
        assert (brief.word, brief.category) == ("umbrella", "umbrella")
        assert earlier_briefs(session, now=MORNING) == []
        a_campaign(session, title="三折雨伞", title_en="Umbrella", opened_at=MORNING + timedelta(days=1))
    search(database, "umbrella", 4, -5)
    with database.transaction() as session:
        [soon] = earlier_briefs(session, now=MORNING + timedelta(days=8))
        [later] = earlier_briefs(session, now=MORNING + timedelta(days=20))
        assert (soon.after, later.after, later.made) == (None, 4, 1)
