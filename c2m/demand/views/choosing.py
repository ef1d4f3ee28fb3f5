"""What a buyer chooses on a campaign's page beside pieces, and what that costs now, at most, and in the end."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from c2m.demand.campaigns import HIGHEST_PRICE_MINOR
from c2m.demand.models import Campaign, CampaignKind, Variant
from c2m.demand.pledge_requests import CeilingRefused, FlexibleAlone, UnknownColour
from c2m.demand.rules import JoinedAt, Ladder, Outcome, charge_at_joining, outcomes, price_when_joining
from c2m.web.forms import Amount, Flag, Form, Submission, Whole

Pieces = Annotated[Whole, Field(ge=0, le=1_000_000)]


class ChoiceForm(Form):
    """Pieces by variant, extra ones beside them, and what the buyer agrees to now for the close."""

    pieces: dict[UUID, Pieces] = Field(default_factory=dict)
    flexible: dict[UUID, Pieces] = Field(default_factory=dict)
    ceiling: Amount | None = None
    accepts_dearer: Flag = False
    fallback_colour: Annotated[str, Field(max_length=40)] = ""
    joins_next_round: Flag = False

    @property
    def lines(self) -> tuple[tuple[UUID, int], ...]:
        return tuple((variant_id, pieces) for variant_id, pieces in self.pieces.items() if pieces)

    @property
    def extras(self) -> tuple[tuple[UUID, int], ...]:
        return tuple((variant_id, pieces) for variant_id, pieces in self.flexible.items() if pieces)

    @property
    def chosen(self) -> "Chosen":
        quantity, flexible = (sum(pieces for _, pieces in lines) for lines in (self.lines, self.extras))
        return Chosen(quantity, flexible, self.ceiling, self.accepts_dearer)

    def agreed(self) -> dict[str, Any]:
        """What a pledge request takes over beside its pieces."""
        return {
            "flexible": self.extras,
            "ceiling_minor": self.ceiling,
            "accepts_dearer": self.accepts_dearer,
            "fallback_colour": self.fallback_colour,
            "joins_next_round": self.joins_next_round,
        }


@dataclass(frozen=True)
class Chosen:
    """How many pieces, how many extra ones, and the price they are taken at."""

    pieces: int = 0
    flexible: int = 0
    ceiling_minor: int | None = None
    accepts_dearer: bool = False


@dataclass(frozen=True)
class Quote:
    """What joining with these pieces costs now, at most, and on each tier the campaign may end on."""

    pieces: int
    unit_price_minor: int
    pay_now_minor: int
    at_most_minor: int
    counts_minor: int  # what a presale's deposit counts for, else what is paid now
    outcomes: list[Outcome]
    credit_minor: int = 0  # a sample's price, taken off what is paid now
    flexible: int = 0
    joined: JoinedAt = field(default_factory=lambda: JoinedAt(0))


def quote_for(campaign: Campaign, ladder: Ladder, chosen: Chosen) -> Quote:
    """What joining would cost; in a presale the deposit now and the balance later."""
    certain, pieces = campaign.certain_quantity, chosen.pieces
    joined = price_when_joining(
        ladder, certain, pieces, ceiling_minor=chosen.ceiling_minor, accepts_dearer=chosen.accepts_dearer
    )
    every = pieces + chosen.flexible
    now_minor = charge_at_joining(joined.unit_price_minor, every, campaign.deposit_minor)
    extra = (campaign.deposit_counts_minor - campaign.deposit_minor) * every
    ends = outcomes(ladder, certain, pieces, at_most=campaign.cap, joined=joined, flexible=chosen.flexible)
    return Quote(
        pieces=pieces,
        unit_price_minor=joined.unit_price_minor,
        pay_now_minor=now_minor,
        at_most_minor=max(joined.unit_price_minor * every - extra, now_minor),
        counts_minor=campaign.deposit_counts_minor * every or now_minor,
        outcomes=ends if pieces else [],
        flexible=chosen.flexible,
        joined=joined,
    )


def fits(form: Submission[Any], ladder: Ladder, colours: Collection[str]) -> bool:
    """Whether extra pieces, ceiling and fallback make sense; a sentence beside the field where they don't."""
    chosen: ChoiceForm = form.value
    if not {variant_id for variant_id, _ in chosen.extras} <= {variant_id for variant_id, _ in chosen.lines}:
        form.refuse(FlexibleAlone(), "flexible")
    if chosen.ceiling is not None and not ladder.tiers[-1].price_minor <= chosen.ceiling <= HIGHEST_PRICE_MINOR:
        form.refuse(CeilingRefused(), "ceiling")
    if chosen.fallback_colour and chosen.fallback_colour not in colours:
        form.refuse(UnknownColour(), "fallback_colour")
    return form.accepted


def choices_part(campaign: Campaign, ladder: Ladder, variants: list[Variant], form: Submission[Any]) -> dict[str, Any]:
    """Which further choices a campaign offers, and whether the buyer has made any of them.

    `misplaced` are sentences about fields that it doesn't offer.
    """
    colours = list(dict.fromkeys(variant.colour for variant in variants))
    names = ("ceiling", "accepts_dearer", "fallback_colour", "joins_next_round")
    extras = any(form.entered.get(f"flexible.{variant.id}", "0") not in ("", "0", 0) for variant in variants)
    wrong = any(name.partition(".")[0] in ("flexible", *names) for name in form.errors)
    can_complete = len(ladder.tiers) > 1 or campaign.pack_pieces > 1
    is_full = campaign.cap is not None and campaign.pledged_quantity >= campaign.cap
    offered = {
        "flexible": can_complete and campaign.kind is not CampaignKind.SAMPLE and not is_full,
        "ceiling": len(ladder.tiers) > 1,
        "fallback_colour": campaign.colour_minimum > 0 and len(colours) > 1,
        "joins_next_round": campaign.next_round_days > 0,
    }
    missing = {name for name, offers in offered.items() if not offers} | {"team"}
    return {
        "colours": colours if offered["fallback_colour"] else [],
        "offers_flexible": offered["flexible"],
        "offers_ceiling": offered["ceiling"],
        "misplaced": [words for name, words in form.errors.items() if name.partition(".")[0] in missing],
        "choices_made": wrong or extras or any(form.entered.get(name) for name in names),
    }
