"""Signing in and out, registering, and the page about one's own account."""

from http import HTTPStatus
from typing import Annotated, Literal

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.config import DEMO_PASSWORD
from c2m.errors import TooManyRequests
from c2m.identity import queries, service
from c2m.identity.models import Role
from c2m.identity.rules import LONGEST_PASSWORD, SHORTEST_PASSWORD
from c2m.identity.service import EmailTaken, Registration, SignInRefused
from c2m.web import viewer
from c2m.web.access import public, signed_in
from c2m.web.context import db_session, edge, request_time
from c2m.web.errors import retry_after
from c2m.web.forms import Email, Form, Line, Password, Submission, blank, submitted
from c2m.web.security import next_address

blueprint = Blueprint("identity", __name__)


class SignInForm(Form):
    email: Annotated[str, Field(max_length=254)]
    password: Annotated[Password, Field(max_length=LONGEST_PASSWORD)]


class RegistrationForm(Form):
    kind: Literal["buyer", "factory", "merchandiser"]
    organisation: Line
    region: Annotated[str, Field(max_length=60)] = ""
    person: Annotated[str, Field(min_length=1, max_length=80)]
    email: Email
    password: Annotated[Password, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


@blueprint.get("/sign-in")
@public
def sign_in() -> tuple[str, int]:
    """The sign-in page."""
    return _sign_in_page(blank(SignInForm))


@blueprint.post("/sign-in")
@public
def start_sign_in() -> Response | tuple[str, int]:
    """Sign in and go where one was headed."""
    form = submitted(SignInForm)
    if not form.accepted:
        return _sign_in_page(form)
    try:
        token = service.sign_in(
            edge().database,
            edge().passwords,
            form.value.email,
            form.value.password,
            request.remote_addr or "",
            now=request_time(),
        )
    except (SignInRefused, TooManyRequests) as refusal:
        form.refuse(refusal)
        html, status = _sign_in_page(form)
        if not isinstance(refusal, TooManyRequests):
            return html, status
        return make_response(html, HTTPStatus.TOO_MANY_REQUESTS, retry_after(refusal))
    if former := viewer.token():
        service.sign_out(db_session(), former)
    session.clear()
    return viewer.remember(redirect(next_address(url_for("pages.home")), HTTPStatus.SEE_OTHER), token)


def _sign_in_page(form: Submission[SignInForm]) -> tuple[str, int]:
    """The form; in demo mode with the people of the demo market, to sign in as by one press."""
    demo = queries.demo_people(db_session()) if edge().settings.demo else []
    return form.page("identity/sign_in.html", next=next_address(""), demo=demo, demo_password=DEMO_PASSWORD)


@blueprint.post("/sign-out")
@public
def sign_out() -> Response:
    """End this browser's sign-in for good."""
    if token := viewer.token():
        service.sign_out(db_session(), token)
    session.clear()
    return viewer.forget(redirect(url_for("pages.home"), HTTPStatus.SEE_OTHER))


@blueprint.get("/register")
@public
def register() -> tuple[str, int]:
    """The registration page."""
    return blank(RegistrationForm).page("identity/register.html")


@blueprint.post("/register")
@public
def open_account() -> Response | tuple[str, int]:
    """Open an account for an organisation and its first person."""
    form = submitted(RegistrationForm)
    if not form.accepted:
        return form.page("identity/register.html")
    entered = form.value
    registration = Registration(
        kind=Role(entered.kind),
        name=entered.organisation,
        region=entered.region,
        email=entered.email,
        person=entered.person,
        password_hash=edge().passwords.hash(entered.password),
    )
    try:
        service.register_organisation(db_session(), registration, now=request_time())
    except EmailTaken as refusal:
        form.refuse(refusal, "email")
        return form.page("identity/register.html")
    flash(_("Your account is open. Sign in to begin."), "good")
    return redirect(url_for("identity.sign_in"), HTTPStatus.SEE_OTHER)


@blueprint.get("/account")
@signed_in
def account() -> str:
    """One's own account."""
    organisation = queries.organisation_of(db_session(), viewer.signed_in_viewer().organisation_id)
    return render_template("identity/account.html", organisation=organisation)
