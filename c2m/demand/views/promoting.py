"""Promoting a concept: the campaign that buyers' wants speak for, filled in, looked over and opened."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash
from flask_babel import gettext as _

from c2m.clock import evening_after
from c2m.demand import policies, promotion
from c2m.demand.models import CampaignKind
from c2m.demand.samples import samples_of
from c2m.demand.views.blueprint import blueprint
from c2m.demand.views.drafting import TIERS_SHOWN, Answer, TermsForm, draft_of, to_campaign
from c2m.design import concepts, looks
from c2m.design import queries as design
from c2m.design.concepts import ConceptNotPublished
from c2m.design.evidence import lessons, said_of
from c2m.design.models import Concept, ConceptState, ConceptVariant
from c2m.design.validation.curve import Proposal
from c2m.design.views.drafts import own_concept
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.forms import Submission, amount_entry, blank, local_time_entry, submitted
from c2m.web.viewer import signed_in_viewer


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
    """The form of a promotion beside what buyers said."""
    session, now = db_session(), request_time()
    said, learned = said_of(session, [concept.id])[concept.id], lessons(session, concept.category, now=now)
    return form.page(
        "demand/studio_promote.html",
        concept=concept,
        variants=concepts.variants(session, concept.id),
        interest=design.interest(session, [concept.id]),
        tally=design.tallies(session, [concept.id]).get(concept.id, design.SILENCE),
        curve=looks.curve_of(concept, said, learned, now=now) if said else [],
        proposed=proposed or looks.proposed(session, concept, now=now),
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
    """What the promotion form begins with: the campaign that wants speak for, and the picture most pieces are for."""
    session, zone = db_session(), edge().settings.timezone
    interest = design.interest(session, [concept.id])
    leader: ConceptVariant = max(concepts.variants(session, concept.id), key=lambda v: interest[v.id].pieces)
    return {
        "kind": CampaignKind.GROUP_BUY,
        "title": concept.title,
        "title_en": concept.title_en,
        "description": concept.brief,
        "picture_id": leader.picture_id,
        "colours": f"{leader.name} {leader.name_en}".strip(),
        "minimum": proposed.minimum,
        "deadline": local_time_entry(evening_after(request_time() + timedelta(days=proposed.days), zone), zone),
        "tiers.0.from_quantity": 1,
        "tiers.0.price": amount_entry(proposed.price_minor, concept.currency),
    }
