"""Vetting: what a factory claims, what operators find, the share kept for new factories."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.design.pictures import MOST_BYTES, PictureRefused, store_upload
from c2m.identity.models import Role
from c2m.matching.claims import (
    ClaimStands,
    NewClaim,
    SentTooOften,
    all_claims,
    claim_with_factory,
    claims_of,
    findings_on,
    make_claim,
    to_check,
    verified_kinds,
)
from c2m.matching.levels import RECHECKS, missing_for_vetted
from c2m.matching.models import ClaimKind, ClaimState, Factory, FindingKind
from c2m.matching.newcomer_share import terms_in_force
from c2m.matching.newcomers import InvalidMatchingTerms, given, set_terms
from c2m.matching.vetting import Check, InvalidCheck, Revocation, check_claims, revoke_claim
from c2m.matching.views.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import Form, Percent, Submission, Upload, Whole, blank, percent_entry, queried, submitted
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import signed_in_viewer

CLAIMS: dict[ClaimKind, LazyString] = {
    ClaimKind.LICENCE: lazy_gettext("Business licence"),
    ClaimKind.MACHINES: lazy_gettext("Machines"),
    ClaimKind.CERTIFICATE: lazy_gettext("Certificate"),
    ClaimKind.SAMPLE_WORK: lazy_gettext("Sample work"),
}


FINDINGS: dict[FindingKind, LazyString] = {
    FindingKind.VERIFIED: lazy_gettext("Verified"),
    FindingKind.REFUSED: lazy_gettext("Not verified"),
    FindingKind.REVOKED: lazy_gettext("Revoked"),
    FindingKind.CUT_SHORT: lazy_gettext("Holds for less long: its renewal was refused"),
    FindingKind.EXPIRED: lazy_gettext("Ran out"),
}


class ClaimForm(Form):
    kind: ClaimKind
    title: Annotated[str, Field(min_length=1, max_length=120)]
    reference: Annotated[str, Field(max_length=120)] = ""
    picture: Upload | None = None


class CheckForm(Form):
    finding: Literal["verify", "refuse"]
    evidence: Annotated[str, Field(min_length=1, max_length=500)]
    until: date | None = None


class RevokeForm(Form):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class ClaimsForm(Form):
    state: ClaimState | None = None
    page: Whole = 1


class TermsForm(Form):
    share: Percent
    orders: Annotated[Whole, Field(ge=1, le=100)]


@blueprint.app_template_filter("claim_name")
def claim_name(kind: ClaimKind) -> str:
    """What a kind of claim is called in the reader's language."""
    return str(CLAIMS[kind])


@blueprint.app_template_filter("finding_name")
def finding_name(finding: FindingKind) -> str:
    """What was found, in the reader's language."""
    return str(FINDINGS[finding])


@blueprint.app_template_filter("why_recheck")
def why_recheck(reason: str) -> str:
    """Why a claim is to be checked again, in the reader's language."""
    return str(_(RECHECKS[reason]))


@blueprint.get("/factory/verification")
@allow(Role.FACTORY)
def claims() -> str:
    """What the factory has claimed, what was verified, and what is missing to be vetted."""
    return _claims(blank(ClaimForm))[0]


@blueprint.post("/factory/verification")
@allow(Role.FACTORY)
def claim() -> Response | tuple[str, int]:
    """Claim something, to be checked."""
    form = submitted(ClaimForm)
    if not form.accepted:
        return _claims(form)
    sent = form.value
    try:
        picture_id = _stored(sent.picture) if sent.picture else None
    except PictureRefused as refusal:
        form.refuse(refusal, "picture")
        return _claims(form)
    new = NewClaim(signed_in_viewer().organisation_id, sent.kind, sent.title, sent.reference, picture_id)
    try:
        make_claim(db_session(), new, now=request_time())
    except (ClaimStands, SentTooOften) as refusal:
        form.refuse(refusal, "title")
        return _claims(form)
    flash(_("Sent in. An operator checks it."), "good")
    return redirect(url_for("matching.claims"), 303)


@blueprint.get("/operator/vetting")
@allow(Role.OPERATOR)
def vetting() -> str:
    """Claims to check, and the share kept for new factories."""
    return _vetting(blank(CheckForm), None)[0]


@blueprint.get("/operator/vetting/claims")
@allow(Role.OPERATOR)
def all_checked() -> str:
    """Every claim with what was seen and until when it holds."""
    wanted = queried(ClaimsForm).state
    page = page_of(db_session(), all_claims(wanted), page=page_number())
    return render_template("matching/all_claims.html", page=page, wanted=wanted, states=ClaimState)


@blueprint.get("/operator/vetting/claims/<uuid:claim_id>")
@allow(Role.OPERATOR)
def checked_claim(claim_id: UUID) -> str:
    """One claim: the evidence, and who found what when."""
    return _claim(claim_id, blank(RevokeForm))[0]


@blueprint.post("/operator/vetting/claims/<uuid:claim_id>/revoke")
@allow(Role.OPERATOR)
def revoke(claim_id: UUID) -> Response | tuple[str, int]:
    """End a verified claim before its day, with the reason."""
    form = submitted(RevokeForm)
    if not form.accepted:
        return _claim(claim_id, form)
    try:
        revocation = Revocation(claim_id, form.value.reason, signed_in_viewer().user_id)
        revoke_claim(db_session(), revocation, now=request_time())
    except InvalidCheck as refusal:
        form.refuse(refusal)
        return _claim(claim_id, form)
    flash(_("Revoked. The factory has been told."), "good")
    return redirect(url_for("matching.checked_claim", claim_id=claim_id), 303)


@blueprint.post("/operator/vetting/claims/<uuid:claim_id>")
@allow(Role.OPERATOR)
def check(claim_id: UUID) -> Response | tuple[str, int]:
    """Record what was found on a claim, with the evidence."""
    form = submitted(CheckForm)
    if form.accepted:
        sent = form.value
        found = Check(claim_id, sent.finding == "verify", sent.evidence, signed_in_viewer().user_id, sent.until)
        try:
            check_claims(db_session(), [found], now=request_time())
        except InvalidCheck as refusal:
            form.refuse(refusal)
        else:
            flash(_("Recorded. The factory has been told."), "good")
            return redirect(url_for("matching.vetting"), 303)
    return _vetting(form, claim_id)


@blueprint.post("/operator/vetting/terms")
@allow(Role.OPERATOR)
def set_newcomer_terms() -> Response | tuple[str, int]:
    """Set the share of the volume kept for new factories."""
    form = submitted(TermsForm)
    if form.accepted:
        try:
            who, now = signed_in_viewer().user_id, request_time()
            set_terms(db_session(), form.value.share, form.value.orders, who, now=now)
        except InvalidMatchingTerms as refusal:
            form.refuse(refusal)
        else:
            flash(_("Set; the next match run goes by it."), "good")
            return redirect(url_for("matching.vetting"), 303)
    return _vetting(blank(CheckForm), None, terms=form)


def _stored(sent: Upload) -> UUID:
    content, owner = sent.stream.read(MOST_BYTES + 1), signed_in_viewer().organisation_id
    name = sent.filename or ""
    return store_upload(db_session(), content, organisation_id=owner, filename=name, now=request_time()).id


def _claims(form: Submission[ClaimForm]) -> tuple[str, int]:
    session, factory_id = db_session(), signed_in_viewer().organisation_id
    made = claims_of(session, factory_id)
    return form.page(
        "matching/claims.html",
        factory=session.get(Factory, factory_id),
        claims=made,
        missing=[ClaimKind(kind) for kind in missing_for_vetted(verified_kinds(made))],
        kinds=ClaimKind,
    )


def _claim(claim_id: UUID, form: Submission[RevokeForm]) -> tuple[str, int]:
    session = db_session()
    found, factory = claim_with_factory(session, claim_id)
    history = findings_on(session, claim_id)
    return form.page("matching/one_claim.html", claim=found, factory=factory, history=history)


def _vetting(
    form: Submission[CheckForm], checked: UUID | None, *, terms: Submission[TermsForm] | None = None
) -> tuple[str, int]:
    session = db_session()
    page = page_of(session, to_check(), page=page_number())
    known = terms_in_force(session)
    entered = {
        "share": percent_entry(known.newcomer_share_ppm) if known else "0",
        "orders": known.newcomer_orders if known else 1,
    }
    return (terms or form).page(
        "matching/vetting.html",
        page=page,
        check=form,
        checked=checked,
        terms=terms or blank(TermsForm, **entered),
        given=given(session, now=request_time()),
    )
