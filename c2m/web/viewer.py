"""Who is looking: read from the sign-in row behind the cookie's token."""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from flask import g, request
from werkzeug.wrappers import Response

from c2m.errors import Unauthenticated
from c2m.identity import queries
from c2m.identity.models import OrganisationState, Role
from c2m.identity.rules import SIGN_IN_LASTS, token_hash
from c2m.web.context import edge, request_time
from c2m.web.i18n import choose_locale

COOKIE = "c2m_sign_in"


@dataclass(frozen=True)
class Viewer:
    """A person who is signed in, and for whom they act."""

    user_id: UUID
    organisation_id: UUID
    name: str
    email: str
    organisation_name: str
    organisation_state: OrganisationState
    region: str
    roles: frozenset[Role]

    def has(self, *roles: Role) -> bool:
        """Whether the viewer holds one of the roles."""
        return not self.roles.isdisjoint(roles)


def viewer() -> Viewer | None:
    """Who is looking, or None for a visitor; asked of the database once a request, in a unit of work of its own."""
    if "viewer" not in g:
        g.viewer = _find_viewer()
    return cast(Viewer | None, g.viewer)


def signed_in_viewer() -> Viewer:
    """Who is looking, where a sign-in is required.

    Raises:
        Unauthenticated
    """
    who = viewer()
    if who is None:
        raise Unauthenticated()
    return who


def token() -> str | None:
    """The sign-in token this browser sent."""
    return request.cookies.get(COOKIE)


def remember(response: Response, new_token: str) -> Response:
    """Have the browser keep a sign-in."""
    response.set_cookie(
        COOKIE,
        new_token,
        max_age=int(SIGN_IN_LASTS.total_seconds()),
        secure=edge().settings.sends_secure_cookies,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: Response) -> Response:
    """Have the browser drop its sign-in."""
    response.delete_cookie(COOKIE, secure=edge().settings.sends_secure_cookies, httponly=True, samesite="Lax")
    return response


def _find_viewer() -> Viewer | None:
    sent = token()
    if not sent:
        return None
    with edge().database.asking() as connection:
        found = queries.who_signed_in(connection, token_hash(sent), now=request_time())
    if found is None:
        return None
    english = found.organisation_name_en if found.organisation_name_en and choose_locale() == "en" else None
    return Viewer(
        user_id=found.user_id,
        organisation_id=found.organisation_id,
        name=found.name,
        email=found.email,
        organisation_name=english or found.organisation_name,
        organisation_state=found.organisation_state,
        region=found.region,
        roles=found.roles,
    )
