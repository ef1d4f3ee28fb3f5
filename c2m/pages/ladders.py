"""A ladder proposed where a campaign is drafted: what buyers have shown they would pay, and what factories ask."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request
from sqlmodel import Session

from c2m.demand.forecasting.ladders import LadderProposal, QuoteCurve
from c2m.demand.group_offers import tiers_of
from c2m.demand.policies import standard_policy
from c2m.demand.views import drafting, promoting
from c2m.demand.views.studio import own_campaign
from c2m.demand.willingness import Observed, Subject, continued, observed, proposed_ladder
from c2m.design import looks
from c2m.design.categories import CATEGORIES
from c2m.design.models import Concept
from c2m.identity.models import Role
from c2m.matching.feasible import Feasible, feasible
from c2m.pages.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.forms import Flag, Form, amount_entry, blank, queried
from c2m.web.viewer import signed_in_viewer


class AboutForm(Form):
    """Whose form asks: a draft's, a concept's, or a new campaign's; and whether it takes the ladder over."""

    campaign_id: UUID | None = None
    concept_id: UUID | None = None
    take: Flag = False


@dataclass(frozen=True)
class Proposed:
    """What buyers have shown, whether a factory makes such goods, and the ladder these two speak for, if any."""

    shown: Observed
    makers: bool
    ladder: LadderProposal | None


def quote_curves(found: Feasible) -> list[QuoteCurve]:
    """What the verified factories of a category ask for, line by line."""
    return [
        QuoteCurve(
            line.terms.setup_minor,
            tuple((step.from_quantity, step.unit_price(0)) for step in line.terms.steps),
            line.terms.smallest_order,
        )
        for line in found.lines
    ]


@blueprint.app_template_global("makers_of")
def makers_of(category: str) -> Feasible | None:
    """Who makes a category and from how many pieces on; None where nobody does, or while it isn't chosen."""
    if category not in CATEGORIES:
        return None
    return feasible(db_session(), category, 1, currency=edge().settings.currency, now=request_time())


@blueprint.app_template_global("ladder_proposal")
def ladder_proposal(
    category: str, title: str = "", campaign_id: UUID | None = None, concept_id: UUID | None = None
) -> Proposed | None:
    """The ladder proposed to the viewer for a product; None while its category isn't chosen."""
    if category not in CATEGORIES:
        return None
    session, now, currency = db_session(), request_time(), edge().settings.currency
    house = signed_in_viewer().organisation_id
    shown = observed(session, Subject(house, category, currency, title, concept_id, campaign_id), now=now)
    found = makers_of(category)
    if concept_id is not None:
        return Proposed(shown, found is not None, _continued(session, found, shown, promoting.published(concept_id)))
    return Proposed(shown, found is not None, _designed(session, found, shown))


@blueprint.post("/studio/ladder")
@allow(Role.MERCHANDISER)
def take_ladder() -> tuple[str, int]:
    """The form as it was filled in, with the proposed ladder beside it or in it; nothing is stored."""
    about = queried(AboutForm)
    entered: dict[str, Any] = {name: value for name, value in request.form.items() if name != "csrf_token"}
    concept = promoting.published(about.concept_id) if about.concept_id else None
    category = concept.category if concept else entered.get("category", "")
    if about.take:
        found = ladder_proposal(category, entered.get("title", ""), about.campaign_id, about.concept_id)
        if found and found.ladder:
            entered = {name: value for name, value in entered.items() if not name.startswith("tiers.")}
            entered |= _entries(found.ladder)
    if concept:
        return promoting.promotion_page(concept, blank(promoting.PromotionForm, **entered))
    draft = own_campaign(about.campaign_id) if about.campaign_id else None
    return drafting.draft_page(blank(drafting.CampaignForm, **entered), draft)


def _designed(session: Session, found: Feasible | None, shown: Observed) -> LadderProposal | None:
    if found is None:
        return None
    policy = standard_policy(session, now=request_time())
    seed = len(shown.willing)  # the same proposal however often it is looked at
    return proposed_ladder(quote_curves(found), shown, target_cost_ppm=policy.target_cost_ppm, seed=seed)


def _continued(session: Session, found: Feasible | None, shown: Observed, concept: Concept) -> LadderProposal | None:
    """The ladder that continues what the promotion form proposes."""
    if found is None:
        return None
    now = request_time()
    foreseen, policy = looks.foreseen_of(session, concept, now=now), standard_policy(session, now=now)
    return continued(quote_curves(found), shown, foreseen, target_cost_ppm=policy.target_cost_ppm)


def _entries(ladder: LadderProposal) -> dict[str, Any]:
    entries: dict[str, Any] = {"minimum": ladder.minimum}
    for at, tier in enumerate(tiers_of(ladder)):
        entries[f"tiers.{at}.from_quantity"] = tier.from_quantity
        entries[f"tiers.{at}.price"] = amount_entry(tier.price_minor, edge().settings.currency)
    return entries
