"""What buyers see of a concept: its pictures side by side, and the form that says who wants how many at what price."""

from typing import Annotated
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.design import concepts, pictures, queries, signals, wants
from c2m.design.models import Concept, ConceptState, Place
from c2m.design.views.blueprint import blueprint
from c2m.design.views.showing import arranged, note_shown
from c2m.design.wants import MOST_PIECES, WantRequest
from c2m.errors import Invalid
from c2m.identity import queries as identity
from c2m.identity.models import Role
from c2m.web.access import allow, public
from c2m.web.context import db_session, request_time
from c2m.web.flask_app import reads
from c2m.web.forms import Amount, Form, Submission, Whole, amount_entry, blank, submitted
from c2m.web.viewer import signed_in_viewer, viewer


class WantForm(Form):
    variant_id: UUID
    quantity: Annotated[Whole, Field(ge=1, le=MOST_PIECES)]
    price: Amount
    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]


class QuestionForm(Form):
    words: Annotated[str, Field(max_length=500)] = ""
    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]


@blueprint.get("/concepts/<uuid:concept_id>")
@public
def concept(concept_id: UUID) -> tuple[str, int]:
    """A concept: pictures, price, how far it has come, and what I would take."""
    return concept_page(visible_concept(concept_id))


@blueprint.post("/concepts/<uuid:concept_id>/deposit")
@public
@reads
def deposit(concept_id: UUID) -> str:
    """What the form would ask for now, as a part of the page."""
    pieces = _quantity(submitted(WantForm))
    found = visible_concept(concept_id)
    return render_template("design/_deposit.html", concept=found, quantity=pieces, decide_by=concepts.decide_by(found))


@blueprint.post("/concepts/<uuid:concept_id>/want")
@allow(Role.BUYER)
def want(concept_id: UUID) -> Response | tuple[str, int]:
    """Say what I would take, and pay the refundable deposit if one is asked for."""
    found, form = visible_concept(concept_id), submitted(WantForm)
    if not form.accepted:
        return concept_page(found, form)
    request = WantRequest(
        concept_id=concept_id,
        variant_id=form.value.variant_id,
        buyer_id=signed_in_viewer().organisation_id,
        quantity=form.value.quantity,
        price_minor=form.value.price,
        idempotency_key=form.value.idempotency_key,
    )
    try:
        stated = wants.state_want(db_session(), request, now=request_time())
    except Invalid as refusal:
        form.refuse(refusal)
        return concept_page(found, form)
    if stated.deposit_minor:
        flash(_("Noted. The deposit is on its way into escrow; you get it back whenever you like."), "good")
    else:
        flash(_("Noted. The merchandiser sees that you want it."), "good")
    return redirect(url_for("design.concept", concept_id=concept_id), 303)


@blueprint.post("/wants/<uuid:want_id>/withdraw")
@allow(Role.BUYER)
def withdraw(want_id: UUID) -> Response:
    """Take a want back; its deposit returns."""
    session = db_session()
    mine = wants.want_of(session, want_id, buyer_id=signed_in_viewer().organisation_id)
    wants.withdraw_want(session, mine, now=request_time())
    flash(_("Withdrawn. The deposit is on its way back to you.") if mine.deposit_minor else _("Withdrawn."), "good")
    return redirect(url_for("design.concept", concept_id=mine.concept_id), 303)


def visible_concept(concept_id: UUID) -> Concept:
    """A concept that has been published; a draft is seen by its own merchandiser only.

    Raises:
        ConceptNotFound
    """
    found = concepts.concept(db_session(), concept_id)
    who = viewer()
    if found.state is ConceptState.DRAFT and (who is None or who.organisation_id != found.organisation_id):
        raise concepts.ConceptNotFound(concept_id=concept_id)
    return found


def concept_page(
    found: Concept, form: Submission[WantForm] | None = None, question: Submission[QuestionForm] | None = None
) -> tuple[str, int]:
    """A concept's page with its two forms; the one that was sent shows what is wrong with it."""
    session, who = db_session(), viewer()
    form = form or blank(WantForm, quantity=1, price=amount_entry(found.price_minor, found.currency))
    question = question or blank(QuestionForm)
    is_published = found.state is ConceptState.PUBLISHED
    is_open = is_published and request_time() < found.ends_at
    shown = concepts.variants(session, found.id)
    if is_open:
        shown = arranged(found.id, shown)
        note_shown([shown[0].id], Place.PAGE)
    interest = queries.interest(session, [found.id])
    buyer_id = who.organisation_id if who is not None and who.has(Role.BUYER) else None
    html, status = form.page(
        "design/concept.html",
        concept=found,
        merchandiser=identity.organisation_of(session, found.organisation_id),
        variants=shown,
        pictures=pictures.pictures(session, [variant.picture_id for variant in shown]),
        interest=interest,
        wanted=sum(said.pieces for said in interest.values()),
        mine=queries.wants_of(session, found.id, buyer_id) if buyer_id else [],
        left=wants.left_to_want(session, found, buyer_id) if buyer_id else found.target_quantity,
        by_id={variant.id: variant for variant in shown},
        is_open=is_open,
        is_awaited=is_published and not is_open and bool(queries.validated_of(session, [found.id])),
        decide_by=concepts.decide_by(found),
        may_want=who is None or buyer_id is not None,
        is_buyer=buyer_id is not None,
        is_owner=who is not None and who.organisation_id == found.organisation_id,
        saved=buyer_id is not None and signals.is_saved(session, found.id, buyer_id),
        questions=[q for q in signals.questions_about(session, found.id) if q.answer or q.buyer_id == buyer_id],
        question=question,
        quantity=_quantity(form),
        key=form.entered.get("idempotency_key") or str(uuid4()),
        question_key=question.entered.get("idempotency_key") or str(uuid4()),
    )
    return html, 422 if question.errors else status


def _quantity(form: Submission[WantForm]) -> int | None:
    """The pieces entered so far, if they make sense."""
    if form.parsed is not None:
        return form.parsed.quantity
    text = str(form.entered.get("quantity", "")).strip()
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_PIECES else None
