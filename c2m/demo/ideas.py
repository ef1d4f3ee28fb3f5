"""A concept of the demo market: a product that doesn't exist yet, shown as sketches to find out who wants it."""

from dataclasses import dataclass

from c2m.demo.products import Product
from c2m.design.drawings import COLOURS


@dataclass(frozen=True)
class Idea:
    """A concept. Days count from the demo's last instant; what it becomes is the campaign it is promoted to."""

    title: str
    title_en: str
    category: str
    brief: str
    brief_en: str
    price: float  # yuan
    deposit: float
    target: int
    published: float
    ends: float
    wanted: int  # buyers who would say so over the whole time
    colours: tuple[tuple[str, str], ...]  # of its sketches: primary, secondary
    pattern: str = "plain"
    becomes: Product | None = None
    ours: bool = False  # of the house that one signs in as
    studio: bool = False  # its pictures come from the picture studio, made by the image model
    decided: float | None = None  # day of the merchandiser's decision: promoted, or stopped where it becomes nothing

    @property
    def key(self) -> str:
        """Names the concept."""
        return f"concept {self.title}"

    @property
    def shown_on(self) -> float:
        """The day on which it is published."""
        return self.published

    @property
    def sketch_names(self) -> list[tuple[str, str]]:
        """The sketches by their colours, in Chinese and in English."""
        pairs = [(COLOURS[primary], COLOURS[secondary]) for primary, secondary in self.colours]
        return [(f"{one.zh}配{other.zh}", f"{one.en} with {other.en.lower()}") for one, other in pairs]
