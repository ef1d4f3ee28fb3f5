"""A product of the demo market: its ladder, variants, look, and the days it is on offer."""

from dataclasses import dataclass, field
from enum import StrEnum

from c2m.demand.models import CampaignKind
from c2m.demand.rules import Tier
from c2m.design.drawings import COLOURS, DrawingSpec

CLOTHES = ("S", "M", "L", "XL")
SHOES = ("36", "37", "38", "39", "40", "41", "42")


class FirstPiece(StrEnum):
    """What becomes of the first piece of what was a concept before the demo ends."""

    USUAL = "usual"  # takes its course
    AWAITED = "awaited"  # its factory has not shown it yet: left to whoever signs in
    UNJUDGED = "unjudged"  # its house has not judged it yet: left to whoever signs in
    DIFFERS = "differs"  # accepted though it differs, so that buyers may leave


def minor(yuan: float) -> int:
    """Yuan as fen."""
    return round(yuan * 100)


@dataclass(frozen=True)
class Look:
    """How a product is drawn, beside the colour of its first variant."""

    secondary: str = "white"
    pattern: str = "plain"
    background: str = "studio"
    finish: str = ""
    shape: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Product:
    """A product and its campaign. Prices in yuan; `ends` in days from the demo's last instant, before it negative."""

    title: str
    title_en: str
    category: str
    ladder: tuple[tuple[int, float], ...]
    minimum: int
    colours: tuple[str, ...]
    sizes: tuple[str, ...]
    ends: float
    runs: float  # days
    draws: int  # pieces it would find takers for
    pitch: str
    pitch_en: str
    kind: CampaignKind = CampaignKind.GROUP_BUY
    look: Look = Look()
    cap: int | None = None
    limit: int | None = None
    deposit: float = 0
    deposit_counts: float = 0
    pack: int = 1  # pieces
    colour_minimum: int = 0
    extension: int = 0  # days, by itself if the minimum is missed
    next_round: int = 0  # days, if it fails
    sample: str = ""  # English title of the sample order it was tried with
    extended: float | None = None  # days from the last instant at which its merchandiser extends it by three days
    completed: bool = False  # its merchandiser buys what is missing, a day before the end
    production_days: int | None = None  # promised; the policy's unless given
    first_piece: FirstPiece = FirstPiece.USUAL  # of what was a concept
    slips: float = 0  # days by which the first factory that makes it falls behind its plan
    called_off: float | None = None  # days from the last instant at which its merchandiser calls it off

    @property
    def key(self) -> str:
        """Names the product."""
        return f"{self.kind} {self.title}"

    @property
    def shown_on(self) -> float:
        """The day on which its campaign opens."""
        return self.ends - self.runs

    @property
    def description(self) -> str:
        """The pitch in both languages."""
        return f"{self.pitch}\n{self.pitch_en}"

    @property
    def tiers(self) -> tuple[Tier, ...]:
        return tuple(Tier(from_quantity, minor(price)) for from_quantity, price in self.ladder)

    @property
    def variants(self) -> tuple[tuple[str, str], ...]:
        """Colour × size, the colours in both languages."""
        return tuple((f"{COLOURS[c].zh} {COLOURS[c].en}", size) for c in self.colours for size in self.sizes)

    @property
    def spec(self) -> DrawingSpec:
        """The product in its first colour."""
        look = self.look
        return DrawingSpec(
            category=self.category,
            primary=self.colours[0],
            secondary=look.secondary,
            pattern=look.pattern,
            finish=look.finish,
            shape=look.shape,
            background=look.background,
        )
