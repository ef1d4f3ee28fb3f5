"""Refusals, HTTP errors and faults, answered as a page or as problem+json (RFC 9457)."""

from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from flask import Flask, Response, current_app, g, json, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from c2m.db import uuid7
from c2m.errors import N_, Conflict, Invalid, Refusal, TooManyRequests, Unauthenticated, Unavailable
from c2m.web.forms import sentence_of, sentences_of

log = structlog.get_logger(__name__)

STALE_FORM = N_("The form lay open too long, or cookies are switched off. Load the page again and send it once more.")
REFERENCE = N_("Tell us this number if it happens again: %(reference)s")
RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True)
class Problem:
    """What is told about an error: the status, a stable code for machines, one sentence for people."""

    status: int
    code: str
    detail: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase


def init_errors(app: Flask) -> None:
    """Answer every error that leaves a view, or never reached one."""
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> AnyResponse:
    """The one error handler."""
    if isinstance(error, HTTPException) and error.get_response().status_code < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    problem = problem_of(error)
    if isinstance(error, Unauthenticated) and not wants_json():
        return ask_to_sign_in(problem)
    return as_json(problem) if wants_json() else as_page(problem)


def problem_of(error: Exception) -> Problem:
    """An error in words that may be shown; what is unexpected is logged and gets a reference number only."""
    match error:
        case Refusal():
            return _refused(error)
        case CSRFError():
            return Problem(HTTPStatus.BAD_REQUEST, "StaleForm", gettext(STALE_FORM))
        case MethodNotAllowed():
            allowed = {"Allow": ", ".join(sorted(error.valid_methods or ()))}
            return Problem(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", headers=allowed)
        case HTTPException(code=int() as code) if code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Problem(code, type(error).__name__)
        case IntegrityError():
            log.warning("constraint refused the commit", path=request.path, constraint=str(error.orig))
            return _refused(Conflict())
        case OperationalError():
            log.error("database unavailable", path=request.path, exc_info=error)
            g.setdefault("viewer", None)
            return _refused(Unavailable())
    return _unexpected(error)


def wants_json() -> bool:
    """Whether the answer goes to a program: by the address, by Accept, or because JSON was sent."""
    if request.path.endswith(".json") or request.is_json:
        return True
    offered = ["text/html", "application/json", "application/problem+json"]
    return request.accept_mimetypes.best_match(offered, "text/html") != "text/html"


def as_json(problem: Problem) -> Response:
    """RFC 9457: type, title, status, detail, instance; the fields' sentences as an extension."""
    body: dict[str, object] = {
        "type": f"urn:c2m:problem:{problem.code}",
        "title": problem.title,
        "status": int(problem.status),
        "detail": problem.detail,
        "instance": request.path,
    }
    if problem.errors:
        body["errors"] = problem.errors
    body = {name: value for name, value in body.items() if value is not None}
    return Response(json.dumps(body), int(problem.status), problem.headers, content_type="application/problem+json")


def as_page(problem: Problem) -> Response:
    """The error page."""
    detail = " ".join([problem.detail or "", *(_named(*each) for each in problem.errors.items())]).strip() or None
    response = make_response(render_template("error.html", status=int(problem.status), detail=detail))
    response.status_code = int(problem.status)
    response.headers.update(problem.headers)
    return response


def _named(name: str, sentence: str) -> str:
    """A field's sentence with its name, as the address has it; one above all fields stands alone."""
    return gettext("%(name)s: %(sentence)s", name=name, sentence=sentence) if name else sentence


def ask_to_sign_in(problem: Problem) -> AnyResponse:
    """Send a reader to the sign-in page and back again; what was posted is not repeated."""
    safe = request.method in ("GET", "HEAD")
    came_from = request.full_path if request.query_string else request.path
    sign_in = url_for("identity.sign_in") + ("?" + urlencode({"next": came_from}) if safe else "")
    if request.headers.get("HX-Request"):
        return Response(status=problem.status, headers={"HX-Redirect": url_for("identity.sign_in")})
    return redirect(sign_in, HTTPStatus.SEE_OTHER) if safe else as_page(problem)


def _refused(refusal: Refusal) -> Problem:
    errors = sentences_of(refusal.errors) if isinstance(refusal, Invalid) else {}
    return Problem(refusal.status, refusal.code, sentence_of(refusal), errors, retry_after(refusal))


def retry_after(refusal: Refusal) -> dict[str, str]:
    """The header that says when asking again makes sense, where a refusal knows."""
    if isinstance(refusal, Unavailable):
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    minutes = refusal.details.get("minutes") if isinstance(refusal, TooManyRequests) else None
    return {"Retry-After": str(minutes * 60)} if isinstance(minutes, int) else {}


def _unexpected(error: Exception) -> Problem:
    if current_app.testing or current_app.debug:
        raise error
    reference = f"{uuid7()}"
    log.error("unexpected fault", reference=reference, path=request.path, method=request.method, exc_info=error)
    g.setdefault("viewer", None)
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Fault", gettext(REFERENCE, reference=reference))
