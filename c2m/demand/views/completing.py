"""A merchandiser completes its own campaign by buying what is missing, and buyers are told."""

from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import ngettext
from pydantic import Field
from sqlmodel import Session
from werkzeug.wrappers import Response

from c2m.demand import board, completion, queries
from c2m.demand.models import Campaign
from c2m.demand.views.blueprint import blueprint
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import Form, Whole, submitted
from c2m.web.viewer import signed_in_viewer


class CompletionForm(Form):
    """Pieces by variant, and the key that makes sending them twice harmless."""

    pieces: dict[UUID, Annotated[Whole, Field(ge=0, le=1_000_000)]] = Field(default_factory=dict)
    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]


@blueprint.post("/studio/campaigns/<uuid:campaign_id>/complete")
@allow(Role.MERCHANDISER)
def complete_campaign(campaign_id: UUID) -> Response:
    """Buy missing pieces of one's own campaign, paid like any other and named on its page."""
    session = db_session()
    found = board.campaign_of(session, campaign_id, organisation_id=signed_in_viewer().organisation_id)
    form = submitted(CompletionForm).value
    chosen = {variant_id: pieces for variant_id, pieces in form.pieces.items() if pieces}
    key = form.idempotency_key
    completion.complete_campaign(session, found, chosen, idempotency_key=key, now=request_time())
    pieces = sum(chosen.values())
    flash(
        ngettext(
            "You took one piece yourself; buyers see it.", "You took %(num)s pieces yourself; buyers see it.", pieces
        ),
        "good",
    )
    return redirect(url_for("demand.studio_campaign", campaign_id=campaign_id), 303)


def completion_part(session: Session, found: Campaign, pledged: dict[UUID, int]) -> dict[str, Any]:
    """What a merchandiser may buy itself now, spread over the variants as buyers chose, and what it has bought."""
    missing = completion.missing_pieces(found, now=request_time())
    by_variant = {variant.id: pledged.get(variant.id, 0) for variant in queries.variants(session, found.id)}
    ladder = queries.ladder(session, found.id)
    return {
        "missing": missing,
        "suggested": completion.suggested_pieces(missing, by_variant) if missing else {},
        "completing_price": ladder.price_at(found.certain_quantity + missing),
        "bought": completion.pieces_bought_by_merchant(session, found.id),
    }
