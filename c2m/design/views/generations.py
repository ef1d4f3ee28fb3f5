"""The picture studio: briefs, the runs that make their pictures, and one run as it comes along."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from c2m.design import generations, pictures
from c2m.design.diffusion.briefs import UnknownProduct
from c2m.design.generations import MOST_PICTURES, USUAL_STRENGTH_PCT, Commission
from c2m.design.making import chosen_generator
from c2m.design.models import Generation, Picture
from c2m.design.views import briefs
from c2m.design.views.blueprint import blueprint
from c2m.design.views.briefs import SHAPED, BriefForm
from c2m.design.wording import WordRefused
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.flask_app import reads
from c2m.web.forms import Form, Submission, blank, key_for, queried, submitted
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import signed_in_viewer

SEEDS = 2**31 - 64  # a run counts on from its first one
PATIENCE = timedelta(minutes=2)


class FromForm(Form):
    source: UUID | None = None
    category: str = ""
    words: str = ""


@blueprint.get("/studio/pictures")
@allow(Role.MERCHANDISER)
def sketchbook() -> tuple[str, int]:
    """The form for a brief, and every run with its pictures."""
    begun = queried(FromForm)
    source = own_picture(begun.source) if begun.source else None
    form = blank(BriefForm, count=4, strength=USUAL_STRENGTH_PCT, category=begun.category, words=begun.words)
    return studio_page(form, source)


@blueprint.post("/studio/pictures/reading")
@allow(Role.MERCHANDISER)
@reads
def reading() -> str:
    """How the brief is understood so far, as a part of the page."""
    return render_template("design/_reading.html", reading=briefs.reading_of(submitted(BriefForm)))


@blueprint.post("/studio/pictures")
@allow(Role.MERCHANDISER)
def commission() -> Response | tuple[str, int]:
    """Have the pictures of a brief made."""
    form = submitted(BriefForm)
    if form.accepted:
        try:
            return _to(_asked(form.value))
        except pictures.PictureRefused as refusal:
            form.refuse(refusal, "photograph")
        except WordRefused as refusal:
            form.refuse(refusal, "words")
        except UnknownProduct:
            form.errors["category"] = _("Name the product in the words, or choose it here.")
        except (Invalid, generations.TooManyGenerations) as refusal:
            form.refuse(refusal)
    source_id = form.parsed.source_id if form.parsed else None
    return studio_page(form, own_picture(source_id) if source_id else None)


@blueprint.get("/studio/pictures/<uuid:generation_id>")
@allow(Role.MERCHANDISER)
def generation(generation_id: UUID) -> str:
    """One run: how its brief was read, how far it is, and its pictures to choose among."""
    session = db_session()
    found = own_generation(generation_id)
    asked = generations.renditions(session, [found.id])[found.id]
    made = pictures.pictures(session, [rendition.picture_id for rendition in asked if rendition.picture_id])
    shared = {
        name: value for name, value in found.attributes.items() if all(r.attributes.get(name) == value for r in asked)
    }
    return render_template(
        "design/generation.html",
        says=all(briefs.says(found.words, found.category, rendition.attributes) for rendition in asked),
        generation=found,
        renditions=asked,
        pictures=made,
        source=pictures.pictures(session, [found.source_id]).get(found.source_id) if found.source_id else None,
        reading=briefs.described({"category": found.category, **shared}),
        reason=_(found.reason) % found.reason_details if found.reason else "",
        is_colour_ways=any(each.attributes.get("primary") != found.attributes.get("primary") for each in asked),
        under_way=found.state in generations.UNDER_WAY,
        key=str(uuid4()),
        most=MOST_PICTURES,
    )


@blueprint.post("/studio/pictures/<uuid:generation_id>/cancel")
@allow(Role.MERCHANDISER)
def cancel_generation(generation_id: UUID) -> Response:
    """Stop a run; what was made stays."""
    found = own_generation(generation_id)
    generations.cancel_generation(db_session(), found, now=request_time())
    flash(_("Cancelled. The pictures that were made stay."), "good")
    return _to(found)


@blueprint.post("/studio/pictures/<uuid:generation_id>/resume")
@allow(Role.MERCHANDISER)
def resume_generation(generation_id: UUID) -> Response:
    """Have the pictures made that are missing."""
    found = own_generation(generation_id)
    generations.resume_generation(db_session(), found, now=request_time())
    return _to(found)


def studio_page(form: Submission[BriefForm], source: Picture | None) -> tuple[str, int]:
    """The studio with a brief that is being written."""
    session, organisation_id = db_session(), signed_in_viewer().organisation_id
    page = page_of(session, generations.generations_of(organisation_id), page=page_number())
    asked = generations.renditions(session, [run.id for run in page.rows])
    return form.page(
        "design/generations.html",
        page=page,
        renditions=asked,
        reading_of_run={run.id: briefs.described({"category": run.category, **run.attributes}) for run in page.rows},
        reading=briefs.reading_of(form),
        source=source,
        options={name: briefs.options(name) for name in ("category", *SHAPED)},
        strengths=briefs.strengths(),
        most=MOST_PICTURES,
        key=form.entered.get("idempotency_key") or str(uuid4()),
        maker=maker_words(),
        starts_from_pictures=starts_from_pictures(),
    )


@blueprint.app_template_global("kept_waiting")
def kept_waiting(found: Generation) -> bool:
    """Whether no worker has taken a run up for so long that there may be none."""
    since = generations.waiting_since(db_session(), found)
    return since is not None and request_time() - since > PATIENCE


def maker_words() -> str:
    """What makes the pictures here, in a sentence."""
    if edge().settings.design_worker:
        return str(_("Made by a worker of their own; each picture says by which model, and all are labelled."))
    name, model = chosen_generator(edge().settings).name, edge().settings.design_model
    known_as = Path(model).name if Path(model).is_dir() else model
    if name == "sketch":
        words = _("No image model is installed: our own sketcher draws, and what it draws is labelled a sketch.")
    elif not model:
        words = _("Made by the small model that ships with c2m, and labelled as AI concepts wherever they are shown.")
    else:
        words = _("Made by %(model)s, and labelled as AI concepts wherever they are shown.", model=known_as)
    return str(words)


def starts_from_pictures() -> bool:
    """Whether pictures can be made from pictures here, not from words alone."""
    return chosen_generator(edge().settings).name != "sketch"


def own_generation(generation_id: UUID) -> Generation:
    """The viewer's own run.

    Raises:
        GenerationNotFound
    """
    mine = signed_in_viewer().organisation_id
    return generations.generation_of(db_session(), generation_id, organisation_id=mine)


def own_picture(picture_id: UUID) -> Picture:
    """A picture of the viewer's own house.

    Raises:
        PictureNotFound
    """
    found = pictures.picture(db_session(), picture_id)
    if found.organisation_id != signed_in_viewer().organisation_id:
        raise pictures.PictureNotFound(picture_id=picture_id)
    return found


def _asked(entered: BriefForm) -> Generation:
    """What the form asks for, kept; a photograph that was sent is made safe before the database is held up for it.

    Raises:
        PictureRefused, WordRefused, UnknownProduct, Invalid, TooManyGenerations
    """
    who, now = signed_in_viewer(), request_time()
    key = key_for(entered)
    with edge().database.reading() as session:
        known = generations.asked_before(session, who.organisation_id, key)
    source_id = entered.source_id if known is None else known.source_id
    if entered.photograph and known is None:
        source_id = _photograph(entered, who.organisation_id, now)
    asked = Commission(
        organisation_id=who.organisation_id,
        asked_by=who.user_id,
        idempotency_key=key,
        seed=secrets.randbelow(SEEDS),
        words=entered.words,
        category=entered.category or "",
        attributes=entered.chosen,
        count=entered.count,
        source_id=source_id,
        strength_pct=entered.strength if source_id else None,
    )
    return generations.commission(db_session(), asked, now=now)


def _photograph(entered: BriefForm, organisation_id: UUID, now: datetime) -> UUID:
    if entered.photograph is None:
        raise pictures.NotAPicture()
    content = entered.photograph.stream.read(pictures.MOST_BYTES + 1)
    name = entered.photograph.filename or ""
    return pictures.store_upload(db_session(), content, organisation_id=organisation_id, filename=name, now=now).id


def _to(found: Generation) -> Response:
    return redirect(url_for("design.generation", generation_id=found.id), 303)
