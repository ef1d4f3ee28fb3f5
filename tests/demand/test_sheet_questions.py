"""Factories ask about a sheet, its merchandiser answers once, every factory that sees the sheet reads both."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from c2m.db import Database, uuid7
from c2m.demand import queries
from c2m.demand.models import DemandSheet, SheetQuestion
from c2m.demand.questions import (
    AlreadyAnswered,
    FactoryQuestion,
    QuestionNotFound,
    TooManyOpenQuestions,
    answer_question,
    ask_question,
    questions_about,
    questions_for,
)
from c2m.errors import Invalid
from c2m.identity.models import Role
from tests.builders import MORNING, an_open_sheet, an_organisation

LATER = MORNING + timedelta(hours=2)


@pytest.fixture
def sheet(database: Database) -> DemandSheet:
    with database.transaction() as session:
        return an_open_sheet(session, 20)


def a_factory_house(database: Database) -> UUID:
    with database.transaction() as session:
        return an_organisation(session, Role.FACTORY).id


def ask(
    database: Database, sheet: DemandSheet, factory_id: UUID, words: str = "克重多少？", key: str = "key-one"
) -> UUID:
    with database.transaction() as session:
        return ask_question(session, FactoryQuestion(sheet.id, factory_id, words, key), now=MORNING).id


def house_of(session: Session, sheet: DemandSheet) -> UUID:
    return queries.campaign(session, sheet.campaign_id).organisation_id


def test_a_question_waits_for_its_asker_alone_and_stands_for_all_once_answered(
    database: Database, sheet: DemandSheet
) -> None:
    asker, other = a_factory_house(database), a_factory_house(database)
    asked = ask(database, sheet, asker, "  克重多少？ ")
    assert ask(database, sheet, asker, "克重多少？") == asked
    with database.reading() as session:
        assert [q.words for q in questions_for(session, sheet.id, asker)] == ["克重多少？"]
        assert questions_for(session, sheet.id, other) == []
    for _twice in range(2):
        with database.transaction() as session:
            answer_question(session, asked, "240 g/m²", organisation_id=house_of(session, sheet), now=LATER)
    with database.reading() as session:
        for reader in (asker, other):
            [told] = questions_for(session, sheet.id, reader)
            assert (told.version, told.answer, told.answered_at) == (1, "240 g/m²", LATER)


def test_an_answer_stays_as_it_is_and_is_the_merchandiser_s_own(database: Database, sheet: DemandSheet) -> None:
    asked = ask(database, sheet, a_factory_house(database))
    with database.transaction() as session, pytest.raises(QuestionNotFound):
        answer_question(session, asked, "?", organisation_id=an_organisation(session, Role.MERCHANDISER).id, now=LATER)
    with database.transaction() as session, pytest.raises(Invalid):
        answer_question(session, asked, "   ", organisation_id=house_of(session, sheet), now=LATER)
    with database.transaction() as session, pytest.raises(QuestionNotFound):
        answer_question(session, uuid7(), "!", organisation_id=house_of(session, sheet), now=LATER)
    with database.transaction() as session:
        answer_question(session, asked, "Yes.", organisation_id=house_of(session, sheet), now=LATER)
    with database.transaction() as session, pytest.raises(AlreadyAnswered):
        answer_question(session, asked, "No.", organisation_id=house_of(session, sheet), now=LATER)
    with database.reading() as session:
        assert [(q.answer, q.answered_at) for q in questions_about(session, sheet.id)] == [("Yes.", LATER)]


def test_a_factory_asks_no_more_than_three_at_once_and_in_few_words(database: Database, sheet: DemandSheet) -> None:
    asker = a_factory_house(database)
    asked = [ask(database, sheet, asker, "?", f"key-{number}") for number in range(3)]
    with database.transaction() as session, pytest.raises(TooManyOpenQuestions):
        ask_question(session, FactoryQuestion(sheet.id, asker, "?", "key-3"), now=MORNING)
    for words in ("", " ", "字" * 501):
        with database.transaction() as session, pytest.raises(Invalid):
            ask_question(session, FactoryQuestion(sheet.id, asker, words, "key-4"), now=MORNING)
    with database.transaction() as session, pytest.raises(queries.SheetNotFound):
        ask_question(session, FactoryQuestion(uuid7(), asker, "?", "key-5"), now=MORNING)
    with database.transaction() as session:
        assert sorted(session.exec(select(SheetQuestion.id)).all(), key=str) == sorted(asked, key=str)
        answer_question(session, asked[0], "!", organisation_id=house_of(session, sheet), now=LATER)
    ask(database, sheet, asker, "?", "key-3")
    ask(database, sheet, a_factory_house(database), "?", "key-0")
    with database.reading() as session:
        assert len(session.exec(select(SheetQuestion).where(col(SheetQuestion.answered_at).is_(None))).all()) == 4
