"""Who makes what a replay sells: factories out of a file, or drawn from a seed."""

import tomllib
from pathlib import Path
from random import Random
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from c2m.errors import N_, Refusal
from c2m.matching.rules import PriceStep, Terms, terms_errors
from c2m.money import PPM

PPM_PER_PERCENT = PPM // 100
DRAWN = 20
WEEKLY_CAPACITIES = (2_500, 4_000, 6_000, 9_000)
BELTS = ("Midlands", "Lancashire", "Yorkshire", "Clydeside")

FORMAT = """\
A TOML file with one [[factory]] table each:

    [[factory]]
    name = "Mill One"
    region = "Yorkshire"       # may be left out
    weekly_capacity = 4000     # pieces
    minimum = 1                # pieces an order
    setup_minor = 0            # an order, in pence or whatever the minor unit is
    lead_days = 5              # from the end of the production week to the buyer
    late_percent = 4           # of its orders, drawn by the seed
    declines_percent = 1       # of the offers made to it, drawn by the seed
    prices = [{ pieces = 1, percent = 92.5 }, { pieces = 500, percent = 85 }]

A price is a percentage of the demand sheet's target cost, so that it fits every product.
"""


class BadFactories(Refusal):
    sentence = N_("The factory file %(path)s can't be used: %(problem)s")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_Strict):
    """From so many pieces on, so much of the target cost, in percent."""

    pieces: int = Field(ge=1, le=1_000_000, strict=True)
    percent: float = Field(gt=0, le=1000)

    @property
    def step(self) -> PriceStep:
        return PriceStep(self.pieces, target_ppm=round(self.percent * PPM_PER_PERCENT))


class Maker(_Strict):
    """A factory: what it can do in a week, on which terms, and how reliable it is."""

    name: str = Field(min_length=1, max_length=120)
    region: str = Field("", max_length=60)
    weekly_capacity: int = Field(ge=0, le=100_000_000, strict=True)
    minimum: int = Field(1, ge=1, le=1_000_000, strict=True)
    setup_minor: int = Field(0, ge=0, le=1_000_000_000, strict=True)
    lead_days: int = Field(ge=0, le=365, strict=True)
    late_percent: float = Field(0.0, ge=0, le=100)
    declines_percent: float = Field(0.0, ge=0, le=100)
    prices: tuple[Price, ...] = Field(min_length=1)

    @property
    def terms(self) -> Terms:
        steps = tuple(price.step for price in self.prices)
        return Terms(self.weekly_capacity, self.minimum, self.setup_minor, self.lead_days, steps)

    @property
    def on_time_ppm(self) -> int:
        return PPM - round(self.late_percent * PPM_PER_PERCENT)

    @model_validator(mode="after")
    def _terms_hold(self) -> Self:
        if errors := terms_errors(self.terms):
            raise ValueError(" ".join(errors.values()))
        return self


class _FactoryFile(_Strict):
    factory: tuple[Maker, ...] = Field(min_length=1, max_length=10_000)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({maker.name for maker in self.factory}) < len(self.factory):
            raise ValueError("two factories bear the same name")
        return self


def read_factories(path: Path) -> tuple[Maker, ...]:
    """The factories a TOML file describes.

    Raises:
        BadFactories: the file can't be read, is no TOML, or says something unknown or impossible.
    """
    try:
        return _FactoryFile.model_validate(tomllib.loads(path.read_text("utf-8"))).factory
    except ValidationError as wrong:
        problem = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in wrong.errors())
        raise BadFactories(path=path, problem=problem) from wrong
    except OSError as wrong:
        raise BadFactories(path=path, problem=wrong.strerror) from wrong
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise BadFactories(path=path, problem=wrong) from wrong


def draw_factories(seed: int) -> tuple[Maker, ...]:
    """Factories that take any order from a piece on, at a price that falls with it, and can only make so much a week.

    About 100,000 pieces a week in all; some orders are late, some offers declined.
    """
    random = Random(f"factories {seed}")
    return tuple(_drawn(number, random) for number in range(1, DRAWN + 1))


def _drawn(number: int, random: Random) -> Maker:
    asked = random.uniform(84, 98)
    return Maker(
        name=f"Factory {number:02}",
        region=random.choice(BELTS),
        weekly_capacity=random.choice(WEEKLY_CAPACITIES),
        lead_days=random.randint(2, 9),
        late_percent=round(random.uniform(1, 8), 1),
        declines_percent=round(random.uniform(0, 3), 1),
        prices=tuple(
            Price(pieces=pieces, percent=round(asked * share, 1))
            for pieces, share in ((1, 1.0), (200, 0.97), (1_000, 0.93))
        ),
    )
