"""The operator's offers: what waits for an answer, who is named as the backup, and counter-offers to decide."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.identity.models import Organisation, Role
from c2m.identity.queries import organisations
from c2m.matching.counters import Decision, decide_counter
from c2m.matching.dispatch import CounterDetail, counter_detail, counts_by_state, dispatched, with_parties
from c2m.matching.models import CounterState, OfferState
from c2m.matching.offers import as_offered
from c2m.matching.views.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import Form, Submission, blank, queried, submitted
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import signed_in_viewer


class OffersForm(Form):
    show: Literal["offered", "countered", "accepted", "declined", "expired"] = "offered"


class DecisionForm(Form):
    decision: Literal["agree", "refuse"]
    reason: Annotated[str, Field(max_length=300)] = ""


@blueprint.get("/operator/offers")
@allow(Role.OPERATOR)
def dispatch() -> str:
    """Offers and who is asked next, those that run out first before the others."""
    session, state = db_session(), OfferState(queried(OffersForm).show)
    page = page_of(session, dispatched([state]), page=page_number())
    counts = counts_by_state(session)
    return render_template(
        "matching/dispatch.html",
        shown=state,
        states=OfferState,
        counts=counts,
        page=page,
        rows=with_parties(session, [(row[0], row[1]) for row in page.rows]),
    )


@blueprint.get("/operator/counters/<uuid:counter_id>")
@allow(Role.OPERATOR)
def counter_offer(counter_id: UUID) -> str:
    """A counter-offer with what it would do to the plan."""
    return _counter(counter_id, blank(DecisionForm))[0]


@blueprint.post("/operator/counters/<uuid:counter_id>/decide")
@allow(Role.OPERATOR)
def decide_on_counter(counter_id: UUID) -> Response | tuple[str, int]:
    """Agree to a counter-offer, or refuse it."""
    form = submitted(DecisionForm)
    if not form.accepted:
        return _counter(counter_id, form)
    agrees = form.value.decision == "agree"
    decision = Decision(counter_id, agrees, signed_in_viewer().user_id, form.value.reason or None)
    decide_counter(db_session(), decision, now=request_time())
    flash(_("Agreed: the offer is accepted on these terms.") if agrees else _("Refused: the offer stands as it was."))
    return redirect(url_for("matching.dispatch", show="countered"), 303)


def _makers(detail: CounterDetail) -> Callable[[dict[str, Any]], list[tuple[Organisation, int]]]:
    """Who makes the sheet's pieces in each case of a weighed counter-offer, with how many."""
    cases = [case.get("makers", []) for case in detail.counter.effect.values() if isinstance(case, dict)]
    houses = organisations(db_session(), sorted({UUID(maker) for makers in cases for maker, _pieces in makers}))
    return lambda case: [(houses[UUID(maker)], pieces) for maker, pieces in case.get("makers", [])]


def _offered(detail: CounterDetail) -> dict[str, Any]:
    """The terms that were countered: the offer's own, or where it was taken on others those it was made on."""
    found: dict[str, Any] = as_offered(detail.offer) | detail.offer.explanation.get("offered", {})
    return found | {"deliver_by": datetime.fromisoformat(found["deliver_by"])}


def _counter(counter_id: UUID, form: Submission[DecisionForm]) -> tuple[str, int]:
    detail = counter_detail(db_session(), counter_id)
    return form.page(
        "matching/counter.html",
        detail=detail,
        effect=detail.counter.effect,
        makers=_makers(detail),
        offered=_offered(detail),
        open=detail.counter.state is CounterState.OPEN and detail.offer.expires_at > request_time(),
    )
