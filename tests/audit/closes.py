"""Campaigns whose closes have something of everything: flexible pieces, ceilings, colours, extension, next round."""

from dataclasses import dataclass, replace
from uuid import UUID

from c2m.demand.extension import answer_extension, extend_campaign
from c2m.demand.joining import place_pledge
from c2m.demand.models import CampaignKind, Pledge
from c2m.demand.pledge_requests import PledgeRequest
from tests.demand.market import Market

LADDER = ((1, 100_00), (20, 90_00), (60, 80_00))
BLACK, WHITE = 0, 1


@dataclass(frozen=True)
class Closes:
    """The campaigns, and the pledges a test may want to spoil."""

    manifold: UUID
    flexible: UUID  # took some of its extra pieces
    moved: UUID  # made in another colour than chosen
    presold: UUID
    extended: UUID
    comes_along: UUID
    refuses: UUID
    asked: UUID | None = None  # extended by hand, its buyers not yet heard of


def campaigns_with_everything(market: Market) -> Closes:
    """Campaigns of mugs, which no factory makes."""
    manifold = market.campaign(
        category="mug",
        ladder=LADDER,
        minimum=15,
        per_buyer_limit=40,
        pack_pieces=6,
        colour_minimum=8,
        variants=(("black", "M"), ("white", "M")),
    )
    flexible = market.join_and_pay(manifold, 15, index=BLACK, flexible=4)
    moved = market.join_and_pay(manifold, 3, index=WHITE, fallback_colour="black")
    mixed = ((market.variant(manifold, BLACK), 2), (market.variant(manifold, WHITE), 2))
    with market.database.transaction() as session:
        place_pledge(session, PledgeRequest(manifold, market.buyer(), mixed, "mixed-lines"), now=market.now)
    market.join_and_pay(manifold, 1, index=WHITE)
    market.join_and_pay(manifold, 1, ceiling_minor=80_00)
    market.join_and_pay(manifold, 1, ceiling_minor=80_00, accepts_dearer=True)
    presale = market.campaign(
        CampaignKind.PRESALE, category="mug", ladder=LADDER, minimum=5, deposit_counts_minor=20_00
    )
    presold = market.join_and_pay(presale, 12, flexible=9)
    market.join_and_pay(presale, 7, flexible=2)
    extended = market.campaign(category="mug", ladder=LADDER, minimum=40, extension_days=3, next_round_days=30)
    comes_along = market.join_and_pay(extended, 6, joins_next_round=True, flexible=2)
    refuses, _silent = market.join_and_pay(extended, 5), market.join_and_pay(extended, 4)
    return Closes(manifold, flexible, moved, presold, extended, comes_along, refuses)


def answer_extensions(market: Market, closes: Closes) -> None:
    """One agrees, one refuses, one stays silent."""
    for pledge_id, agrees in ((closes.comes_along, True), (closes.refuses, False)):
        with market.database.transaction() as session:
            answer_extension(session, session.get_one(Pledge, pledge_id), agrees=agrees, now=market.now)
    market.work()


def extended_now(market: Market, closes: Closes) -> Closes:
    """A campaign that runs on, extended by hand a moment ago."""
    asked = market.campaign(category="mug", ladder=LADDER, minimum=40)
    market.join_and_pay(asked, 5, flexible=3)
    with market.database.transaction() as session:
        extend_campaign(session, asked, 5, now=market.now)
    market.work()
    return replace(closes, asked=asked)
