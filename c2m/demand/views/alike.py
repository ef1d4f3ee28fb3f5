"""Image search in the marketplace: what on offer looks like a photograph, or like a picture that is shown here."""

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from flask import jsonify, render_template, url_for
from flask.blueprints import BlueprintSetupState
from PIL import Image
from werkzeug.wrappers import Response

from c2m.demand import marketplace, queries
from c2m.demand.marketplace import Kind
from c2m.demand.views.blueprint import blueprint
from c2m.design import alike, pictures
from c2m.design.alike import Alike
from c2m.design.likeness import Degree, Looks, of_a_kind
from c2m.design.models import Picture
from c2m.design.pictures import MOST_BYTES, PictureNotFound, PictureRefused, make_safe
from c2m.design.queries import Face, faces
from c2m.errors import N_, Invalid, Unavailable
from c2m.web.access import public
from c2m.web.context import db_session, edge, request_time
from c2m.web.errors import wants_json
from c2m.web.flask_app import reads
from c2m.web.forms import Form, Submission, Upload, queried, submitted

SHOWN = 12
CLOSEST = 4  # shown where nothing is alike
LOOKED_THROUGH = 200  # nearest pictures, of which some belong to what is over
PHOTOGRAPHS_AT_ONCE = 2  # read in child processes, in each process of the site
WAIT_SECONDS = 5.0
SHOWN_SIDE = 240  # pixels in which a photograph that was handed in is shown beside what it found

_reading = BoundedSemaphore(PHOTOGRAPHS_AT_ONCE)


class TooManyPhotographs(Unavailable):
    sentence = N_("Many photographs are being looked at. Please try again in a moment.")


@dataclass(frozen=True)
class Found:
    """A card on offer, the picture of it that was found, and how alike it is; None where it isn't or nobody knows."""

    card: Any
    picture_id: UUID
    distance: float
    degree: Degree | None


class LikeForm(Form):
    picture: UUID | None = None


class PhotographForm(Form):
    photograph: Upload


@blueprint.get("/market/alike")
@public
def looks_alike() -> str | Response:
    """What looks like a picture that is shown here; without one, a place to hand in a photograph."""
    form = queried(LikeForm)
    if form.picture is None:
        return _page(None)
    session = db_session()
    shown = pictures.picture(session, form.picture)
    if shown.published_at is None:
        raise PictureNotFound(picture_id=shown.id)
    return _answer(alike.more_like(session, shown, count=LOOKED_THROUGH, looks=_looks()), like=shown)


@blueprint.get("/market/alike.json")
@public
def looks_alike_json() -> str | Response:
    """The same for programs, which name a picture or send one."""
    if queried(LikeForm).picture is None:
        raise Invalid(errors={"picture": N_("Name a picture that is shown here, or send a photograph by POST.")})
    return looks_alike()


@blueprint.post("/market/alike")
@public
@reads
def find_alike() -> str | Response | tuple[str, int]:
    """What looks like a photograph, which is looked at and not kept."""
    form = submitted(PhotographForm)
    try:
        image = _photograph(form.value.photograph) if form.accepted else None
    except PictureRefused as refusal:
        if wants_json():
            raise
        form.refuse(refusal, "photograph")
    if not form.accepted or image is None:
        if wants_json():
            raise Invalid(errors=form.errors)
        return _page(None, form=form), 422
    near = alike.looks_like(db_session(), image, count=LOOKED_THROUGH, looks=_looks())
    return _answer(near, form=form, photograph=image)


@blueprint.post("/market/alike.json")
@public
@reads
def find_alike_json() -> str | Response | tuple[str, int]:
    """The same for programs; as it changes nothing, no form's token is asked for."""
    return find_alike()


@blueprint.record_once
def ask_programs_for_no_token(state: BlueprintSetupState) -> None:
    """Let anybody's program search by a picture."""
    state.app.extensions["csrf"].exempt(find_alike_json)


def _photograph(sent: Upload) -> Image.Image:
    content = sent.stream.read(MOST_BYTES + 1)
    if not _reading.acquire(timeout=WAIT_SECONDS):
        raise TooManyPhotographs()
    try:
        return Image.open(io.BytesIO(make_safe(content)))
    finally:
        _reading.release()


def _looks() -> Looks:
    return alike.looks_of(edge().settings.likeness_model)


def _answer(
    near: Sequence[Alike],
    *,
    form: Submission[PhotographForm] | None = None,
    like: Picture | None = None,
    photograph: Image.Image | None = None,
) -> str | Response:
    found = _on_offer(near)
    if wants_json():
        return jsonify({"results": [_told(one) for one in found]})
    return _page(found, form=form, like=like, photograph=photograph)


def _on_offer(near: Sequence[Alike]) -> list[Found]:
    """What is on offer among the nearest pictures and alike; where nothing is, the closest, without a degree."""
    degrees = _looks().degrees
    distances = {one.picture_id: one.distance for one in near}
    cards = marketplace.showing(db_session(), list(distances), now=request_time())[:SHOWN]
    found = [Found(card, i, distances[i], degrees.of(distances[i]) if degrees else None) for card, i in cards]
    if degrees is None:
        return found
    if not (alikes := [(one, one.degree) for one in found if one.degree is not None]):
        return found[:CLOSEST]
    belong = of_a_kind([(one.card.category, degree) for one, degree in alikes])
    return [one for (one, _degree), belongs in zip(alikes, belong, strict=True) if belongs]


def _told(found: Found) -> dict[str, Any]:
    card = found.card
    is_concept = card.kind == Kind.CONCEPT
    address = ("design.concept", "concept_id") if is_concept else ("demand.campaign", "campaign_id")
    return {
        "kind": card.kind,
        "id": str(card.id),
        "title": card.title,
        "title_en": card.title_en,
        "category": card.category,
        "price_minor": card.price_minor,
        "currency": card.currency,
        "url": url_for(address[0], **{address[1]: card.id}),
        "picture_url": url_for("design.picture", picture_id=found.picture_id),
        "distance": round(found.distance, 4),
        "alike": found.degree,
    }


def _page(
    found: Sequence[Found] | None,
    *,
    form: Submission[PhotographForm] | None = None,
    like: Picture | None = None,
    photograph: Image.Image | None = None,
) -> str:
    session, rows = db_session(), [one.card for one in found or ()]
    return render_template(
        "demand/alike.html",
        rows=rows,
        searched=found is not None,
        form=form,
        like=like,
        photograph=_in_the_page(photograph) if photograph else "",
        has_degrees=_looks().degrees is not None,
        degrees={one.card.id: one.degree for one in found or () if one.degree},
        ladders=queries.ladders(session, [row.id for row in rows if row.kind != Kind.CONCEPT]),
        faces=_nearest_faces(found or ()),
    )


def _in_the_page(photograph: Image.Image) -> str:
    """A small copy as an address that holds the picture itself: the page shows it and the site keeps nothing."""
    small = photograph.convert("RGB")
    small.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=80)
    return f"data:image/webp;base64,{b64encode(out.getvalue()).decode()}"


def _nearest_faces(found: Sequence[Found]) -> dict[UUID, Face]:
    """Of each concept the picture that was found, which need not be the one it usually shows."""
    concepts = {one.card.id: one.picture_id for one in found if one.card.kind == Kind.CONCEPT}
    known = faces(db_session(), list(concepts))
    return {i: next(face for face in known[i] if face.picture_id == picture_id) for i, picture_id in concepts.items()}
