"""A buyer's idea as pictures, before it is filed as a want: made by the studio's own jobs, a few runs a day."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import Session

from c2m.demand.clustering.describing import category_of
from c2m.demand.needs import LONGEST_WORDS
from c2m.design import generations, pictures
from c2m.design.drawings import CATEGORIES
from c2m.design.generations import UNDER_WAY, USUAL_STRENGTH_PCT, Commission
from c2m.design.models import Generation, Picture, Rendition
from c2m.errors import N_, Conflict
from c2m.web.context import db_session, request_time
from c2m.web.forms import Form, Upload, key_for
from c2m.web.viewer import signed_in_viewer

PICTURES = 3
MOST_RUNS_A_DAY = 5
SEEDS = 2**31 - 64


class EnoughPictures(Conflict):
    sentence = N_("You have had your idea pictured %(most)s times today; tomorrow there are more.")


class IdeaForm(Form):
    words: Annotated[str, Field(min_length=1, max_length=LONGEST_WORDS)]
    asked: Annotated[str, Field(max_length=LONGEST_WORDS)] = ""  # what was searched for above the form
    photograph: Upload | None = None
    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]


@dataclass(frozen=True)
class Pictured:
    """A run of pictures for an idea: how far it is, and what is there."""

    generation: Generation
    renditions: list[Rendition]
    pictures: dict[UUID, Picture]

    @property
    def under_way(self) -> bool:
        """Whether more pictures are to come."""
        return self.generation.state in UNDER_WAY

    @property
    def reason(self) -> str:
        """Why none came, in the reader's language."""
        said = self.generation
        return str(_(said.reason) % said.reason_details) if said.reason else ""


def pictured(session: Session, run: UUID | None) -> Pictured | None:
    """The viewer's own run; none asked for gives none.

    Raises:
        GenerationNotFound
    """
    if run is None:
        return None
    found = generations.generation_of(session, run, organisation_id=signed_in_viewer().organisation_id)
    asked = generations.renditions(session, [found.id])[found.id]
    made = pictures.pictures(session, [each.picture_id for each in asked if each.picture_id])
    return Pictured(found, asked, made)


def own_picture(session: Session, picture_id: UUID) -> UUID:
    """A picture made for the viewer's own house.

    Raises:
        PictureNotFound
    """
    if pictures.picture(session, picture_id).organisation_id != signed_in_viewer().organisation_id:
        raise pictures.PictureNotFound(picture_id=picture_id)
    return picture_id


def picture_idea(idea: IdeaForm) -> Generation:
    """Have an idea pictured, from words or from a photograph; the same form sent again finds the first run.

    Raises:
        PictureRefused, UnknownProduct, WordRefused, EnoughPictures, TooManyGenerations
    """
    session, who, now = db_session(), signed_in_viewer(), request_time()
    key = key_for(idea)
    known = generations.asked_before(session, who.organisation_id, key)
    if known is not None:
        return known
    if generations.runs_since(session, who.organisation_id, now - timedelta(days=1)) >= MOST_RUNS_A_DAY:
        raise EnoughPictures(most=MOST_RUNS_A_DAY)
    source_id = _stored(idea.photograph) if idea.photograph else None
    category = category_of(idea.words)
    asked = Commission(
        organisation_id=who.organisation_id,
        asked_by=who.user_id,
        idempotency_key=key,
        seed=secrets.randbelow(SEEDS),
        words=idea.words.strip(),
        category=category if category in CATEGORIES else "",
        count=PICTURES,
        source_id=source_id,
        strength_pct=USUAL_STRENGTH_PCT if source_id else None,
    )
    return generations.commission(session, asked, now=now)


def _stored(sent: Upload) -> UUID:
    content = sent.stream.read(pictures.MOST_BYTES + 1)
    owner, name = signed_in_viewer().organisation_id, sent.filename or ""
    return pictures.store_upload(db_session(), content, organisation_id=owner, filename=name, now=request_time()).id
