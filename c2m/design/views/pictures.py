"""Pictures themselves, as files that never change."""

from uuid import UUID

from flask import Response, request

from c2m.design import pictures
from c2m.design.models import Picture
from c2m.design.pictures import PictureNotFound
from c2m.design.views.blueprint import blueprint
from c2m.identity.models import Role
from c2m.web.access import public
from c2m.web.context import db_session
from c2m.web.viewer import viewer

A_YEAR = 31_536_000


@blueprint.get("/pictures/<uuid:picture_id>")
@public
def picture(picture_id: UUID) -> Response:
    """A picture: anybody's once published, before that its organisation's and the operator's."""
    found = seen_picture(picture_id)
    is_known = request.if_none_match.contains_weak(found.sha256)
    response = Response(status=304) if is_known else Response(found.content, mimetype=found.media_type)
    response.set_etag(found.sha256)
    response.cache_control.immutable = True
    response.cache_control.max_age = A_YEAR
    if found.published_at is None:
        response.cache_control.private = True
    else:
        response.cache_control.public = True
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def seen_picture(picture_id: UUID) -> Picture:
    """A picture this viewer may see.

    Raises:
        PictureNotFound
    """
    found = pictures.picture(db_session(), picture_id)
    if not _may_see(found):
        raise PictureNotFound(picture_id=picture_id)
    return found


def _may_see(picture: Picture) -> bool:
    if picture.published_at is not None:
        return True
    who = viewer()
    return who is not None and (who.organisation_id == picture.organisation_id or who.has(Role.OPERATOR))
