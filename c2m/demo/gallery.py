"""Pictures of the demo's products and concepts, drawn by a second process while the market lives."""

import io
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any
from uuid import UUID

from sqlmodel import Session

from c2m.demo.atelier import Atelier
from c2m.demo.ideas import Idea
from c2m.demo.products import Product
from c2m.design.drawings import draw
from c2m.design.generation import Brief, SketchGenerator
from c2m.design.models import Picture, PictureKind
from c2m.design.pictures import store


@dataclass(frozen=True)
class Drawn:
    """A drawing as WebP, with how to make it again."""

    content: bytes
    provenance: dict[str, Any]


def another_process() -> Executor:
    """Draws on another core."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


@dataclass
class Gallery:
    """Draws elsewhere, as the pool has it; asking for a picture waits until it is there."""

    size: int  # pixels
    seed: int
    pool: Executor
    orders: dict[str, Future[list[Drawn]]] = field(default_factory=dict)
    atelier: Atelier = field(init=False)

    def __post_init__(self) -> None:
        self.atelier = Atelier(self.pool)

    def __enter__(self) -> "Gallery":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pool.shutdown(cancel_futures=True)

    def order(self, wanted: Iterable[Product | Idea]) -> None:
        """Have these drawn, those that are shown first before the others."""
        for subject in sorted(wanted, key=lambda subject: subject.shown_on):
            if isinstance(subject, Idea) and subject.studio:
                self.atelier.order(subject, self.seed)
            else:
                self.orders[subject.key] = self.pool.submit(draw_all, subject, self.size, self.seed)

    def hang(self, session: Session, product: Product, owner_id: UUID, *, now: datetime) -> Picture:
        """Store a product's picture."""
        [drawn] = self.orders[product.key].result()
        return _store(session, drawn, owner_id, now)

    def hang_sketches(self, session: Session, idea: Idea, owner_id: UUID, *, now: datetime) -> list[Picture]:
        """Store the sketches of a concept, in the order of its colours."""
        return [_store(session, drawn, owner_id, now) for drawn in self.orders[idea.key].result()]


def draw_all(subject: Product | Idea, size: int, seed: int) -> list[Drawn]:
    """A product's one picture, or all sketches of a concept."""
    return _product(subject, size, seed) if isinstance(subject, Product) else _sketches(subject, size, seed)


def _product(product: Product, size: int, seed: int) -> list[Drawn]:
    """The product in its first colour."""
    spec = product.spec
    provenance = {
        "generator": "sketch",
        "seed": seed,
        "spec": {"category": spec.category, "primary": spec.primary, "shape": dict(spec.shape)}
        | {name: value for name, value in asdict(product.look).items() if name != "shape"},
    }
    image = draw(spec, size=size, seed=seed)
    return [Drawn(_webp(image), provenance)]


def _sketches(idea: Idea, size: int, seed: int) -> list[Drawn]:
    """One sketch for each of the concept's colours, by the generator merchandisers use."""
    generator = SketchGenerator(size=size)
    found = []
    for number, (primary, secondary) in enumerate(idea.colours):
        attributes = {"primary": primary, "secondary": secondary, "pattern": idea.pattern}
        brief = Brief(idea.category, words=idea.brief, attributes=attributes)
        [made] = generator.generate(brief, count=1, seed=seed + number, progress=_nobody_watches)
        found.append(Drawn(_webp(made.image), made.provenance))
    return found


def _webp(image: Any) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "WEBP", quality=90, method=4)
    return out.getvalue()


def _nobody_watches(_done: int, _count: int) -> None:
    """Drawing goes on in the background."""


def _store(session: Session, drawn: Drawn, owner_id: UUID, now: datetime) -> Picture:
    return store(session, drawn.content, PictureKind.SKETCH, drawn.provenance, organisation_id=owner_id, now=now)
