"""Generations: a brief becomes as many pictures as asked for, each made once, whatever happens to the worker."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from c2m.db import Database
from c2m.design.diffusion.briefs import UnknownProduct
from c2m.design.generation import Brief, SketchGenerator
from c2m.design.generations import (
    Commission,
    GenerationEnded,
    GenerationKeyReused,
    GenerationNotFound,
    GenerationNotStopped,
    TooManyGenerations,
    asked_for,
    cancel_generation,
    commission,
    generation_of,
    renditions,
    resume_generation,
)
from c2m.design.making import STOPPED, Maker
from c2m.design.models import Generation, GenerationState, Picture, PictureKind, Rendition
from c2m.design.pictures import PictureNotFound, store_drawing
from c2m.design.wording import BrandWord
from c2m.errors import Conflict, Invalid
from c2m.jobs import Job, Unanswered, Worker
from tests.conftest import Person
from tests.design.builders import NOON, TinyModel, a_commission, an_image, count, everything


class OutOfPaint(Conflict):
    sentence = "There is no %(colour)s paint left."


@pytest.fixture
def order(people: dict[str, Person]) -> Callable[..., Commission]:
    """What the merchandiser asks for."""
    who = people["merchandiser"]
    return lambda **asked: a_commission(who.organisation_id, who.user_id, **asked)


def asked(database: Database, order: Commission) -> Generation:
    with database.transaction() as session:
        return commission(session, order, now=NOON)


def work(database: Database, model: object, now: object = NOON) -> None:
    """Have a worker do everything that is due, looking up at every step."""
    ticks = iter(range(10**6))
    maker = Maker(database, lambda: model, stopwatch=lambda: float(next(ticks)) / 100)
    Worker(database, maker.handlers(), {}).run_until_idle(now)


def state_of(database: Database, generation: Generation) -> tuple[Generation, list[Rendition]]:
    with database.reading() as session:
        return session.get_one(Generation, generation.id), renditions(session, [generation.id])[generation.id]


def test_a_brief_is_kept_as_it_was_understood(database: Database, order: Callable[..., Commission]) -> None:
    made, [first, *others] = state_of(database, asked(database, order(words="红白条纹马克杯 会飞", count=3, seed=40)))
    assert (made.category, made.state, made.round) == ("mug", GenerationState.WAITING, 1)
    assert made.attributes == {"primary": "red", "secondary": "white", "pattern": "stripes"}
    assert made.ignored == ["会飞"]
    assert [first.seed, *(other.seed for other in others)] == [40, 41, 42]
    assert first.attributes == made.attributes
    assert first.picture_id is None


def test_every_picture_is_made_with_its_seed_and_kept_with_how(
    database: Database, order: Callable[..., Commission]
) -> None:
    model = TinyModel()
    generation = asked(database, order())
    work(database, model)
    done, made = state_of(database, generation)
    assert done.state is GenerationState.DONE
    assert [(brief.category, number, seed) for brief, number, seed in model.asked] == [("mug", 3, 40)]
    with database.reading() as session:
        pictures = [session.get_one(Picture, rendition.picture_id) for rendition in made]
        assert asked_for(session, pictures[1].id) is not None
    assert [picture.provenance["seed"] for picture in pictures] == [40, 41, 42]
    assert {picture.kind for picture in pictures} == {PictureKind.CONCEPT}
    assert pictures[0].provenance["by"] == "Merchandiser"
    assert pictures[0].provenance["asked_at"] == "2026-11-22T08:00:00+00:00"
    assert pictures[0].organisation_id == done.organisation_id
    assert pictures[0].published_at is None


def test_the_same_form_asks_once(database: Database, order: Callable[..., Commission]) -> None:
    first = asked(database, order())
    assert asked(database, order()).id == first.id
    for other in ({"words": "a blue mug"}, {"attributes": {"primary": "pink"}}, {"colours": ("pink",)}, {"count": 2}):
        with pytest.raises(GenerationKeyReused):
            asked(database, order(**other))
    with database.reading() as session:
        assert (count(session, Generation), count(session, Rendition), count(session, Job)) == (1, 3, 1)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"words": "耐克马克杯"}, BrandWord),
        ({"words": "something nice"}, UnknownProduct),
        ({"count": 0}, Invalid),
        ({"count": 9}, Invalid),
        ({"strength_pct": 60}, Invalid),
        ({"source_id": uuid4()}, Invalid),
        ({"source_id": uuid4(), "strength_pct": 60}, PictureNotFound),
        ({"source_id": uuid4(), "strength_pct": 101}, Invalid),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_waits(
    database: Database, order: Callable[..., Commission], changed: dict[str, object], refusal: type[Exception]
) -> None:
    order()
    before = everything(database)
    with pytest.raises(refusal):
        asked(database, order(**changed))
    assert everything(database) == before


def test_a_fourth_run_at_once_waits_for_one_to_end(database: Database, order: Callable[..., Commission]) -> None:
    runs = [asked(database, order(idempotency_key=f"form {number}")) for number in range(3)]
    with pytest.raises(TooManyGenerations):
        asked(database, order(idempotency_key="form 3"))
    with database.transaction() as session:
        cancel_generation(session, session.get_one(Generation, runs[0].id), now=NOON)
    assert asked(database, order(idempotency_key="form 3")).state is GenerationState.WAITING


def test_another_house_s_picture_is_no_source(
    database: Database, order: Callable[..., Commission], people: dict[str, Person]
) -> None:
    picture = a_source(database, people["merchandiser2"].organisation_id)
    with pytest.raises(PictureNotFound):
        asked(database, order(source_id=picture.id, strength_pct=60))


def test_a_picture_to_start_from_reaches_the_generator_and_the_provenance(
    database: Database, order: Callable[..., Commission], people: dict[str, Person]
) -> None:
    source, model = a_source(database, people["merchandiser"].organisation_id), TinyModel()
    generation = asked(database, order(source_id=source.id, strength_pct=45, count=1))
    work(database, model)
    [(brief, _, _)] = model.asked
    assert brief.source is not None
    assert (brief.source.size, brief.source.mode, brief.strength) == ((96, 96), "RGB", 0.45)
    _, [made] = state_of(database, generation)
    with database.reading() as session:
        provenance = session.get_one(Picture, made.picture_id).provenance
    assert (provenance["source_picture"], provenance["strength"]) == (str(source.id), 0.45)


def test_colour_ways_share_the_seed_and_differ_in_colour_alone(
    database: Database, order: Callable[..., Commission]
) -> None:
    model = TinyModel()
    generation = asked(database, order(colours=("navy", "white"), seed=7))
    work(database, model)
    _, made = state_of(database, generation)
    assert [(rendition.seed, rendition.attributes) for rendition in made] == [
        (7, {"primary": "navy", "secondary": "white", "pattern": "stripes"}),
        (7, {"primary": "white", "secondary": "red", "pattern": "stripes"}),
    ]
    assert [(number, seed) for _, number, seed in model.asked] == [(1, 7), (1, 7)]


def test_a_refusal_is_kept_as_the_reason_and_the_run_can_go_on(
    database: Database, order: Callable[..., Commission]
) -> None:
    generation = asked(database, order())
    work(database, TinyModel(trouble=OutOfPaint(colour="red"), after=1))
    failed, made = state_of(database, generation)
    assert (failed.state, failed.reason % failed.reason_details) == (
        GenerationState.FAILED,
        "There is no red paint left.",
    )
    assert [rendition.picture_id is not None for rendition in made] == [True, False, False]
    with database.transaction() as session:
        resume_generation(session, session.get_one(Generation, generation.id), now=NOON)
    healthy = TinyModel()
    work(database, healthy)
    done, again = state_of(database, generation)
    assert (done.state, done.reason, done.round) == (GenerationState.DONE, "", 2)
    assert again[0].picture_id == made[0].picture_id
    assert [(number, seed) for _, number, seed in healthy.asked] == [(2, 41)]


def test_an_unexpected_fault_is_said_in_one_sentence(database: Database, order: Callable[..., Commission]) -> None:
    generation = asked(database, order())
    work(database, TinyModel(trouble=ZeroDivisionError("deep inside")))
    failed, _ = state_of(database, generation)
    assert (failed.state, failed.reason) == (GenerationState.FAILED, STOPPED)


def test_cancelling_stops_the_worker_at_its_next_step(database: Database, order: Callable[..., Commission]) -> None:
    generation = asked(database, order())

    class Interrupted(TinyModel):
        def generate(self, brief, *, count, seed, progress):  # type: ignore[no-untyped-def]
            for number, made in enumerate(super().generate(brief, count=count, seed=seed, progress=progress)):
                yield made
                if number == 0:
                    with database.transaction() as session:
                        cancel_generation(session, session.get_one(Generation, generation.id), now=NOON)

    ticks = iter(range(10**6))
    maker = Maker(database, Interrupted, stopwatch=lambda: float(next(ticks)))
    Worker(database, maker.handlers(), {}).run_until_idle(NOON)
    ended, made = state_of(database, generation)
    assert ended.state is GenerationState.CANCELLED
    assert [rendition.picture_id is not None for rendition in made] == [True, False, False]
    with database.reading() as session:
        assert count(session, Picture) == 1


def test_a_cancelled_run_is_not_begun(database: Database, order: Callable[..., Commission]) -> None:
    generation, model = asked(database, order()), TinyModel()
    with database.transaction() as session:
        cancel_generation(session, session.get_one(Generation, generation.id), now=NOON)
    work(database, model)
    assert model.asked == []
    with database.transaction() as session, pytest.raises(GenerationEnded):
        cancel_generation(session, session.get_one(Generation, generation.id), now=NOON)


def test_a_run_under_way_is_not_taken_up_again(database: Database, order: Callable[..., Commission]) -> None:
    generation = asked(database, order())
    with database.transaction() as session, pytest.raises(GenerationNotStopped):
        resume_generation(session, session.get_one(Generation, generation.id), now=NOON)


def test_a_worker_that_died_is_followed_by_one_that_makes_what_is_missing(
    database: Database, order: Callable[..., Commission]
) -> None:
    generation = asked(database, order())

    class Killed(BaseException):
        pass

    with pytest.raises(Killed):
        work(database, TinyModel(trouble=Killed(), after=2))  # type: ignore[arg-type]
    under_way, made = state_of(database, generation)
    assert under_way.state is GenerationState.RUNNING
    follower = TinyModel()
    with pytest.raises(Unanswered), database.reading() as session:
        Maker(database, lambda: follower).make_pictures(session, [generation.id], NOON + timedelta(seconds=30))
    assert follower.asked == []
    work(database, follower, NOON + timedelta(minutes=6))
    done, after = state_of(database, generation)
    assert done.state is GenerationState.DONE
    assert [(number, seed) for _, number, seed in follower.asked] == [(1, 42)]
    assert [rendition.picture_id for rendition in after[:2]] == [rendition.picture_id for rendition in made[:2]]
    with database.reading() as session:
        assert count(session, Picture) == 3


def test_a_worker_that_comes_back_late_keeps_nothing(database: Database, order: Callable[..., Commission]) -> None:
    generation = asked(database, order(count=1))
    late = NOON + timedelta(minutes=6)

    class Slow(TinyModel):
        def generate(self, brief, *, count, seed, progress):  # type: ignore[no-untyped-def]
            with database.reading() as session:
                Maker(database, TinyModel).make_pictures(session, [generation.id], late)
            yield from super().generate(brief, count=count, seed=seed, progress=lambda done, steps: None)

    with database.reading() as session:
        Maker(database, Slow).make_pictures(session, [generation.id], NOON)
    done, [made] = state_of(database, generation)
    assert (done.state, done.ended_at is not None and done.ended_at >= late) == (GenerationState.DONE, True)
    with database.reading() as session:
        assert count(session, Picture) == 1
        assert made.picture_id is not None


def test_steps_are_counted_over_all_pictures(database: Database, order: Callable[..., Commission]) -> None:
    generation = asked(database, order(count=2))
    seen: list[tuple[int, int]] = []

    class Watched(TinyModel):
        def generate(self, brief: Brief, *, count, seed, progress):  # type: ignore[no-untyped-def]
            def watched(done: int, steps: int) -> None:
                progress(done, steps)
                now, _ = state_of(database, generation)
                seen.append((now.steps_done, now.steps))

            yield from super().generate(brief, count=count, seed=seed, progress=watched)

    ticks = iter(range(10**6))
    maker = Maker(database, Watched, stopwatch=lambda: float(next(ticks)))
    Worker(database, maker.handlers(), {}).run_until_idle(NOON)
    assert seen == [(step, 8) for step in range(1, 9)]


def test_our_own_sketcher_makes_sketches(database: Database, order: Callable[..., Commission]) -> None:
    generation = asked(database, order(count=2))
    work(database, SketchGenerator(size=64))
    done, made = state_of(database, generation)
    with database.reading() as session:
        kinds = {session.get_one(Picture, rendition.picture_id).kind for rendition in made}
    assert (done.state, kinds) == (GenerationState.DONE, {PictureKind.SKETCH})


def test_other_people_s_runs_are_not_found(
    database: Database, order: Callable[..., Commission], people: dict[str, Person]
) -> None:
    generation = asked(database, order())
    with database.reading() as session, pytest.raises(GenerationNotFound):
        generation_of(session, generation.id, organisation_id=people["merchandiser2"].organisation_id)


def a_source(database: Database, organisation_id: UUID) -> Picture:
    with database.transaction() as session:
        return store_drawing(session, an_image(), provenance={}, organisation_id=organisation_id, now=NOON)
