"""Promoting a concept: the campaign that buyers' wants speak for, filled in, looked over and opened."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from babel.numbers import get_currency_precision
from flask import flash
from flask_babel import gettext as _

from c2m.clock import evening_after
from c2m.demand import policies, promotion
from c2m.demand.campaigns import LONGEST_COLOUR
from c2m.demand.models import CampaignKind
from c2m.demand.samples import samples_of
from c2m.demand.views.blueprint import blueprint
from c2m.demand.views.drafting import TIERS_SHOWN, Answer, TermsForm, draft_of, listed, to_campaign
from c2m.design import concepts, looks, pictures
from c2m.design import queries as design
from c2m.design.concepts import ConceptNotPublished
from c2m.design.models import Concept, ConceptState, ConceptVariant
from c2m.design.validation.curve import Proposal
from c2m.design.validation.rule import STATED_RULE
from c2m.design.views import sketching
from c2m.design.views.drafts import own_concept
from c2m.design.views.validation import report_on
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.money import share
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.forms import Submission, amount_entry, blank, local_time_entry, submitted
from c2m.web.viewer import signed_in_viewer

USUAL_DEPOSIT_PPM = 200_000  # of the price


class PromotionForm(TermsForm):
    picture_id: UUID


@blueprint.get("/studio/concepts/<uuid:concept_id>/promote")
@allow(Role.MERCHANDISER)
def promote(concept_id: UUID) -> tuple[str, int]:
    """The form that makes a campaign of a concept, filled in from what buyers said."""
    concept = published(concept_id)
    proposed = looks.proposed(db_session(), concept, now=request_time())
    return promotion_page(concept, blank(PromotionForm, **_suggested(concept, proposed)), proposed)


@blueprint.post("/studio/concepts/<uuid:concept_id>/promote")
@allow(Role.MERCHANDISER)
def start_promotion(concept_id: UUID) -> Answer:
    """Make a campaign of a concept, open it, and grant the deposits back."""
    session, now, form = db_session(), request_time(), submitted(PromotionForm)
    concept = published(concept_id)
    if form.accepted and form.value.picture_id not in {v.picture_id for v in concepts.variants(session, concept_id)}:
        form.errors["picture_id"] = _("Choose one of the pictures.")
    if not form.accepted:
        return promotion_page(concept, form)
    draft = replace(
        draft_of(form.value, category=concept.category, currency=concept.currency, picture_id=form.value.picture_id),
        concept_id=concept_id,
    )
    if draft.kind is CampaignKind.GROUP_BUY:
        draft = replace(draft, deposit_minor=0, deposit_counts_minor=0)  # proposed in case it becomes a presale
    policy = policies.standard_policy(session, now=now)
    try:
        campaign_id = promotion.promote_concept(session, concept, draft, policy=policy, now=now)
    except Invalid as refusal:
        form.refuse(refusal)
        return promotion_page(concept, form)
    flash(_("The campaign is open, and every deposit is on its way back."), "good")
    return to_campaign(campaign_id)


def promotion_page(
    concept: Concept, form: Submission[PromotionForm], proposed: Proposal | None = None
) -> tuple[str, int]:
    """The form of a promotion beside what buyers said and what the rule makes of it."""
    session, report = db_session(), report_on(concept)
    proposed = proposed or looks.proposed(session, concept, now=request_time())
    return form.page(
        "demand/studio_promote.html",
        concept=concept,
        variants=concepts.variants(session, concept.id),
        interest=design.interest(session, [concept.id]),
        tally=design.tallies(session, [concept.id]).get(concept.id, design.SILENCE),
        report=report,
        rule=STATED_RULE,
        curve=report.curve,
        proposed=proposed,
        too_early=report.too_early and proposed.price_minor == concept.price_minor,  # at others enough have spoken
        kinds=[CampaignKind.GROUP_BUY, CampaignKind.PRESALE],
        samples=samples_of(session, signed_in_viewer().organisation_id),
        tiers_shown=TIERS_SHOWN,
    )


def published(concept_id: UUID) -> Concept:
    """The viewer's own concept, while buyers can want it.

    Raises:
        ConceptNotFound, ConceptNotPublished
    """
    found = own_concept(db_session(), concept_id)
    if found.state is not ConceptState.PUBLISHED:
        raise ConceptNotPublished(concept_id=concept_id)
    return found


def _suggested(concept: Concept, proposed: Proposal) -> dict[str, Any]:
    """What the promotion form begins with: the campaign that wants speak for, and the pictures they are for."""
    session, zone = db_session(), edge().settings.timezone
    interest = design.interest(session, [concept.id])
    shown = sorted(concepts.variants(session, concept.id), key=lambda variant: -interest[variant.id].pieces)
    deposit = amount_entry(_deposit(concept, proposed.price_minor), concept.currency)
    wanted = [variant for variant in shown if interest[variant.id].pieces] or shown[:1]
    return {
        "kind": CampaignKind.GROUP_BUY,
        "title": concept.title,
        "title_en": concept.title_en,
        "description": concept.brief,
        "picture_id": wanted[0].picture_id,
        "colours": "\n".join(_colours(wanted)),
        "minimum": proposed.minimum,
        "deadline": local_time_entry(evening_after(request_time() + timedelta(days=proposed.days), zone), zone),
        "deposit": deposit,
        "deposit_counts": deposit,
        "tiers.0.from_quantity": 1,
        "tiers.0.price": amount_entry(proposed.price_minor, concept.currency),
    }


def _deposit(concept: Concept, price_minor: int) -> int:
    """What a presale's deposit begins with: the concept's, else a fifth of the price in whole currency units."""
    unit = int(10 ** get_currency_precision(concept.currency))
    usual = max(share(price_minor, USUAL_DEPOSIT_PPM) // unit * unit, unit)
    return min(concept.deposit_minor or usual, price_minor)


def _colours(wanted: Sequence[ConceptVariant]) -> list[str]:
    """The colour of each picture, once, in their order: the one it was made in, else what the picture is called."""
    found = pictures.pictures(db_session(), [variant.picture_id for variant in wanted])
    made_in = [sketching.colour_of(found[variant.picture_id].provenance) for variant in wanted]
    return list(dict.fromkeys(made or _called(variant) for made, variant in zip(made_in, wanted, strict=True)))


def _called(variant: ConceptVariant) -> str:
    """A picture's name as one colour of a list, in both languages where there is room for them."""
    name, name_en = (" ".join(listed(text)) for text in (variant.name, variant.name_en))
    both = f"{name} {name_en}".strip()
    return both if len(both) <= LONGEST_COLOUR else (name or name_en)[:LONGEST_COLOUR]
