"""What a buyer asks of a campaign when joining, and why it may be refused before anything is counted."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from c2m.demand.campaigns import HIGHEST_PRICE_MINOR
from c2m.demand.rules import Ladder
from c2m.errors import N_, Conflict, Invalid, Refusal

MOST_PIECES_A_PLEDGE = 1_000_000


class NothingChosen(Invalid):
    sentence = N_("Choose at least one piece.")


class UnknownVariant(Invalid):
    sentence = N_("This campaign has no such variant.")


class QuantityRefused(Invalid):
    sentence = N_("Quantities are whole numbers between 1 and 1,000,000.")


class FlexibleAlone(Invalid):
    sentence = N_("Extra pieces go with ordered pieces of the same variant.")


class CeilingRefused(Invalid):
    sentence = N_("A ceiling lies at the lowest price of the ladder or above it.")


class UnknownColour(Invalid):
    sentence = N_("This campaign has no such colour.")


class CampaignFull(Conflict):
    sentence = N_("Only %(left)s pieces are left.")


class LimitReached(Conflict):
    sentence = N_("One buyer may take %(limit)s pieces; you already have %(held)s.")


class UnknownTeam(Invalid):
    sentence = N_("There is no such team in this campaign.")


class OwnCampaign(Conflict):
    sentence = N_("A merchant doesn't join its own campaign. It may buy the missing pieces, and buyers are told.")


class NothingMissing(Conflict):
    sentence = N_("Only the %(missing)s pieces missing from the minimum may be bought by the merchant itself.")


class KeyReused(Invalid):
    sentence = N_("This form was already sent with different content. Please start again.")


@dataclass(frozen=True)
class PledgeRequest:
    """One buyer joins a campaign with (variant, pieces) pairs; the key makes sending it twice harmless.

    Flexible pieces are paid for as well and taken at the close only to complete a tier or pack. What is agreed to now
    is done at the close without asking again: another colour, the next round, a dearer price than the ceiling.
    """

    campaign_id: UUID
    buyer_id: UUID
    lines: tuple[tuple[UUID, int], ...]
    idempotency_key: str
    region: str = ""
    flexible: tuple[tuple[UUID, int], ...] = ()
    ceiling_minor: int | None = None
    accepts_dearer: bool = False
    fallback_colour: str = ""
    joins_next_round: bool = False
    team_id: UUID | None = None
    merchant_funded: bool = False  # the merchandiser itself buys what is missing, and buyers are told

    @cached_property
    def quantity(self) -> int:
        return sum(quantity for _, quantity in self.lines)

    @cached_property
    def flexible_quantity(self) -> int:
        return sum(quantity for _, quantity in self.flexible)

    @cached_property
    def fingerprint(self) -> str:
        """Says whether two requests with one key ask for the same."""
        asked = [str(self.campaign_id), *sorted(f"{variant}:{quantity}" for variant, quantity in self.lines)]
        asked += sorted(f"{variant}~{quantity}" for variant, quantity in self.flexible)
        terms = (self.ceiling_minor, self.accepts_dearer, self.fallback_colour, self.joins_next_round)
        if terms != (None, False, "", False):
            asked.append(repr(terms))
        if self.team_id is not None:
            asked.append(f"team:{self.team_id}")
        return hashlib.sha256("|".join(asked).encode()).hexdigest()


@dataclass(frozen=True)
class Offer:
    """What a campaign sells, which doesn't change once it is open: its price ladder, and each variant's colour."""

    ladder: Ladder
    colours: dict[UUID, str]


Offers = dict[UUID, Offer]
"""What is known of campaigns' offers, by campaign."""
Teams = dict[UUID, tuple[UUID, UUID]]
"""The campaign and the leader of each team."""


def unfit(request: PledgeRequest, offer: Offer, teams: Teams) -> Refusal | None:
    """What a request asks for that its campaign doesn't have."""
    if not request.lines:
        return NothingChosen()
    chosen = {variant_id for variant_id, _ in request.lines}
    if len(chosen) < len(request.lines):
        return UnknownVariant()
    for variant_id, quantity in (*request.lines, *request.flexible):
        if not _is_whole(quantity, 1, MOST_PIECES_A_PLEDGE):
            return QuantityRefused(quantity=quantity)
        if variant_id not in offer.colours:
            return UnknownVariant(variant_id=variant_id)
    flexible = {variant_id for variant_id, _ in request.flexible}
    if len(flexible) < len(request.flexible) or not flexible <= chosen:
        return FlexibleAlone()
    lowest = offer.ladder.tiers[-1].price_minor
    if request.ceiling_minor is not None and not _is_whole(request.ceiling_minor, lowest, HIGHEST_PRICE_MINOR):
        return CeilingRefused(ceiling_minor=request.ceiling_minor)
    if request.fallback_colour and request.fallback_colour not in offer.colours.values():
        return UnknownColour(colour=request.fallback_colour)
    if request.team_id is not None and teams.get(request.team_id, (None,))[0] != request.campaign_id:
        return UnknownTeam(team_id=request.team_id)
    return None


def no_room(quantity: int, flexible: int, *, limit: int | None, held: int, left: int | None) -> Refusal | None:
    """Why these pieces don't fit: more than a buyer may hold (extra pieces count), or more than are left under the cap.

    None for limit or left means that there is none.
    """
    if limit is not None and held + quantity + flexible > limit:
        return LimitReached(limit=limit, held=held)
    if left is not None and quantity > left:
        return CampaignFull(left=left)
    return None


def _is_whole(number: int, least: int, most: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and least <= number <= most
