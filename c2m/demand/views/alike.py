"""Image search in the marketplace: what on offer looks like a photograph, or like a picture that is shown here."""

import io
from collections.abc import Sequence
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from flask import jsonify, render_template, url_for
from PIL import Image
from werkzeug.wrappers import Response

from c2m.demand import marketplace, queries
from c2m.demand.marketplace import Kind
from c2m.demand.views.blueprint import blueprint
from c2m.design import alike, pictures
from c2m.design.alike import Alike
from c2m.design.likeness import Looks
from c2m.design.models import Picture
from c2m.design.pictures import MOST_BYTES, PictureNotFound, PictureRefused, make_safe
from c2m.design.queries import Face, faces
from c2m.errors import N_, Unavailable
from c2m.web.access import public
from c2m.web.context import db_session, edge, request_time
from c2m.web.errors import wants_json
from c2m.web.flask_app import reads
from c2m.web.forms import Form, Submission, Upload, queried, submitted

SHOWN = 12
LOOKED_THROUGH = 200  # nearest pictures, of which some belong to what is over
PHOTOGRAPHS_AT_ONCE = 2  # read in child processes, in each process of the site
WAIT_SECONDS = 5.0

_reading = BoundedSemaphore(PHOTOGRAPHS_AT_ONCE)


class TooManyPhotographs(Unavailable):
    sentence = N_("Many photographs are being looked at. Please try again in a moment.")


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
        return _page(None, None, None)
    session = db_session()
    shown = pictures.picture(session, form.picture)
    if shown.published_at is None:
        raise PictureNotFound(picture_id=shown.id)
    return _answer(alike.more_like(session, shown, count=LOOKED_THROUGH, looks=_looks()), None, shown)


@blueprint.get("/market/alike.json")
@public
def looks_alike_json() -> str | Response:
    """The same for programs."""
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
        return _page(None, form, None), 422
    return _answer(alike.looks_like(db_session(), image, count=LOOKED_THROUGH, looks=_looks()), form, None)


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


def _answer(near: Sequence[Alike], form: Submission[PhotographForm] | None, like: Picture | None) -> str | Response:
    cards = marketplace.showing(db_session(), [found.picture_id for found in near], now=request_time())
    if not wants_json():
        return _page(cards[:SHOWN], form, like)
    distances = {found.picture_id: found.distance for found in near}
    return jsonify({"results": [_told(card, picture_id, distances[picture_id]) for card, picture_id in cards[:SHOWN]]})


def _told(card: Any, picture_id: UUID, distance: float) -> dict[str, Any]:
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
        "picture_url": url_for("design.picture", picture_id=picture_id),
        "distance": round(distance, 4),
    }


def _page(
    cards: Sequence[tuple[Any, UUID]] | None, form: Submission[PhotographForm] | None, like: Picture | None
) -> str:
    session, rows = db_session(), [card for card, _ in cards or ()]
    return render_template(
        "demand/alike.html",
        rows=rows,
        searched=cards is not None,
        form=form,
        like=like,
        ladders=queries.ladders(session, [row.id for row in rows if row.kind != Kind.CONCEPT]),
        faces=_nearest_faces(cards or ()),
    )


def _nearest_faces(cards: Sequence[tuple[Any, UUID]]) -> dict[UUID, Face]:
    """Of each concept the picture that was found, which need not be the one it usually shows."""
    found = {card.id: picture_id for card, picture_id in cards if card.kind == Kind.CONCEPT}
    known = faces(db_session(), list(found))
    return {i: next(face for face in known[i] if face.picture_id == picture_id) for i, picture_id in found.items()}
