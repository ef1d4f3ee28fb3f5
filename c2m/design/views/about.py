"""One picture: how it came to be, taken away as a file, and made again with other seeds or in other colours."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID, uuid4

from flask import Response as FileResponse
from flask import redirect, render_template, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.design import generations, pictures
from c2m.design.drawings import COLOURS
from c2m.design.generations import MOST_PICTURES, Commission
from c2m.design.models import Generation, Picture, PictureKind, Rendition
from c2m.design.views import briefs
from c2m.design.views.blueprint import blueprint
from c2m.design.views.briefs import Key
from c2m.design.views.generations import SEEDS, own_generation, own_picture, starts_from_pictures
from c2m.design.views.pictures import seen_picture
from c2m.identity.models import Role
from c2m.web.access import allow, public
from c2m.web.context import db_session, request_time
from c2m.web.formats import percent
from c2m.web.forms import Form, Submission, Whole, blank, key_for, submitted
from c2m.web.viewer import signed_in_viewer, viewer

FILE_NAMES = {
    PictureKind.CONCEPT: "ai-concept",
    PictureKind.SKETCH: "sketch",
    PictureKind.PHOTO: "photograph",
}


class MoreForm(Form):
    count: Annotated[Whole, Field(ge=1, le=MOST_PICTURES)] = 4
    idempotency_key: Key


class ColoursForm(Form):
    colours: Annotated[list[Annotated[str, briefs.one_of(COLOURS)]], Field(min_length=1, max_length=MOST_PICTURES)]
    idempotency_key: Key


@blueprint.get("/pictures/<uuid:picture_id>/about")
@public
def about_picture(picture_id: UUID) -> tuple[str, int]:
    """A picture with its provenance; its own house can go on from it."""
    return _page(seen_picture(picture_id))


@blueprint.get("/pictures/<uuid:picture_id>/picture.png")
@public
def picture_png(picture_id: UUID) -> FileResponse:
    """A picture to take away, which says in itself how it was made."""
    found = seen_picture(picture_id)
    response = FileResponse(pictures.as_png(found, is_own=_is_own(found)), mimetype="image/png")
    name = {PictureKind.CONCEPT: "ai-concept", PictureKind.SKETCH: "sketch", PictureKind.PHOTO: "photograph"}[
        found.kind
    ]
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}-{str(picture_id)[-8:]}.png")
    response.cache_control.private = True
    return response


@blueprint.post("/pictures/<uuid:picture_id>/colour-ways")
@allow(Role.MERCHANDISER)
def colour_ways(picture_id: UUID) -> Response | tuple[str, int]:
    """Have a picture made again in other colours, with the same seed and everything else kept."""
    found, form = own_picture(picture_id), submitted(ColoursForm)
    known = generations.asked_for(db_session(), picture_id)
    if known is None:
        raise pictures.PictureNotFound(picture_id=picture_id)
    if not form.accepted:
        return _page(found, form)
    generation, rendition = known
    colours = tuple(dict.fromkeys(form.value.colours))
    return again(generation, rendition, key_for(form.value), colours=colours)


@blueprint.post("/studio/pictures/<uuid:generation_id>/more")
@allow(Role.MERCHANDISER)
def more_of(generation_id: UUID) -> Response:
    """Have more pictures of a brief made, with seeds of their own."""
    form, found = submitted(MoreForm), own_generation(generation_id)
    first = generations.renditions(db_session(), [found.id])[found.id][0]
    return again(found, first, key_for(form.value), count=form.value.count)


def again(
    generation: Generation, like: Rendition, key: str, *, count: int = 1, colours: Sequence[str] = ()
) -> Response:
    """Ask for a generation's brief again: with new seeds, or in other colours with the seed it had."""
    who = signed_in_viewer()
    asked = Commission(
        organisation_id=who.organisation_id,
        asked_by=who.user_id,
        idempotency_key=key,
        seed=like.seed if colours else secrets.randbelow(SEEDS),
        words=generation.words,
        category=generation.category,
        attributes=like.attributes,
        count=count,
        colours=tuple(colours),
        source_id=generation.source_id,
        strength_pct=generation.strength_pct,
    )
    made = generations.commission(db_session(), asked, now=request_time())
    return redirect(url_for("design.generation", generation_id=made.id), 303)


def _page(found: Picture, form: Submission[ColoursForm] | None = None) -> tuple[str, int]:
    form = form or blank(ColoursForm)
    session, is_own = db_session(), _is_own(found)
    known = generations.asked_for(session, found.id) if is_own else None
    colour_now = known[1].attributes.get("primary") if known else None
    html = render_template(
        "design/picture.html",
        picture=found,
        is_own=is_own,
        generation=known[0] if known else None,
        rendition=known[1] if known else None,
        asked=briefs.asked_words(*known) if known else "",
        source=_source(found) if is_own else None,
        colours=[colour for colour in COLOURS.values() if colour.name != colour_now],
        form=form,
        most=MOST_PICTURES,
        key=form.entered.get("idempotency_key") or str(uuid4()),
        rows=facts_of(found, is_own=is_own),
        starts_from_pictures=starts_from_pictures(),
    )
    return html, 422 if form.errors else 200


@blueprint.app_template_global("facts_of")
def facts_of(found: Picture, *, is_own: bool) -> list[tuple[str, str]]:
    """How a picture was made, as names and values in the reader's language."""
    known = found.provenance
    is_sketch = known.get("generator") == "sketch"
    made_by = _("Our own sketcher, no image model") if is_sketch else known.get("model") or known.get("generator")
    attributes = known.get("attributes") or known.get("spec") or {}
    looks, words = briefs.described(attributes), known.get("brief") or ""
    true = not words or briefs.says(words, attributes.get("category", ""), attributes)
    rows = [
        (_("Made as"), _made_as(found.kind)),
        (_("Made by"), None if found.kind is PictureKind.PHOTO else made_by),
        (_("Revision"), known.get("revision")),
        (_("In words") if true else _("Words it began with, replaced below"), words),
        (_("Prompt"), known.get("prompt")),
        *looks,
        (_("Seed"), known.get("seed")),
        (_("Steps"), known.get("steps")),
        (_("Guidance"), known.get("guidance")),
        (_("Strength"), percent(known["strength"]) if known.get("strength") else None),
        (_("Start picture"), _recoloured(known)),
        (_("File"), known.get("filename") if is_own else None),
        (_("Asked for by"), known.get("by") if is_own else None),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]


def _recoloured(known: Mapping[str, Any]) -> str | None:
    colour = known.get("start_recoloured")
    return (
        _("its product recoloured in %(colour)s first", colour=briefs.value_name("primary", colour)) if colour else None
    )


def _made_as(kind: PictureKind) -> str:
    words = {
        PictureKind.CONCEPT: _("AI concept, made by an image model"),
        PictureKind.SKETCH: _("Sketch, drawn by a program"),
        PictureKind.PHOTO: _("Photograph, cleaned of all hidden data"),
    }
    return str(words[kind])


def _source(found: Picture) -> Picture | None:
    source_id = found.provenance.get("source_picture")
    return pictures.pictures(db_session(), [UUID(source_id)]).get(UUID(source_id)) if source_id else None


def _is_own(found: Picture) -> bool:
    who = viewer()
    return who is not None and who.organisation_id == found.organisation_id
