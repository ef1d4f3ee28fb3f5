"""The image model at work for the demo: a second process makes what merchandisers ask the picture studio for."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from c2m.config import Imagination
from c2m.demo.ideas import Idea
from c2m.design.generation import Brief, Generated, ImageGenerator, Progress
from c2m.design.generations import Commission, reading_of
from c2m.design.making import chosen_generator

NOBODY = UUID(int=0)


def commission_of(idea: Idea, seed: int, *, house: UUID = NOBODY, by: UUID = NOBODY) -> Commission:
    """What a merchandiser asks the studio for: the idea in each of its colours, all of one seed."""
    return Commission(
        organisation_id=house,
        asked_by=by,
        idempotency_key=f"demo-{idea.key}"[:80],
        seed=seed,
        words=idea.brief,
        category=idea.category,
        attributes={"secondary": idea.colours[0][1], "pattern": idea.pattern},
        colours=tuple(primary for primary, _secondary in idea.colours),
    )


@dataclass
class Atelier:
    """A generator whose pictures another process makes; those that were ordered ahead are handed out at once."""

    pool: Executor
    _made: dict[str, Future[Generated]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it really is: the generator that the other process has."""
        return chosen_generator(Imagination()).name

    def order(self, idea: Idea, seed: int) -> None:
        """Have the pictures of an idea made before anybody asks for them."""
        asked = commission_of(idea, seed)
        for at, attributes in reading_of(asked)[1]:
            self._begin(Brief(asked.category, asked.words, attributes), at)

    def generate(self, brief: Brief, *, count: int, seed: int, progress: Progress) -> Iterator[Generated]:
        """Pictures as the other process makes them."""
        for number in range(count):
            yield self._begin(brief, seed + number).result()
            progress(number + 1, count)

    def _begin(self, brief: Brief, seed: int) -> Future[Generated]:
        key = f"{brief.category} {brief.words} {_in_order(brief.attributes)} {seed}"
        if key not in self._made:
            self._made[key] = self.pool.submit(imagine, brief, seed)
        return self._made[key]


def imagine(brief: Brief, seed: int) -> Generated:
    """One picture by the generator that is configured; without an image model, a sketch that says so."""
    [made] = _generator().generate(brief, count=1, seed=seed, progress=_nobody_watches)
    return made


@cache
def _generator() -> ImageGenerator:
    return chosen_generator(Imagination())


def _in_order(attributes: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(attributes.items())


def _nobody_watches(_done: int, _count: int) -> None:
    """The demo's days go on meanwhile."""
