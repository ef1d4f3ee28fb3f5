"""What validation sees and says, on both databases: exposures, saves, questions, daily looks, what is learned."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from c2m.app import build_worker
from c2m.audit import running
from c2m.db import Database, table_of
from c2m.design import concepts, evidence, looks, signals, wants
from c2m.design.evidence import Showing
from c2m.design.exposures import ExposureLog
from c2m.design.looks import look_at_concepts, weigh_variants
from c2m.design.models import (
    Commitment,
    Concept,
    ConceptVariant,
    DailyLook,
    Exposure,
    Outcome,
    Place,
    Question,
    SavedConcept,
    Want,
    WantState,
)
from c2m.design.outcomes import record_outcome
from c2m.design.signals import Asked, NotShown, TooManyQuestions
from c2m.design.telling import tell_decided
from c2m.design.validation.rule import Decision
from c2m.design.validation.signals import Signal
from c2m.design.wants import ConceptClosed
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.ledger.provider import SandboxProvider
from c2m.notices.models import Notice, NoticeKind
from tests.builders import an_organisation
from tests.design.builders import NOON, a_concept, a_want, count

DAY = timedelta(days=1)


def a_crowd(session: Session, variants: list[ConceptVariant], buyers: int, *, quantity: int = 3) -> list[UUID]:
    """So many buyers who each want three at the price asked, spread over the variants; nobody pays a deposit."""
    ids = [an_organisation(session, Role.BUYER).id for _ in range(buyers)]
    for at, buyer in enumerate(ids):
        a_want(session, variants[at % len(variants)], buyer, quantity, key=f"want-{at:06}")
    return ids


def paid(session: Session, buyers: list[UUID]) -> None:
    """These buyers' deposits have reached escrow."""
    table = table_of(Want)
    session.execute(sa.update(table).where(table.c.buyer_id.in_(buyers)).values(state=WantState.DEPOSITED))


def shown(session: Session) -> dict[tuple[UUID, Place], int]:
    return {(row.variant_id, row.place): row.shown for row in session.exec(select(Exposure)).all()}


def test_what_was_shown_is_written_down_and_added_up(database: Database) -> None:
    with database.transaction() as session:
        _, [first, second] = a_concept(session)
    log = ExposureLog(database, after_seconds=None)
    for who in ("one", "two", "one"):
        log.note([first.id], Place.PAGE, who=who, now=NOON)
    log.note([first.id, second.id], Place.MARKET, who="one", now=NOON)
    log.write()
    log.note([first.id], Place.PAGE, who="three", now=NOON)
    log.note([first.id], Place.PAGE, who="one", now=NOON + DAY)
    log.write()
    log.write()
    with database.reading() as session:
        rows = session.exec(select(Exposure).where(Exposure.variant_id == first.id, Exposure.place == Place.PAGE)).all()
        assert {row.day: row.shown for row in rows} == {NOON.date(): 3, (NOON + DAY).date(): 1}
        assert shown(session)[second.id, Place.MARKET] == 1


def test_what_cannot_be_written_is_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.transaction() as session:
        _, [first, _] = a_concept(session)
    log = ExposureLog(database, after_seconds=None)
    log.note([first.id], Place.PAGE, who="one", now=NOON)
    with monkeypatch.context() as broken:
        broken.setattr(log, "database", Database("sqlite://"))  # without a table
        log.write()
    log.write()
    with database.reading() as session:
        assert shown(session) == {(first.id, Place.PAGE): 1}


def test_saving_twice_is_saving_once_and_can_be_undone(database: Database) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session)
        buyer = an_organisation(session, Role.BUYER).id
        for _ in range(2):
            signals.save_concept(session, concept, buyer, now=NOON)
        assert signals.is_saved(session, concept.id, buyer)
        assert count(session, SavedConcept) == 1
        signals.forget_concept(session, concept, buyer)
        assert not signals.is_saved(session, concept.id, buyer)


def test_a_question_is_asked_once_and_answered_for_all(database: Database) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session)
        asked = Asked(concept.id, an_organisation(session, Role.BUYER).id, " 能机洗吗？ ", "a key of its own")
        question = signals.ask(session, asked, now=NOON)
        assert signals.ask(session, asked, now=NOON).id == question.id
        with pytest.raises(Invalid):
            signals.answer(session, question, "  ", now=NOON)
        for _ in range(2):
            signals.answer(session, question, "可以。", now=NOON + DAY)
    with database.reading() as session:
        [found] = signals.questions_about(session, concept.id)
        assert (found.words, found.answer, found.answered_at) == ("能机洗吗？", "可以。", NOON + DAY)
    [notice] = told(database, NoticeKind.CONCEPT_ANSWERED)
    assert (notice.organisation_id, notice.subject_id) == (found.buyer_id, concept.id)


def test_questions_have_a_limit_and_an_end(database: Database) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session)
        buyer = an_organisation(session, Role.BUYER).id
        for number in range(5):
            signals.ask(session, Asked(concept.id, buyer, "?", f"question-{number}"), now=NOON)
        with pytest.raises(TooManyQuestions):
            signals.ask(session, Asked(concept.id, buyer, "?", "question-5"), now=NOON)
        for late in (
            lambda: signals.ask(session, Asked(concept.id, buyer, "?", "question-6"), now=concept.ends_at),
            lambda: signals.save_concept(session, concept, buyer, now=concept.ends_at),
        ):
            with pytest.raises(NotShown):
                late()
        assert (count(session, Question), count(session, SavedConcept)) == (5, 0)


def test_signals_are_counted_by_buyer(database: Database) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session)
        buyers = a_crowd(session, variants, 6)
        a_want(session, variants[0], buyers[0], key="another one")
        paid(session, buyers[:2])
        signals.save_concept(session, concept, buyers[0], now=NOON)
        log = ExposureLog(database, after_seconds=None)
        for who in range(10):
            log.note([variants[who % 2].id], Place.MARKET, who=str(who), now=NOON)
        log.note([variants[0].id], Place.PAGE, who="0", now=NOON)
    log.write()
    with database.reading() as session:
        assert evidence.signal_counts(session, concept.id) == {
            Signal.IMPRESSION: 10,
            Signal.VIEW: 1,
            Signal.SAVE: 1,
            Signal.ASK: 0,
            Signal.WANT: 6,
            Signal.DEPOSIT: 2,
        }
        found = evidence.showings(session, [concept.id])[concept.id]
        assert found == {variants[0].id: Showing(6, 3), variants[1].id: Showing(5, 3)}


def the_looks(database: Database, concept_id: UUID) -> list[DailyLook]:
    with database.reading() as session:
        return evidence.daily_looks(session, concept_id)


def told(database: Database, kind: NoticeKind) -> list[Notice]:
    with database.reading() as session:
        return list(session.exec(select(Notice).where(Notice.kind == kind)).all())


def test_a_concept_that_is_surely_wanted_is_validated_once_and_stays_so(
    database: Database, provider: SandboxProvider
) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session, target_quantity=40)
        buyers = a_crowd(session, variants, 80)
        paid(session, buyers)
    worker = build_worker(database, provider)
    for day in (2, 8, 9, 10):
        worker.run_until_idle(NOON + day * DAY)
    found = the_looks(database, concept.id)
    assert [look.decision for look in found] == [Decision.GO_ON, *[Decision.VALIDATED] * 3]
    assert all(look.low <= look.expected <= look.high for look in found)
    assert (found[1].buyers, found[1].pieces) == (80, 240)
    [notice] = told(database, NoticeKind.CONCEPT_VALIDATED)
    assert (notice.organisation_id, notice.subject_id) == (concept.organisation_id, concept.id)
    assert notice.facts["minimum"] == 40
    with database.transaction() as session:  # whatever is taken back later
        session.execute(sa.update(table_of(Want)).values(state=WantState.WITHDRAWN))
    worker.run_until_idle(NOON + 11 * DAY)
    last = the_looks(database, concept.id)[-1]
    assert last.decision is Decision.VALIDATED
    assert last.chance_ppm < 1000
    assert len(told(database, NoticeKind.CONCEPT_VALIDATED)) == 1


def test_a_concept_nobody_wants_is_advised_against_and_left_alone(
    database: Database, provider: SandboxProvider
) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session)
    worker = build_worker(database, provider)
    for day in (1, 9, 10):
        worker.run_until_idle(NOON + day * DAY)
    assert [look.decision for look in the_looks(database, concept.id)] == [
        Decision.GO_ON,
        Decision.STOP,
        Decision.STOP,
    ]
    assert len(told(database, NoticeKind.CONCEPT_HOPELESS)) == 1
    with database.reading() as session:
        assert concepts.concept(session, concept.id).state == "published"


def test_looking_twice_a_day_changes_nothing(database: Database) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session)
        look_at_concepts(session, [], NOON + DAY)
        a_crowd(session, variants, 20)
        look_at_concepts(session, [], NOON + DAY)
    [look] = the_looks(database, concept.id)
    assert look.buyers == 0


def test_drafts_and_decided_concepts_are_not_looked_at(database: Database) -> None:
    with database.transaction() as session:
        a_concept(session, published=False)
        stopped, _ = a_concept(session)
        concepts.stop_concept(session, stopped, now=NOON)
        look_at_concepts(session, [], NOON + DAY)
        assert count(session, DailyLook) == 0


def test_the_variant_that_is_wanted_gets_most_and_the_other_its_floor(database: Database) -> None:
    with database.transaction() as session:
        _, [first, second] = a_concept(session)
        a_crowd(session, [second], 30)
    log = ExposureLog(database, after_seconds=None)
    for who in range(150):
        log.note([first.id, second.id], Place.PAGE, who=str(who), now=NOON)
    log.write()
    with database.transaction() as session:
        weigh_variants(session, [], NOON)
    with database.reading() as session:
        parts = {i: session.get_one(ConceptVariant, i).share_ppm for i in (first.id, second.id)}
    assert parts == {first.id: 100_000, second.id: 900_000}


def test_the_same_rows_give_the_same_figures(database: Database) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session)
        a_crowd(session, variants, 30)
    with database.reading() as session:
        said, learned = (
            evidence.said_of(session, [concept.id])[concept.id],
            evidence.lessons(session, "bottle", now=NOON),
        )
        one, two = (looks.appraise(concept, said, learned, now=NOON + 7 * DAY) for _ in range(2))
    assert one == two


def test_what_became_of_wants_is_learned_by_category_and_dated(database: Database) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session)
        buyers = a_crowd(session, variants, 40)
        paid(session, buyers[:20])
        concepts.mark_promoted(session, concept, now=NOON + 7 * DAY)
        strangers = [an_organisation(session, Role.BUYER).id for _ in range(5)]
        for _ in range(2):
            record_outcome(session, concept, {*buyers[:18], *buyers[20:21], *strangers}, now=NOON + 20 * DAY)
    with database.reading() as session:
        rows = {row.commitment: (row.buyers, row.orders) for row in session.exec(select(Outcome)).all()}
        before = evidence.lessons(session, "bottle", now=NOON + 19 * DAY)
        after = evidence.lessons(session, "bottle", now=NOON + 20 * DAY)
        elsewhere = evidence.lessons(session, "mug", now=NOON + 20 * DAY)
    assert rows == {Commitment.STATED: (20, 1), Commitment.DEPOSITED: (20, 18)}
    assert [lesson.concepts for lesson in before] == [0, 0]
    stated, deposited = after
    assert (deposited.concepts, deposited.buyers, deposited.orders) == (1, 20, 18)
    assert deposited.measured_at == NOON + 20 * DAY
    assert stated.prior.conversion.mean < before[0].prior.conversion.mean
    assert deposited.prior.conversion.mean > before[1].prior.conversion.mean
    assert deposited.prior.interest.mean == pytest.approx(20 / 7, rel=0.5)
    assert [(lesson.concepts, lesson.elsewhere) for lesson in elsewhere] == [(0, 1), (0, 1)]
    for own, other, assumed in zip(after, elsewhere, evidence.ASSUMED, strict=True):
        assert other.prior.conversion == own.prior.conversion  # the market's, until there is one of its own
        assert other.prior.interest == assumed.interest


@pytest.mark.parametrize("decide", [concepts.mark_promoted, concepts.stop_concept])
def test_after_its_decision_the_figures_are_those_it_was_decided_on(
    database: Database, decide: Callable[..., None]
) -> None:
    at = NOON + 7 * DAY
    with database.transaction() as session:
        concept, variants = a_concept(session, target_quantity=150)
        paid(session, a_crowd(session, variants, 80))
        [[same_moment, _], [earlier, others]] = [a_concept(session) for _ in range(2)]
        a_crowd(session, others, 10)
        concepts.stop_concept(session, earlier, now=at - DAY)
    with database.reading() as session:
        before = what_is_said_of(session, concept.id, now=at)
    with database.transaction() as session:
        decide(session, session.get_one(Concept, concept.id), now=at)
        concepts.stop_concept(session, session.get_one(Concept, same_moment.id), now=at)
    with database.reading() as session:
        assert what_is_said_of(session, concept.id, now=at) == before


def what_is_said_of(session: Session, concept_id: UUID, *, now: datetime) -> looks.Appraisal:
    concept = session.get_one(Concept, concept_id)
    said, learned = evidence.said_of(session, [concept_id])[concept_id], evidence.lessons(session, "bottle", now=now)
    return looks.appraise(concept, said, learned, now=now)


def test_a_validated_concept_stays_open_to_promotion_for_a_week_after_its_end(
    database: Database, provider: SandboxProvider
) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session, target_quantity=40)
        buyers = a_crowd(session, variants, 80)
    worker = build_worker(database, provider)
    last_moment = concept.ends_at + 7 * DAY - timedelta(seconds=1)
    for at in (NOON, NOON + 8 * DAY, concept.ends_at, concept.ends_at, last_moment):
        worker.run_until_idle(at)
    with database.transaction() as session:
        found = session.get_one(Concept, concept.id)
        assert (found.state, concepts.decide_by(found)) == ("published", concept.ends_at + 7 * DAY)
        [notice] = session.exec(select(Notice).where(Notice.kind == NoticeKind.CONCEPT_TO_DECIDE)).all()
        assert (notice.organisation_id, notice.subject_id) == (concept.organisation_id, concept.id)
        assert notice.facts["until"] == (concept.ends_at + 7 * DAY).isoformat()
        assert count(session, DailyLook) == 2  # nothing is looked at after the end
        with pytest.raises(ConceptClosed):
            a_want(session, variants[0], buyers[0], key="too late", now=concept.ends_at)
        withdrawn = session.exec(select(Want).where(Want.buyer_id == buyers[0])).one()
        wants.withdraw_want(session, withdrawn, now=last_moment)
    worker.run_until_idle(concept.ends_at + 7 * DAY)
    with database.reading() as session:
        found = session.get_one(Concept, concept.id)
        assert (found.state, found.decided_at) == ("stopped", concept.ends_at + 7 * DAY)
        states = [want.state for want in session.exec(select(Want)).all()]
        assert (states.count(WantState.REFUNDED), states.count(WantState.WITHDRAWN)) == (79, 1)
        assert running.run(session, now=concept.ends_at + 7 * DAY) == []


@pytest.mark.parametrize(
    ("decide", "kind"),
    [
        (concepts.mark_promoted, NoticeKind.CONCEPT_PROMOTED),
        (concepts.stop_concept, NoticeKind.CONCEPT_STOPPED),
    ],
)
def test_who_wanted_or_saved_it_is_told_once_what_was_decided_and_what_comes_back(
    database: Database, provider: SandboxProvider, decide: Callable[..., None], kind: NoticeKind
) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session)
        twice, taken_back, saved, declined = (an_organisation(session, Role.BUYER).id for _ in range(4))
        a_want(session, variants[0], twice, 2, key="the first")
        a_want(session, variants[1], twice, 1, key="the second")
        a_want(session, variants[0], declined)
        withdrawn = a_want(session, variants[0], taken_back).id
        signals.save_concept(session, concept, twice, now=NOON)
        signals.save_concept(session, concept, saved, now=NOON)
        a_want(session, a_concept(session)[1][0], an_organisation(session, Role.BUYER).id)
    provider.declined_organisations.add(str(declined))
    worker = build_worker(database, provider)
    worker.run_until_idle(NOON)
    with database.transaction() as session:
        wants.withdraw_want(session, session.get_one(Want, withdrawn), now=NOON)
        decide(session, session.get_one(Concept, concept.id), now=NOON + DAY)
    worker.run_until_idle(NOON + DAY)
    with database.transaction() as session:
        tell_decided(session, [concept.id], NOON + DAY)  # as a job that is done again would
    found = told(database, kind)
    assert {notice.organisation_id: notice.facts["amount_minor"] for notice in found} == {twice: 15_00, saved: 0}
    assert (len(found), {notice.subject_id for notice in found}) == (2, {concept.id})
    assert {tuple(notice.facts[name] for name in ("title", "title_en", "currency")) for notice in found} == {
        ("条纹保温杯", "Striped flask", "CNY")
    }


def test_a_promoted_concept_is_not_stopped_when_its_time_to_decide_is_over(
    database: Database, provider: SandboxProvider
) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session, target_quantity=40)
        a_crowd(session, variants, 80)
    worker = build_worker(database, provider)
    for at in (NOON, NOON + 8 * DAY, concept.ends_at):
        worker.run_until_idle(at)
    with database.transaction() as session:
        concepts.mark_promoted(session, session.get_one(Concept, concept.id), now=concept.ends_at + DAY)
    worker.run_until_idle(concept.ends_at + 7 * DAY)
    with database.reading() as session:
        found = session.get_one(Concept, concept.id)
        assert (found.state, found.decided_at) == ("promoted", concept.ends_at + DAY)


def test_the_proposed_campaign_follows_what_was_said(database: Database) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session, target_quantity=30)
        paid(session, a_crowd(session, variants, 60))
    with database.reading() as session:
        found = looks.proposed(session, session.get_one(Concept, concept.id), now=NOON + 7 * DAY)
    assert (found.price_minor, found.minimum, found.days) == (69_00, 30, 7)
    assert found.chance > 0.9
