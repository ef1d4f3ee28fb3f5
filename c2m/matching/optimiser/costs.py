"""What orders cost, exactly: fractions until the last moment, then money rounded half up."""

from fractions import Fraction

from c2m.matching.optimiser.market import PARTS, Market, Order, weeks_late
from c2m.matching.optimiser.plan import CostSplit


def rounded(money: Fraction) -> int:
    """Money as an integer, halves rounded up."""
    return (2 * money.numerator + money.denominator) // (2 * money.denominator)


def lateness(market: Market, order: Order) -> Fraction:
    """What the order's late pieces cost."""
    problem, choice = market.problem, market.choices[order.choice]
    sheet, offer = problem.sheets[choice.sheet], problem.offers[choice.offer]
    late = sum(weeks_late(sheet, offer, week + 1) * round(pieces * PARTS) for week, pieces in order.weeks)
    return sheet.late.each * Fraction(late, PARTS)


def exact_parts(market: Market, order: Order) -> dict[str, Fraction]:
    """An order's cost by kind, as `CostSplit` names them."""
    choice = market.choices[order.choice]
    offer = market.problem.offers[choice.offer]
    tier = offer.tiers[choice.prices[order.price].tier]
    return {
        "setup": Fraction(tier.fixed),
        "unit": tier.unit.each * order.quantity,
        "freight": offer.ship.each * order.quantity,
        "risk": offer.risk.each * order.quantity,
        "lateness": lateness(market, order),
        "change": Fraction(market.penalties.get(choice.offer, 0)),
    }


def cost_split(market: Market, order: Order) -> CostSplit:
    """An order's cost by kind in money units."""
    return CostSplit(**{kind: rounded(money) for kind, money in exact_parts(market, order).items()})


def exact_objective(market: Market, orders: list[Order]) -> Fraction:
    """Setup, unit, freight, risk, lateness and change of all orders, factories opened, and the value of pieces left."""
    problem = market.problem
    left = [demand.quantity for demand in market.demands]
    total = Fraction(0)
    for order in orders:
        total += sum(exact_parts(market, order).values())
        left[market.choices[order.choice].sheet] -= order.quantity
    opened = {market.choices[order.choice].factory for order in orders}
    total += sum(int(market.open_cost[factory]) for factory in opened)
    return total + sum(sheet.value.each * pieces for sheet, pieces in zip(problem.sheets, left, strict=True))
