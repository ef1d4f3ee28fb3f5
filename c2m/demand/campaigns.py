"""Campaigns: drafted, opened, cancelled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.clock import end_of_day
from c2m.db import chunks, insert_rows, lock_rows, number_of, table_of, uuid7
from c2m.demand import queries
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Pledge, PledgeState, Policy, PriceTier, Variant
from c2m.demand.needing import tell_needing
from c2m.demand.refunds import refund_pledges
from c2m.demand.rules import Tier, ladder_problem
from c2m.demand.samples import tell_of_credits
from c2m.design.categories import CATEGORIES
from c2m.design.pictures import publish_pictures
from c2m.design.wording import WordRefused, check_words
from c2m.errors import N_, Conflict, Invalid, Refusal
from c2m.outbox import announce

CLOSE = "demand.close_campaigns"
SHORTEST_RUN = timedelta(minutes=5)
LONGEST_RUN = timedelta(days=90)
MOST_VARIANTS = 60
LONGEST_COLOUR, LONGEST_SIZE = 40, 20  # what the columns of Variant hold
MOST_PIECES = 1_000_000
MOST_PACKED = 10_000
HIGHEST_PRICE_MINOR = 100_000_000
HIGHEST_COMMISSION_PPM = 200_000


class CampaignNotDraft(Conflict):
    sentence = N_("This campaign has been opened and can't be changed any more.")


class DeadlinePassed(Conflict):
    sentence = N_("The deadline has passed. Set a later one before opening.")


class CampaignNotOpen(Conflict):
    sentence = N_("This campaign is not open.")


@dataclass(frozen=True)
class CampaignDraft:
    """What a merchandiser puts up: product, variants (colour, size), ladder, terms."""

    organisation_id: UUID
    kind: CampaignKind
    title: str
    category: str
    currency: str
    variants: tuple[tuple[str, str], ...]
    tiers: tuple[Tier, ...]
    minimum: int
    deadline: datetime
    title_en: str = ""
    description: str = ""
    cap: int | None = None
    per_buyer_limit: int | None = None
    deposit_minor: int = 0
    deposit_counts_minor: int = 0
    commission_ppm: int = 0  # of what a team's members pay, to its leader
    pack_pieces: int = 1
    colour_minimum: int = 0  # pieces a colour needs in order to be made
    extension_days: int = 0  # added once by itself if the minimum is missed
    next_round_days: int = 0  # begun anew for so long if it fails and anyone comes along
    promised_date: datetime | None = None  # from the policy's production days unless given
    picture_id: UUID | None = None
    concept_id: UUID | None = None
    sample_campaign_id: UUID | None = None  # the own sample order that this product was tried with
    idle_line_id: UUID | None = None  # made for an idle week of this line
    idle_week: date | None = None


def create_campaigns(
    session: Session, drafts: Sequence[CampaignDraft], *, policy: Policy, now: datetime
) -> list[UUID | Refusal]:
    """Store drafts; a draft that makes no sense is refused with a sentence for each field."""
    answers: list[UUID | Refusal] = []
    campaigns, tiers, variants = [], [], []
    samples = own_samples(session, drafts)
    for draft in drafts:
        if (refused := refusal_of(draft, policy, samples, now=now)) is not None:
            answers.append(refused)
            continue
        campaign_id = uuid7()
        answers.append(campaign_id)
        campaigns.append(_campaign_row(campaign_id, draft, policy, now))
        tiers += _tier_rows(campaign_id, draft)
        variants += _variant_rows(campaign_id, draft)
    insert_rows(session, Campaign, campaigns)
    insert_rows(session, PriceTier, tiers)
    insert_rows(session, Variant, variants)
    return answers


def create_campaign(session: Session, draft: CampaignDraft, *, policy: Policy, now: datetime) -> UUID:
    """Store one draft.

    Raises:
        Invalid: with a sentence for each field.
    """
    [answer] = create_campaigns(session, [draft], policy=policy, now=now)
    if isinstance(answer, Refusal):
        raise answer
    return answer


def change_draft(session: Session, campaign: Campaign, draft: CampaignDraft, *, policy: Policy, now: datetime) -> None:
    """Replace everything a draft says.

    Raises:
        CampaignNotDraft, Invalid
    """
    lock_rows(session, Campaign, [campaign.id])
    session.refresh(campaign)
    if campaign.state is not CampaignState.DRAFT:
        raise CampaignNotDraft(campaign_id=campaign.id)
    samples = own_samples(session, [draft])
    if (refused := refusal_of(draft, policy, samples, now=now)) is not None:
        raise refused
    for model in (PriceTier, Variant):
        table = table_of(model)
        session.execute(sa.delete(table).where(table.c.campaign_id == campaign.id))
    row = _campaign_row(campaign.id, draft, policy, campaign.created_at)
    table = table_of(Campaign)
    session.execute(sa.update(table).where(table.c.id == campaign.id).values(row))
    insert_rows(session, PriceTier, _tier_rows(campaign.id, draft))
    insert_rows(session, Variant, _variant_rows(campaign.id, draft))
    session.expire(campaign)


def refusal_of(
    draft: CampaignDraft, policy: Policy, samples: Collection[tuple[UUID, UUID]], *, now: datetime
) -> Invalid | None:
    """Why a draft can't be stored: a sentence for each field, or a word that can't be shown; None if it can."""
    if errors := draft_errors(draft, now=now) | policy_errors(draft, policy) | sample_errors(draft, samples):
        return Invalid(errors=errors)
    try:
        check_words(title=draft.title, title_en=draft.title_en, description=draft.description)
        check_words(colours=" ".join(colour for colour, _ in draft.variants))
    except WordRefused as refused:
        return refused
    return None


def draft_errors(draft: CampaignDraft, *, now: datetime) -> dict[str, str]:
    """What is wrong with a draft: field → sentence; empty when it may be stored."""
    errors: dict[str, str] = {}
    if not draft.title.strip():
        errors["title"] = N_("Give the product a name.")
    if draft.category not in CATEGORIES:
        errors["category"] = N_("Choose a category from the list.")
    if not 1 <= draft.minimum <= MOST_PIECES:
        errors["minimum"] = N_("The minimum must be between 1 and 1,000,000 pieces.")
    if draft.cap is not None and not draft.minimum <= draft.cap <= MOST_PIECES:
        errors["cap"] = N_("The cap must not be below the minimum.")
    if draft.per_buyer_limit is not None and not 1 <= draft.per_buyer_limit <= MOST_PIECES:
        errors["per_buyer_limit"] = N_("The limit per buyer must be between 1 and 1,000,000 pieces.")
    if problem := ladder_problem(draft.tiers):
        errors["tiers"] = _LADDER_SENTENCES[problem]
    elif draft.tiers[0].price_minor > HIGHEST_PRICE_MINOR:
        errors["tiers"] = N_("This price is too high to be meant.")
    elif draft.tiers[-1].from_quantity > MOST_PIECES:
        errors["tiers"] = N_("A step starts at 1,000,000 pieces at most.")
    if not draft.variants or len(draft.variants) > MOST_VARIANTS:
        errors["variants"] = N_("Name between 1 and 60 variants.")
    elif len(set(draft.variants)) < len(draft.variants) or not all(colour.strip() for colour, _ in draft.variants):
        errors["variants"] = N_("Each variant needs a colour, and may be named once.")
    elif any(
        len(colour.strip()) > LONGEST_COLOUR or len(size.strip()) > LONGEST_SIZE for colour, size in draft.variants
    ):
        errors["variants"] = N_("A colour takes 40 characters at most, a size 20.")
    if not now + SHORTEST_RUN <= draft.deadline <= now + LONGEST_RUN:
        errors["deadline"] = N_("The deadline must lie between 5 minutes and 90 days ahead.")
    elif draft.promised_date is not None and draft.promised_date <= draft.deadline:
        errors["promised_date"] = N_("The promised date must lie after the deadline.")
    if not 0 <= draft.commission_ppm <= HIGHEST_COMMISSION_PPM:
        errors["commission"] = N_("A team leader's commission is 20 % at most.")
    return errors | _deposit_errors(draft) | _second_chance_errors(draft)


def policy_errors(draft: CampaignDraft, policy: Policy) -> dict[str, str]:
    """What the policy a draft would run on doesn't allow: field → sentence."""
    if draft.extension_days > policy.longest_extension_days:
        return {"extension_days": N_("The extension is longer than the platform allows.")}
    return {}


def own_samples(session: Session, drafts: Sequence[CampaignDraft]) -> set[tuple[UUID, UUID]]:
    """Sample orders that drafts name and that exist, with whose they are."""
    named = list({draft.sample_campaign_id for draft in drafts} - {None})
    table = table_of(Campaign)
    found: set[tuple[UUID, UUID]] = set()
    for part in chunks(named):
        rows = session.execute(
            sa.select(table.c.id, table.c.organisation_id).where(
                table.c.id.in_(part), table.c.kind == CampaignKind.SAMPLE, table.c.state != CampaignState.DRAFT
            )
        )
        found |= {(row.id, row.organisation_id) for row in rows}
    return found


def sample_errors(draft: CampaignDraft, samples: Collection[tuple[UUID, UUID]]) -> dict[str, str]:
    """What is wrong with the sample order a draft names: it must be the merchandiser's own, and not of a sample."""
    if draft.sample_campaign_id is None:
        return {}
    if draft.kind is CampaignKind.SAMPLE or (draft.sample_campaign_id, draft.organisation_id) not in samples:
        return {"sample_campaign_id": N_("Choose one of your own sample orders.")}
    return {}


def _second_chance_errors(draft: CampaignDraft) -> dict[str, str]:
    errors: dict[str, str] = {}
    colours = {colour.strip() for colour, _ in draft.variants}
    if not 1 <= draft.pack_pieces <= MOST_PACKED:
        errors["pack_pieces"] = N_("A pack holds between 1 and 10,000 pieces.")
    if not 0 <= draft.colour_minimum <= draft.minimum:
        errors["colour_minimum"] = N_("A colour must not need more pieces than the whole campaign.")
    elif draft.colour_minimum and len(colours) < 2:
        errors["colour_minimum"] = N_("Only a campaign with several colours has a minimum a colour.")
    if not 0 <= draft.extension_days <= LONGEST_RUN.days:
        errors["extension_days"] = N_("The extension is longer than the platform allows.")
    if not 0 <= draft.next_round_days <= LONGEST_RUN.days:
        errors["next_round_days"] = N_("A round runs for 90 days at most.")
    return errors


def _deposit_errors(draft: CampaignDraft) -> dict[str, str]:
    if draft.kind is not CampaignKind.PRESALE:
        asks = draft.deposit_minor or draft.deposit_counts_minor
        return {"deposit": N_("Only a presale asks for a deposit.")} if asks else {}
    if draft.deposit_minor < 1:
        return {"deposit": N_("A presale needs a deposit.")}
    if draft.deposit_counts_minor < draft.deposit_minor:
        return {"deposit_counts": N_("The deposit must count at least what it costs.")}
    if draft.tiers and draft.deposit_counts_minor > draft.tiers[-1].price_minor:
        return {"deposit_counts": N_("The deposit must not count more than the lowest price.")}
    return {}


_LADDER_SENTENCES = {
    "a ladder needs at least one tier": N_("Give at least one price."),
    "quantities and prices must be positive": N_("Quantities and prices must be positive."),
    "each tier must start at more pieces than the one before": N_("Each step must start at more pieces than the last."),
    "each tier must be cheaper than the one before": N_("Each step must be cheaper than the last."),
}


def open_campaigns(session: Session, ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Open drafts whose deadline lies ahead to buyers, and have them closed on time; return those opened."""
    lock_rows(session, Campaign, ids)
    table = table_of(Campaign)
    deadlines: dict[UUID, datetime] = {}
    pictures: list[UUID] = []
    sampled: list[UUID] = []
    for part in chunks(ids):
        drafts = session.execute(
            sa.select(table.c.id, table.c.deadline, table.c.picture_id, table.c.sample_campaign_id).where(
                table.c.id.in_(part), table.c.state == CampaignState.DRAFT, table.c.deadline > now
            )
        ).all()
        deadlines |= {row.id: row.deadline for row in drafts}
        sampled += [row.id for row in drafts if row.sample_campaign_id is not None]
        pictures += [row.picture_id for row in drafts if row.picture_id is not None]
    opened = list(deadlines)
    publish_pictures(session, pictures, now=now)
    for part in chunks(opened):
        session.execute(sa.update(table).where(table.c.id.in_(part)).values(state=CampaignState.OPEN, opened_at=now))
    work = [(f"close:{i}:{deadline.isoformat()}", [i], deadline) for i, deadline in deadlines.items()]
    jobs.enqueue_all(session, CLOSE, work, now=now)
    announce(session, "demand.campaigns_opened", opened, now=now)
    tell_of_credits(session, sampled, now=now)
    tell_needing(session, opened, now=now)
    return opened


def open_campaign(session: Session, campaign_id: UUID, *, now: datetime) -> None:
    """Open one draft.

    Raises:
        CampaignNotFound, CampaignNotDraft, DeadlinePassed
    """
    if open_campaigns(session, [campaign_id], now=now):
        return
    if queries.campaign(session, campaign_id).state is CampaignState.DRAFT:
        raise DeadlinePassed(campaign_id=campaign_id)
    raise CampaignNotDraft(campaign_id=campaign_id)


def cancel_campaign(session: Session, campaign_id: UUID, *, now: datetime) -> None:
    """Call an open campaign off; everybody is refunded.

    Raises:
        CampaignNotOpen
    """
    lock_rows(session, Campaign, [campaign_id])
    campaign = queries.campaign(session, campaign_id)
    session.refresh(campaign)
    if campaign.state not in (CampaignState.DRAFT, CampaignState.OPEN):
        raise CampaignNotOpen(campaign_id=campaign_id)
    pledge = table_of(Pledge)
    living = session.execute(
        sa.select(pledge.c.id, pledge.c.state).where(
            pledge.c.campaign_id == campaign_id, pledge.c.state.in_([PledgeState.UNPAID, PledgeState.PAID])
        )
    ).all()
    refund_pledges(session, [row.id for row in living], reason="campaign_cancelled", now=now)
    campaign.state, campaign.closed_at = CampaignState.CANCELLED, now
    campaign.pledged_quantity = campaign.flexible_quantity = campaign.conditional_quantity = 0
    session.add(campaign)
    session.flush()
    announce(session, "demand.campaigns_closed", [campaign_id], now=now)


def _campaign_row(campaign_id: UUID, draft: CampaignDraft, policy: Policy, created_at: datetime) -> dict[str, object]:
    promised = draft.promised_date or draft.deadline + timedelta(days=policy.production_days)
    return {
        "id": campaign_id,
        "number": number_of("C", campaign_id),
        "organisation_id": draft.organisation_id,
        "concept_id": draft.concept_id,
        "kind": draft.kind,
        "title": draft.title.strip(),
        "title_en": draft.title_en.strip(),
        "description": draft.description.strip(),
        "category": draft.category,
        "picture_id": draft.picture_id,
        "currency": draft.currency,
        "minimum": draft.minimum,
        "cap": draft.cap,
        "per_buyer_limit": draft.per_buyer_limit,
        "deposit_minor": draft.deposit_minor,
        "deposit_counts_minor": draft.deposit_counts_minor,
        "commission_ppm": draft.commission_ppm,
        "sample_campaign_id": draft.sample_campaign_id,
        "idle_line_id": draft.idle_line_id,
        "idle_week": draft.idle_week,
        "pack_pieces": draft.pack_pieces,
        "colour_minimum": draft.colour_minimum,
        "extension_days": draft.extension_days,
        "next_round_days": draft.next_round_days,
        "policy_id": policy.id,
        "deadline": draft.deadline,
        "promised_date": end_of_day(promised, policy.time_zone),
        "created_at": created_at,
    }


def _tier_rows(campaign_id: UUID, draft: CampaignDraft) -> list[dict[str, object]]:
    return [
        {"campaign_id": campaign_id, "from_quantity": t.from_quantity, "price_minor": t.price_minor}
        for t in draft.tiers
    ]


def _variant_rows(campaign_id: UUID, draft: CampaignDraft) -> list[dict[str, object]]:
    return [
        {"id": uuid7(), "campaign_id": campaign_id, "position": i, "colour": colour.strip(), "size": size.strip()}
        for i, (colour, size) in enumerate(draft.variants)
    ]
