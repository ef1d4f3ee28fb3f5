"""Drafting a campaign: from nothing, from an earlier draft, or from a campaign that is put up again."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.demand import board, campaigns, policies, queries
from c2m.demand.campaigns import CampaignDraft, CampaignNotDraft, draft_errors
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Variant
from c2m.demand.rules import Ladder, Tier
from c2m.demand.samples import samples_of
from c2m.demand.views.blueprint import blueprint
from c2m.demand.views.studio import own_campaign
from c2m.design import pictures
from c2m.design.categories import CATEGORIES
from c2m.design.generation import Brief
from c2m.design.views import sketching
from c2m.design.views.sketching import Looks
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.forms import (
    Amount,
    Flag,
    Form,
    Line,
    LocalTime,
    Percent,
    Submission,
    Upload,
    Whole,
    amount_entry,
    blank,
    local_time_entry,
    percent_entry,
    queried,
    submitted,
)
from c2m.web.viewer import signed_in_viewer

Answer = Response | tuple[str, int]

SEPARATORS = re.compile(r"[,，、;；\r\n]+")
TIERS_SHOWN = 5
CLOSING_HOUR = 20


class TierForm(Form):
    from_quantity: Annotated[Whole, Field(ge=1, le=campaigns.MOST_PIECES)]
    price: Amount


class TermsForm(Form):
    """What every campaign says of itself."""

    kind: CampaignKind
    title: Line
    title_en: Annotated[str, Field(max_length=120)] = ""
    description: Annotated[str, Field(max_length=2000)] = ""
    colours: Annotated[str, Field(max_length=2000)]
    sizes: Annotated[str, Field(max_length=1000)] = ""
    tiers: dict[Annotated[int, Field(ge=0, lt=TIERS_SHOWN)], TierForm] = Field(default_factory=dict)
    minimum: Whole
    cap: Whole | None = None
    per_buyer_limit: Whole | None = None
    deadline: LocalTime
    commission: Percent = 0
    deposit: Amount = 0
    deposit_counts: Amount = 0
    pack_pieces: Whole = 1
    colour_minimum: Whole = 0
    extension_days: Whole = 0
    next_round_days: Whole = 0
    sample_campaign_id: UUID | None = None

    @property
    def variants(self) -> tuple[tuple[str, str], ...]:
        """Every colour in every size."""
        return tuple((colour, size) for colour in listed(self.colours) for size in listed(self.sizes) or [""])


class CampaignForm(TermsForm, Looks):
    category: Annotated[str, sketching.one_of(CATEGORIES)]
    picture: Upload | None = None
    sketch: Flag = False
    idle_line_id: UUID | None = None
    idle_week: date | None = None


class StartForm(Form):
    """What a new campaign may begin with, named in the address: an idle week's product and smallest order, or an own
    campaign that is put up again."""

    category: Annotated[str, sketching.one_of(CATEGORIES)] | None = None
    minimum: Annotated[Whole, Field(ge=1, le=campaigns.MOST_PIECES)] | None = None
    idle_line_id: UUID | None = None
    idle_week: date | None = None
    again: UUID | None = None

    @property
    def entries(self) -> dict[str, Any]:
        """What stands in the form at first; a campaign for an idle week ends the Friday evening before it."""
        friday = self.idle_week - timedelta(days=3) if self.idle_week else None
        return self.model_dump(exclude_none=True) | ({"deadline": f"{friday}T{CLOSING_HOUR}:00"} if friday else {})


@blueprint.get("/studio/campaigns/new")
@allow(Role.MERCHANDISER)
def new_campaign() -> tuple[str, int]:
    """The form for a new campaign."""
    begun = queried(StartForm)
    entered = _entered_again(begun.again) if begun.again else begun.entries
    return draft_page(blank(CampaignForm, **({"kind": CampaignKind.GROUP_BUY} | entered)))


@blueprint.post("/studio/campaigns/new")
@allow(Role.MERCHANDISER)
def create_campaign() -> Answer:
    """Keep a new campaign as a draft."""
    form = submitted(CampaignForm)
    made = _drafted(form)
    if made is None:
        return draft_page(form)
    session, now = db_session(), request_time()
    try:
        policy = policies.standard_policy(session, now=now)
        campaign_id = campaigns.create_campaign(session, made, policy=policy, now=now)
    except Invalid as refusal:
        form.refuse(refusal)
        return draft_page(form)
    flash(_("The draft is saved. Look it over, then open it to buyers."), "good")
    return to_campaign(campaign_id)


@blueprint.get("/studio/campaigns/<uuid:campaign_id>/edit")
@allow(Role.MERCHANDISER)
def edit_campaign(campaign_id: UUID) -> tuple[str, int]:
    """A draft to be worked on."""
    found = _seen_draft(campaign_id)
    session = db_session()
    ladder, variants = queries.ladder(session, campaign_id), queries.variants(session, campaign_id)
    return draft_page(blank(CampaignForm, **_entered(found, ladder, variants)), found)


@blueprint.post("/studio/campaigns/<uuid:campaign_id>/edit")
@allow(Role.MERCHANDISER)
def change_campaign(campaign_id: UUID) -> Answer:
    """Replace everything a draft says; without a new picture the old one stays."""
    seen, form = _seen_draft(campaign_id), submitted(CampaignForm)
    made = _drafted(form, seen)
    if made is None:
        return draft_page(form, seen)
    session, now = db_session(), request_time()
    try:
        policy = policies.standard_policy(session, now=now)
        campaigns.change_draft(session, own_campaign(campaign_id), made, policy=policy, now=now)
    except Invalid as refusal:
        form.refuse(refusal)
        return draft_page(form, seen)
    flash(_("The draft is saved. Look it over, then open it to buyers."), "good")
    return to_campaign(campaign_id)


def listed(text: str) -> list[str]:
    """The words of a list written with commas or line by line."""
    return [word for part in SEPARATORS.split(text) if (word := part.strip())]


def _drafted(form: Submission[CampaignForm], seen: Campaign | None = None) -> CampaignDraft | None:
    """The draft a form describes, its picture stored; None, with sentences in the form, when it can't be accepted.

    The picture is made before this request first asks the database, so that nobody waits for it.
    """
    if not form.accepted:
        return None
    entered = form.value
    currency = seen.currency if seen else edge().settings.currency
    draft = draft_of(
        entered, category=entered.category, currency=currency, picture_id=seen.picture_id if seen else None
    )
    if errors := draft_errors(draft, now=request_time()):
        form.refuse(Invalid(errors=errors))
        return None
    if entered.sketch and not entered.picture and not sketching.can_draw(entered.category):
        form.errors["sketch"] = _("Products of this category can't be drawn; add a photograph.")
        return None
    try:
        picture_id = _stored_picture(entered) or draft.picture_id
        return replace(draft, picture_id=picture_id, idle_line_id=entered.idle_line_id, idle_week=entered.idle_week)
    except pictures.PictureRefused as refusal:
        form.refuse(refusal, "picture")
        return None


def _stored_picture(entered: CampaignForm) -> UUID | None:
    """The id of the picture that was sent or is to be drawn, if any.

    Raises:
        PictureRefused
    """
    owner, now, session = signed_in_viewer().organisation_id, request_time(), db_session()
    if entered.picture:
        content = entered.picture.stream.read(pictures.MOST_BYTES + 1)
        name = entered.picture.filename or ""
        return pictures.store_upload(session, content, organisation_id=owner, filename=name, now=now).id
    if not entered.sketch:
        return None
    brief = Brief(entered.category, entered.title, entered.chosen)
    [sketch] = sketching.drawn(brief, seed=secrets.randbelow(2**31))
    stored = pictures.store_drawing(session, sketch.image, provenance=sketch.provenance, organisation_id=owner, now=now)
    return stored.id


def draft_of(entered: TermsForm, *, category: str, currency: str, picture_id: UUID | None) -> CampaignDraft:
    """What a form that was accepted describes."""
    return CampaignDraft(
        organisation_id=signed_in_viewer().organisation_id,
        kind=entered.kind,
        title=entered.title,
        title_en=entered.title_en,
        description=entered.description,
        category=category,
        currency=currency,
        variants=entered.variants,
        tiers=tuple(Tier(tier.from_quantity, tier.price) for _at, tier in sorted(entered.tiers.items())),
        minimum=entered.minimum,
        cap=entered.cap,
        per_buyer_limit=entered.per_buyer_limit,
        deadline=entered.deadline,
        sample_campaign_id=entered.sample_campaign_id,
        deposit_minor=entered.deposit,
        deposit_counts_minor=entered.deposit_counts or entered.deposit,
        commission_ppm=entered.commission,
        pack_pieces=entered.pack_pieces,
        colour_minimum=entered.colour_minimum,
        extension_days=entered.extension_days,
        next_round_days=entered.next_round_days,
        picture_id=picture_id,
    )


def draft_page(form: Submission[CampaignForm], found: Campaign | None = None) -> tuple[str, int]:
    """The form of a draft."""
    return form.page(
        "demand/studio_draft.html",
        campaign=found,
        categories=CATEGORIES,
        kinds=CampaignKind,
        samples=samples_of(db_session(), signed_in_viewer().organisation_id),
        colours=sketching.colours(),
        patterns=sketching.patterns(),
        tiers_shown=TIERS_SHOWN,
    )


def _seen_draft(campaign_id: UUID) -> Campaign:
    """The viewer's own draft, read without holding up writers while its picture is made.

    Raises:
        CampaignNotFound, CampaignNotDraft
    """
    with edge().database.reading() as session:
        found = board.campaign_of(session, campaign_id, organisation_id=signed_in_viewer().organisation_id)
    if found.state is not CampaignState.DRAFT:
        raise CampaignNotDraft(campaign_id=campaign_id)
    return found


def _entered_again(campaign_id: UUID) -> dict[str, Any]:
    """Everything an own campaign said but its deadline.

    Raises:
        CampaignNotFound
    """
    found, session = own_campaign(campaign_id), db_session()
    entered = _entered(found, queries.ladder(session, campaign_id), queries.variants(session, campaign_id))
    return entered | {"deadline": ""}


def _entered(found: Campaign, ladder: Ladder, variants: Sequence[Variant]) -> dict[str, Any]:
    entered: dict[str, Any] = {
        "kind": found.kind,
        "title": found.title,
        "title_en": found.title_en,
        "description": found.description,
        "category": found.category,
        "colours": "\n".join(dict.fromkeys(variant.colour for variant in variants)),
        "sizes": "\n".join(dict.fromkeys(variant.size for variant in variants)),
        "minimum": found.minimum,
        "cap": found.cap or "",
        "per_buyer_limit": found.per_buyer_limit or "",
        "deadline": local_time_entry(found.deadline, edge().settings.timezone),
        "sample_campaign_id": found.sample_campaign_id or "",
        "idle_line_id": found.idle_line_id or "",
        "idle_week": found.idle_week or "",
        "pack_pieces": found.pack_pieces,
        "colour_minimum": found.colour_minimum or "",
        "extension_days": found.extension_days or "",
        "next_round_days": found.next_round_days or "",
    }
    if found.commission_ppm:
        entered["commission"] = percent_entry(found.commission_ppm)
    if found.kind is CampaignKind.PRESALE:
        entered["deposit"] = amount_entry(found.deposit_minor, found.currency)
        entered["deposit_counts"] = amount_entry(found.deposit_counts_minor, found.currency)
    for at, tier in enumerate(ladder.tiers):
        entered[f"tiers.{at}.from_quantity"] = tier.from_quantity
        entered[f"tiers.{at}.price"] = amount_entry(tier.price_minor, found.currency)
    return entered


def to_campaign(campaign_id: UUID) -> Response:
    """On to a campaign's own page."""
    return redirect(url_for("demand.studio_campaign", campaign_id=campaign_id), 303)
