"""Language, colours, and whether the site is well."""

from http import HTTPStatus
from typing import Literal

import sqlalchemy as sa
import structlog
from flask import Blueprint, Response, jsonify, redirect, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from c2m import jobs
from c2m.web.access import public
from c2m.web.context import edge, request_time
from c2m.web.forms import Form, submitted
from c2m.web.i18n import LOCALE_COOKIE
from c2m.web.security import next_address

log = structlog.get_logger(__name__)
blueprint = Blueprint("web", __name__)

THEME_COOKIE = "theme"
THEMES = ("light", "dark")
A_YEAR = 365 * 24 * 3600


class LocaleForm(Form):
    locale: Literal["zh", "en"]


class ThemeForm(Form):
    theme: Literal["light", "dark", ""] = ""


@blueprint.post("/locale")
@public
def set_locale() -> AnyResponse:
    """Read the site in another language from now on."""
    form = submitted(LocaleForm).value
    return _keep(LOCALE_COOKIE, form.locale)


@blueprint.post("/theme")
@public
def set_theme() -> AnyResponse:
    """See the site in light or dark colours, or as the device does."""
    form = submitted(ThemeForm).value
    return _keep(THEME_COOKIE, form.theme)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """The database answers, has the schema this code was written for, and a worker keeps up; 503 otherwise."""
    checks = {"database": False, "migrations": False, "jobs": False}
    try:
        with edge().database.reading() as session:
            found = session.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all()
            kept_up = jobs.is_kept_up_with(session, now=request_time())
        checks = {"database": True, "migrations": found == [edge().revision], "jobs": kept_up}
    except SQLAlchemyError as error:
        log.error("not ready", error=str(error))
    ready = all(checks.values())
    response = jsonify(status="ready" if ready else "not ready", **checks)
    response.status_code = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return response


def theme() -> str:
    """The colours this browser asked for; empty for the device's own."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def _keep(cookie: str, value: str) -> AnyResponse:
    response = redirect(next_address(url_for("pages.home")), HTTPStatus.SEE_OTHER)
    secure = edge().settings.sends_secure_cookies
    if value:
        response.set_cookie(cookie, value, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(cookie, secure=secure, httponly=True, samesite="Lax")
    return response
