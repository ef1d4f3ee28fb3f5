"""How demand comes and goes: over a campaign's days, over the hours of a day, with the price and the buyer's kind."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import numpy as np

from c2m.demo.calendar import HOUR, local_hour
from c2m.demo.people import BuyerProfile, Custom
from c2m.demo.products import CLOTHES, SHOES, Product

HOURS = {8: 1.0, 10: 2.1, 12: 2.7, 14: 2.2, 16: 2.0, 18: 2.2, 19: 1.8, 20: 2.6, 21: 2.8, 22: 2.2, 23: 1.2}
"""The hours of the day in which people act, and how much of a day's demand each of them sees."""

DAY = sum(HOURS.values())
USUAL_PIECES = {Custom.SHOP: 4.0, Custom.STREAMER: 14.0, Custom.LEADER: 8.0}
SIZE_SHARES = {CLOTHES: (0.17, 0.33, 0.32, 0.18), SHOES: (0.09, 0.15, 0.2, 0.19, 0.16, 0.13, 0.08)}


def share_of_hour(opens_at: datetime, deadline: datetime, now: datetime) -> float:
    """The part of all demand of a run that an acting hour sees: much at the start, a rush at the end."""
    runs = (deadline - opens_at) / HOUR
    passed = (now - opens_at) / HOUR
    if not 0 <= passed < runs:
        return 0.0
    over_the_run = 0.55 + 1.1 * math.exp(-passed / (0.16 * runs)) + 2.2 * math.exp(-(runs - passed) / (0.12 * runs))
    return over_the_run / runs * HOURS[local_hour(now)] * 24 / DAY


def eagerness(price_tiers: Sequence[tuple[int, int]], pledged: int) -> float:
    """How much likelier a lower price, and one within reach, makes buyers join."""
    reached = sum(1 for start, _ in price_tiers if start <= pledged)
    ahead = [start for start, _ in price_tiers if start > pledged]
    near = 1.35 if ahead and pledged and ahead[0] - pledged <= 0.1 * ahead[0] else 1.0
    return (1 + 0.12 * max(reached - 1, 0)) * near


def usual_pieces(product: Product) -> float:
    """The pieces of a usual order, less of what is dear."""
    if product.limit is not None and product.limit <= 2:
        return 1.5
    price = product.ladder[0][1]
    return 6.6 * min(max(math.pow(60 / price, 0.6), 0.22), 3.5)


def pieces(product: Product, buyer: BuyerProfile, rng: Random) -> int:
    """How many pieces a buyer takes."""
    if product.limit is not None and product.limit <= 2:
        return rng.randint(1, product.limit)
    usual = usual_pieces(product) / 6.6 * USUAL_PIECES[buyer.custom]
    taken = max(round(usual * buyer.appetite * rng.lognormvariate(0, 0.5)), 1)
    return min(taken, product.limit or taken)


def popularity(product: Product, rng: np.random.Generator) -> list[float]:
    """The share of each variant: some colours sell better, sizes follow their curve."""
    colours: list[float] = rng.dirichlet([3.0] * len(product.colours)).tolist()
    sizes = SIZE_SHARES.get(product.sizes, (1 / len(product.sizes),) * len(product.sizes))
    return [colour * size for colour in colours for size in sizes]


def divided(quantity: int, shares: Sequence[float], rng: np.random.Generator) -> dict[int, int]:
    """Pieces by variant: position → pieces, none left out."""
    exact = np.array(shares) / sum(shares)
    drawn = rng.multinomial(quantity, exact)
    return {position: int(count) for position, count in enumerate(drawn) if count}


def within(rng: Random, shortest: timedelta, longest: timedelta) -> timedelta:
    """A while between two."""
    return shortest + (longest - shortest) * rng.random()
