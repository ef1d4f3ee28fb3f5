"""What becomes of a group of needs: a draft campaign, or factories that would make it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session

from c2m.clock import end_of_day
from c2m.db import insert_rows, lock_rows, table_of
from c2m.demand.campaigns import CampaignDraft, create_campaign
from c2m.demand.clustering.describing import without_contacts, word_in
from c2m.demand.clustering.lexicon import NAMES
from c2m.demand.forecasting.ladders import LadderProposal, Market, QuoteCurve, Willing, design_ladder
from c2m.demand.group_figures import GroupFigures, budgets_of, figures_of, group_of, pictures_of
from c2m.demand.models import (
    CampaignKind,
    GroupCampaign,
    MakersInterest,
    Need,
    NeedGroup,
    Policy,
)
from c2m.demand.rules import Tier
from c2m.design import pictures
from c2m.design.models import Picture
from c2m.design.provenance import public_part
from c2m.design.wording import WordRefused, check_words
from c2m.errors import N_, Conflict, Invalid
from c2m.money import PPM
from c2m.outbox import announce

RUNS = timedelta(days=14)
STEPS = (1, 2, 5)  # tiers begin at so many times the minimum
MOST_PIECES = 1_000_000
HIGHEST_PRICE_MINOR = 100_000_000
FEWEST_BUDGETS = 3  # buyers who must have named a price before a ladder is designed from them
ROUND_MINOR = 10  # proposed prices are whole tenths of a yuan

Cost = Callable[[int], int | None]  # pieces → what one of them costs at the cheapest factory, in minor units


class NoPrice(Conflict):
    sentence = N_("Neither a factory's price nor a buyer's budget is known yet; draft the campaign by hand.")


class NothingNeeded(Conflict):
    sentence = N_("Nobody in this group needs it any more.")


class MakersAsked(Conflict):
    sentence = N_("Factories have been asked already.")


@dataclass(frozen=True)
class Interest:
    """What a factory would make it for: from so many pieces, at about this price each, ready by about this day."""

    group_id: UUID
    factory_id: UUID
    price_minor: int
    currency: str
    minimum: int
    ready_by: date
    note: str = ""


def draft_for(
    session: Session,
    group_id: UUID,
    *,
    organisation_id: UUID,
    smallest_order: int | None,
    cost: Cost,
    ladder: LadderProposal | None,
    policy: Policy,
    now: datetime,
) -> UUID:
    """Make a draft campaign of what a group needs; its buyers are told when it opens.

    It says what the group's words have in common and shows the first picture that we made for one of its buyers.
    Its tiers are the `ladder` designed for it. Without one, `smallest_order` and `cost` say what factories ask for;
    without them the buyers' median budget is the price.

    Raises:
        GroupNotFound, NothingNeeded, NoPrice
    """
    group, figures = group_of(session, group_id), figures_of(session, group_id, now=now)
    if not figures.needs:
        raise NothingNeeded(group_id=group_id)
    if ladder is not None:
        minimum, tiers = ladder.minimum, tiers_of(ladder)
    else:
        minimum = proposed_minimum(figures, smallest_order)
        tiers = proposed_tiers(minimum, cost, figures.median_budget_minor, policy.target_cost_ppm)
    if not tiers:
        raise NoPrice(group_id=group_id)
    currency = session.execute(
        sa.select(table_of(Need).c.currency).where(table_of(Need).c.group_id == group_id)
    ).scalar()
    draft = CampaignDraft(
        organisation_id=organisation_id,
        kind=CampaignKind.GROUP_BUY,
        title=group.title or group.title_en,
        title_en=group.title_en,
        description=description_of(group.words),
        picture_id=_taken_over(session, group_id, organisation_id, now),
        category=group.category,
        currency=str(currency),
        variants=(("标准 Standard", ""),),
        tiers=tiers,
        minimum=minimum,
        deadline=end_of_day(now + RUNS, policy.time_zone),
    )
    campaign_id = create_campaign(session, draft, policy=policy, now=now)
    insert_rows(session, GroupCampaign, [{"campaign_id": campaign_id, "group_id": group_id, "drafted_at": now}])
    return campaign_id


def description_of(words: Sequence[str]) -> str:
    """What a group's typical words say in both languages, leaving out what can't be said in the market."""
    said = [word for word in words if _can_be_said(word)]
    chinese = "、".join(word_in(word, english=False) for word in said)
    english = ", ".join(word_in(word, english=True) for word in said if word in NAMES)
    return " ".join([f"买家想要：{chinese}"] * bool(chinese) + [f"Buyers asked for: {english}"] * bool(english))


def _can_be_said(word: str) -> bool:
    try:
        check_words(word)
    except WordRefused:
        return False
    return True


def _taken_over(session: Session, group_id: UUID, house_id: UUID, now: datetime) -> UUID | None:
    """The merchandiser's own copy of the group's first picture of ours; photographs stay with their buyers."""
    ours = [sent for sent in pictures_of(session, group_id) if sent.is_ours]
    if not ours:
        return None
    sent = session.get_one(Picture, ours[0].picture_id)
    made = public_part(sent.provenance)
    return pictures.store(session, sent.content, sent.kind, made, organisation_id=house_id, now=now).id


def proposed_minimum(figures: GroupFigures, smallest_order: int | None) -> int:
    """The smallest order a factory takes if buyers need that much already, else half of what they need."""
    if smallest_order is not None and smallest_order <= figures.pieces:
        return smallest_order
    return max(1, figures.pieces // 2)


def ladder_for(
    session: Session, group_id: UUID, quotes: Sequence[QuoteCurve], *, target_cost_ppm: int
) -> LadderProposal | None:
    """The ladder of greatest expected margin for what a group's buyers would pay; None where too few have named a
    price, or none covers what factories ask."""
    willing = [Willing(price, pieces) for price, pieces in budgets_of(session, group_id)]
    if len(willing) < FEWEST_BUDGETS:
        return None
    rng = np.random.default_rng(group_id.int % 2**63)  # the same proposal however often it is looked at
    found = design_ladder(Market(quotes, willing, factory_ppm=target_cost_ppm), rng=rng)
    return found if found and found.steps[0].price_minor <= HIGHEST_PRICE_MINOR else None


def tiers_of(ladder: LadderProposal) -> tuple[Tier, ...]:
    """A designed ladder as a campaign's tiers: the first price holds from the first piece on."""
    first, *others = ladder.steps
    return (Tier(1, first.price_minor), *(Tier(step.from_quantity, step.price_minor) for step in others))


def proposed_tiers(minimum: int, cost: Cost, median_budget_minor: int | None, target_cost_ppm: int) -> tuple[Tier, ...]:
    """Prices that leave the policy's margin over what factories ask, falling with theirs; else the median budget."""
    tiers: list[Tier] = []
    for step in STEPS:
        each = cost(minimum * step)
        if each is None:
            continue
        price = -(-(each * PPM // target_cost_ppm) // ROUND_MINOR) * ROUND_MINOR
        if price > HIGHEST_PRICE_MINOR or minimum * step > MOST_PIECES:
            continue
        if not tiers or price < tiers[-1].price_minor:
            tiers.append(Tier(1 if not tiers else minimum * step, price))
    if not tiers and median_budget_minor:
        return (Tier(1, median_budget_minor),)
    return tuple(tiers)


def ask_makers(session: Session, group_id: UUID, *, now: datetime) -> None:
    """Put a group before the factories of its category: who wants to make this?

    Raises:
        GroupNotFound, NothingNeeded, MakersAsked
    """
    lock_rows(session, NeedGroup, [group_id])
    group = group_of(session, group_id)
    session.refresh(group)
    if group.makers_asked_at is not None:
        raise MakersAsked(group_id=group_id)
    if not figures_of(session, group_id, now=now).needs:
        raise NothingNeeded(group_id=group_id)
    group.makers_asked_at = now
    session.add(group)
    session.flush()
    announce(session, "demand.makers_asked", [group_id], now=now)


def state_interest(session: Session, interest: Interest, *, now: datetime) -> MakersInterest:
    """A factory says that it would make what a group needs; said again, it replaces what was said.

    Raises:
        GroupNotFound, Invalid
    """
    group_of(session, interest.group_id)
    errors: dict[str, str] = {}
    if not 1 <= interest.price_minor <= HIGHEST_PRICE_MINOR:
        errors["price"] = N_("This price is too high to be meant.")
    if not 1 <= interest.minimum <= MOST_PIECES:
        errors["minimum"] = N_("The quantity must be between 1 and 1,000,000 pieces.")
    if interest.ready_by < now.date():
        errors["ready_by"] = N_("The date must lie ahead.")
    if errors:
        raise Invalid(errors=errors)
    stated = session.get(MakersInterest, (interest.group_id, interest.factory_id))
    said = MakersInterest(
        group_id=interest.group_id,
        factory_id=interest.factory_id,
        price_minor=interest.price_minor,
        currency=interest.currency,
        minimum=interest.minimum,
        ready_by=interest.ready_by,
        note=without_contacts(interest.note.strip()),
        stated_at=now,
    )
    merged = session.merge(said) if stated else said
    session.add(merged)
    session.flush()
    return merged
