"""A concept while it is a draft: its words, its pictures, publishing it."""

import secrets
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from pydantic import Field
from sqlmodel import Session
from werkzeug.wrappers import Response

from c2m.design import concepts, generations, pictures
from c2m.design.categories import CATEGORIES
from c2m.design.concepts import MOST_VARIANTS, ConceptDraft, ConceptWithoutPicture, TooManyVariants
from c2m.design.diffusion.briefs import understand
from c2m.design.generation import Brief, Generated
from c2m.design.models import Concept, ConceptState
from c2m.design.views import briefs, comparing, sketching
from c2m.design.views.blueprint import blueprint
from c2m.design.views.generations import own_picture
from c2m.design.views.sketching import SketchForm
from c2m.design.wording import WordRefused, check_words
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.forms import (
    Amount,
    Form,
    Line,
    LocalTime,
    Submission,
    Upload,
    Whole,
    amount_entry,
    blank,
    local_time_entry,
    submitted,
)
from c2m.web.viewer import signed_in_viewer

Answer = Response | tuple[str, int]


class ConceptForm(Form):
    title: Line
    title_en: Annotated[str, Field(max_length=120)] = ""
    category: Annotated[str, sketching.one_of(CATEGORIES)]
    brief: Annotated[str, Field(max_length=2000)] = ""
    price: Amount
    deposit: Amount = 0
    target_quantity: Whole
    ends_at: LocalTime


class NewConceptForm(ConceptForm):
    picture: Annotated[list[UUID], Field(default_factory=list, max_length=MOST_VARIANTS)]


class PhotographForm(Form):
    picture: Upload
    name: Annotated[str, Field(min_length=1, max_length=60)]
    name_en: Annotated[str, Field(max_length=60)] = ""


@blueprint.get("/studio/concepts/new")
@allow(Role.MERCHANDISER)
def new_concept() -> tuple[str, int]:
    """The form for a new concept, begun with what all pictures that were picked show."""
    chosen = comparing.picked()
    asked = [generations.asked_for(db_session(), picture.id) for picture in chosen]
    known = [found for found in asked if found is not None]
    begun = briefs.in_common(known) if known and len(known) == len(chosen) else {}
    return blank(NewConceptForm, **begun).page("design/new.html", categories=CATEGORIES, chosen=chosen)


@blueprint.post("/studio/concepts/new")
@allow(Role.MERCHANDISER)
def create_concept() -> Answer:
    """Keep a new concept as a draft and go on to its pictures."""
    form = submitted(NewConceptForm)
    named = () if "picture" in form.errors else form.entered.get("picture", ())  # kept though other fields be wrong
    chosen = [own_picture(UUID(picture_id)) for picture_id in dict.fromkeys(named)]
    if form.accepted:
        try:
            made = concepts.create_concept(db_session(), _draft(form.value), now=request_time())
            comparing.put_into(made, chosen)
            return redirect(url_for("design.edit_concept", concept_id=made.id) + "#pictures", 303)
        except Invalid as refusal:
            form.refuse(refusal)
    return form.page("design/new.html", categories=CATEGORIES, chosen=chosen)


@blueprint.post("/studio/concepts/<uuid:concept_id>")
@allow(Role.MERCHANDISER)
def change_concept(concept_id: UUID) -> Answer:
    """Replace what a draft says."""
    found, form = own_concept(db_session(), concept_id), submitted(ConceptForm)
    if form.accepted:
        try:
            draft = replace(_draft(form.value), currency=found.currency)
            concepts.change_concept(db_session(), found, draft, now=request_time())
            flash(_("The draft is saved."), "good")
            return _back(concept_id)
        except Invalid as refusal:
            form.refuse(refusal)
    return edit_page(found, form=form)


@blueprint.post("/studio/concepts/<uuid:concept_id>/photographs")
@allow(Role.MERCHANDISER)
def add_photograph(concept_id: UUID) -> Answer:
    """Add a photograph to a draft; it is made safe before the database is held up for it."""
    (seen, free), form = _seen_draft(concept_id), submitted(PhotographForm)
    if form.accepted and not free:
        form.refuse(TooManyVariants(), "picture")
    if not form.accepted:
        return edit_page(seen, photograph=form)
    session, now, sent = db_session(), request_time(), form.value.picture
    content = sent.stream.read(pictures.MOST_BYTES + 1)
    try:
        photograph = pictures.store_upload(
            session, content, organisation_id=seen.organisation_id, filename=sent.filename or "", now=now
        )
    except pictures.PictureRefused as refusal:
        form.refuse(refusal, "picture")
        return edit_page(seen, photograph=form)
    found = own_concept(session, concept_id)
    try:
        concepts.add_variant(session, found, photograph, name=form.value.name, name_en=form.value.name_en, now=now)
    except WordRefused as refusal:
        form.refuse(refusal, "name")
        return edit_page(seen, photograph=form)
    flash(_("The picture is added."), "good")
    return _back(concept_id, "pictures")


@blueprint.post("/studio/concepts/<uuid:concept_id>/sketches")
@allow(Role.MERCHANDISER)
def add_sketches(concept_id: UUID) -> Answer:
    """Have sketches drawn from a brief and add them to a draft."""
    (seen, free), form = _seen_draft(concept_id), submitted(SketchForm)
    if form.accepted and not sketching.can_draw(seen.category):
        form.errors[""] = _("Products of this category can't be drawn; add a photograph.")
    if form.accepted and form.value.count > free:
        form.refuse(TooManyVariants(), "count")
    if not form.accepted:
        return edit_page(seen, sketch=form)
    words = form.value.words
    try:
        check_words(words)
    except WordRefused as refusal:
        form.refuse(refusal, "words")
        return edit_page(seen, sketch=form)
    understood = understand(words, category=seen.category, attributes=form.value.chosen)
    brief = Brief(seen.category, words, dict(understood.attributes))
    sketches = sketching.drawn(brief, count=form.value.count, seed=secrets.randbelow(2**31))
    _keep_sketches(concept_id, sketches)
    if understood.ignored:
        flash(_("The sketch could make nothing of: %(words)s.", words=_(", ").join(understood.ignored)), "warn")
    flash(ngettext("One sketch is drawn.", "%(num)s sketches are drawn.", len(sketches)), "good")
    return _back(concept_id, "pictures")


@blueprint.post("/studio/concepts/<uuid:concept_id>/variants/<uuid:variant_id>/remove")
@allow(Role.MERCHANDISER)
def remove_variant(concept_id: UUID, variant_id: UUID) -> Response:
    """Take a picture out of a draft."""
    session = db_session()
    concepts.remove_variant(session, own_concept(session, concept_id), variant_id)
    flash(_("The picture is removed."), "good")
    return _back(concept_id, "pictures")


@blueprint.post("/studio/concepts/<uuid:concept_id>/publish")
@allow(Role.MERCHANDISER)
def publish(concept_id: UUID) -> Answer:
    """Show a concept to buyers."""
    session = db_session()
    found = own_concept(session, concept_id)
    try:
        concepts.publish_concept(session, found, now=request_time())
    except (ConceptWithoutPicture, Invalid) as refusal:
        problem = blank(ConceptForm, **_entered(found))
        problem.refuse(refusal)
        return edit_page(found, form=problem)
    flash(_("Published. Buyers can now say what they would take."), "good")
    return _back(concept_id)


def own_concept(session: Session, concept_id: UUID) -> Concept:
    """The viewer's own concept.

    Raises:
        ConceptNotFound
    """
    return concepts.concept_of(session, concept_id, organisation_id=signed_in_viewer().organisation_id)


def edit_page(
    found: Concept,
    *,
    form: Submission[ConceptForm] | None = None,
    photograph: Submission[PhotographForm] | None = None,
    sketch: Submission[SketchForm] | None = None,
) -> tuple[str, int]:
    """A draft's page with its three forms; the one that was sent shows what is wrong with it."""
    session = db_session()
    form = form or blank(ConceptForm, **_entered(found))
    photograph = photograph or blank(PhotographForm)
    sketch = sketch or blank(SketchForm, words=found.brief[:500])
    variants = concepts.variants(session, found.id)
    html, status = form.page(
        "design/edit.html",
        concept=found,
        photograph=photograph,
        sketch=sketch,
        variants=variants,
        pictures=pictures.pictures(session, [variant.picture_id for variant in variants]),
        most=MOST_VARIANTS,
        can_draw=sketching.can_draw(found.category),
        colours=sketching.colours(),
        patterns=sketching.patterns(),
        categories=CATEGORIES,
    )
    return html, 422 if photograph.errors or sketch.errors else status


def _draft(entered: ConceptForm) -> ConceptDraft:
    return ConceptDraft(
        organisation_id=signed_in_viewer().organisation_id,
        title=entered.title,
        title_en=entered.title_en,
        category=entered.category,
        brief=entered.brief,
        currency=edge().settings.currency,
        price_minor=entered.price,
        deposit_minor=entered.deposit,
        target_quantity=entered.target_quantity,
        ends_at=entered.ends_at,
    )


def _entered(found: Concept) -> dict[str, Any]:
    return {
        "title": found.title,
        "title_en": found.title_en,
        "category": found.category,
        "brief": found.brief,
        "price": amount_entry(found.price_minor, found.currency),
        "deposit": amount_entry(found.deposit_minor, found.currency),
        "target_quantity": found.target_quantity,
        "ends_at": local_time_entry(found.ends_at, edge().settings.timezone),
    }


def _seen_draft(concept_id: UUID) -> tuple[Concept, int]:
    """The viewer's draft and how many pictures it still takes, read without holding up writers meanwhile.

    Raises:
        ConceptNotFound, ConceptNotDraft
    """
    with edge().database.reading() as session:
        found = own_concept(session, concept_id)
        free = MOST_VARIANTS - len(concepts.variants(session, concept_id))
    if found.state is not ConceptState.DRAFT:
        raise concepts.ConceptNotDraft(concept_id=concept_id)
    return found, free


def _keep_sketches(concept_id: UUID, sketches: list[Generated]) -> None:
    session, now = db_session(), request_time()
    found = own_concept(session, concept_id)
    taken = {variant.name for variant in concepts.variants(session, concept_id)}
    for sketch in sketches:
        name, name_en = sketching.names_of(sketch.provenance)
        suffix = sketching.suffix_among(taken, name)
        taken.add(name + suffix)
        picture = pictures.store_drawing(
            session, sketch.image, provenance=sketch.provenance, organisation_id=found.organisation_id, now=now
        )
        concepts.add_variant(session, found, picture, name=name + suffix, name_en=name_en + suffix, now=now)


def _back(concept_id: UUID, part: str = "") -> Response:
    return redirect(url_for("design.edit_concept", concept_id=concept_id, _anchor=part or None), 303)
