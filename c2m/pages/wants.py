"""A buyer's wants: said in words, with what runs already shown first, put with their like, withdrawn."""

from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.demand import group_figures, needs
from c2m.demand.clustering.describing import GENERAL, category_of
from c2m.demand.group_figures import SENT_WITH_WANT
from c2m.demand.models import NeedGroup
from c2m.demand.needs import NeedRequest
from c2m.demand.policies import newest_policy
from c2m.design import pictures
from c2m.design.diffusion.briefs import UnknownProduct
from c2m.design.generations import TooManyGenerations
from c2m.design.views.generations import starts_from_pictures
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.matching.feasible import Feasible, feasible
from c2m.money import PPM
from c2m.pages.blueprint import blueprint
from c2m.pages.want_pictures import MOST_RUNS_A_DAY, EnoughPictures, IdeaForm, own_picture, picture_idea, pictured
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.forms import Amount, Form, Submission, Upload, Whole, blank, queried, submitted
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import signed_in_viewer

Answer = Response | tuple[str, int]


class LookForm(Form):
    words: Annotated[str, Field(max_length=needs.LONGEST_WORDS)] = ""
    run: UUID | None = None


class NeedForm(Form):
    words: Annotated[str, Field(min_length=1, max_length=needs.LONGEST_WORDS)]
    quantity: Annotated[Whole, Field(ge=1, le=needs.MOST_PIECES)]
    budget: Amount | None = None
    wanted_by: date | None = None
    region: Annotated[str, Field(max_length=60)] = ""
    picture: Upload | None = None
    chosen: UUID | None = None
    run: UUID | None = None  # the pictures to choose among, shown again if something needs mending
    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]


@blueprint.get("/wants")
@allow(Role.BUYER)
def wants() -> str:
    """What the buyer wants, with what has come of it."""
    session = db_session()
    page = page_of(session, needs.needs_of(signed_in_viewer().organisation_id), page=page_number())
    groups = {need.group_id: session.get(NeedGroup, need.group_id) for need in page.rows if need.group_id}
    now = request_time()
    return render_template(
        "pages/wants.html",
        page=page,
        groups=groups,
        figures={group_id: group_figures.figures_of(session, group_id, now=now) for group_id in groups},
        campaigns={group_id: group_figures.opened_for(session, group_id) for group_id in groups},
    )


@blueprint.get("/wants/new")
@allow(Role.BUYER)
def new_want() -> tuple[str, int]:
    """Say what is needed; once it is said, what runs already and who could make it stand above the rest of the form."""
    looked = queried(LookForm)
    words = looked.words
    region = signed_in_viewer().region
    return _form_page(blank(NeedForm, words=words, region=region, idempotency_key=str(uuid4())), words, run=looked.run)


@blueprint.post("/wants/pictures")
@allow(Role.BUYER)
def picture_want() -> Answer:
    """Have an idea pictured; the form for the want then shows what comes of it."""
    form = submitted(IdeaForm)
    if form.accepted:
        try:
            run = picture_idea(form.value).id
            words = form.value.words.strip()
            return redirect(url_for("pages.new_want", words=words, run=run, _anchor="pictured"), HTTPStatus.SEE_OTHER)
        except pictures.PictureRefused as refusal:
            form.refuse(refusal, "photograph")
        except UnknownProduct:
            form.errors["words"] = _("Name the product, such as a mug, a tote bag or a hoodie.")
        except (Invalid, EnoughPictures, TooManyGenerations) as refusal:
            form.refuse(refusal, "words")
    words = str(form.entered.get("words", "")).strip()
    if not words:
        form.errors["words"] = _("Say what the pictures should show: the product, its colours, its pattern.")
        words = str(form.entered.get("asked", ""))
    region = signed_in_viewer().region
    fresh = blank(NeedForm, words=words, region=region, idempotency_key=str(uuid4()))
    return _form_page(fresh, words, idea=form)[0], HTTPStatus.UNPROCESSABLE_ENTITY


@blueprint.post("/wants/new")
@allow(Role.BUYER)
def file_want() -> Answer:
    """Keep what is needed and put it with its like."""
    form, who, now = submitted(NeedForm), signed_in_viewer(), request_time()
    if not form.accepted:
        return _form_page(form, str(form.entered.get("words", "")), run=_id_in(form.entered.get("run")))
    said, session = form.value, db_session()
    asked = NeedRequest(
        buyer_id=who.organisation_id,
        words=said.words,
        quantity=said.quantity,
        currency=edge().settings.currency,
        idempotency_key=said.idempotency_key,
        budget_minor=said.budget,
        wanted_by=said.wanted_by,
        region=said.region,
    )
    try:
        needs.check_need(asked, now=now)
        need = needs.file_need(session, replace(asked, picture_id=_stored_picture(said)), now=now)
    except pictures.PictureRefused as refusal:
        form.refuse(refusal, "picture")
        return _form_page(form, said.words, run=said.run)
    except Invalid as refusal:
        form.refuse(refusal)
        return _form_page(form, said.words, run=said.run)
    flash(_("Your want is filed. You are told when something opens for it."), "good")
    return redirect(url_for("pages.want", need_id=need.id), HTTPStatus.SEE_OTHER)


@blueprint.get("/wants/mine/<uuid:need_id>")
@allow(Role.BUYER)
def want(need_id: UUID) -> str:
    """One want: who else needs it, what it might cost, what opened for it."""
    session, now = db_session(), request_time()
    need = needs.need_of(session, need_id, buyer_id=signed_in_viewer().organisation_id)
    group = session.get(NeedGroup, need.group_id) if need.group_id else None
    figures = group_figures.figures_of(session, group.id, now=now) if group else None
    return render_template(
        "pages/want.html",
        need=need,
        group=group,
        figures=figures,
        campaigns=group_figures.opened_for(session, group.id) if group else [],
        could=could_make(need.words, max(need.quantity, figures.pieces if figures else 0)),
    )


@blueprint.post("/wants/mine/<uuid:need_id>/withdraw")
@allow(Role.BUYER)
def withdraw_want(need_id: UUID) -> Response:
    """It is needed no more."""
    needs.withdraw_need(db_session(), need_id, buyer_id=signed_in_viewer().organisation_id, now=request_time())
    flash(_("Withdrawn. It no longer counts in its group."), "good")
    return redirect(url_for("pages.wants"), HTTPStatus.SEE_OTHER)


def could_make(words: str, pieces: int) -> dict[str, object] | None:
    """Who could make what these words name: category, factories, and what buyers would pay, margin included."""
    category = category_of(words)
    session, now = db_session(), request_time()
    found = None if category == GENERAL else feasible(session, category, pieces, currency=_currency(), now=now)
    if found is None:
        return None
    low, high = prices_of(found)
    return {"category": category, "found": found, "low_minor": low, "high_minor": high}


def prices_of(found: Feasible) -> tuple[int, int]:
    """What buyers would pay a piece, from and to: factories' costs over the share of the price they may be."""
    policy = newest_policy(db_session())
    share = policy.target_cost_ppm if policy else PPM
    return found.low_minor * PPM // share, found.high_minor * PPM // share


def _form_page(
    form: Submission[NeedForm], words: str, *, run: UUID | None = None, idea: Submission[IdeaForm] | None = None
) -> tuple[str, int]:
    session, now = db_session(), request_time()
    words = words.strip()
    return form.page(
        "pages/want_new.html",
        words=words,
        offers=needs.offers_like(session, words, now=now) if words else [],
        could=could_make(words, 1) if words else None,
        today=now.date(),
        run=pictured(session, run),
        idea_words=idea.entered.get("words", "") if idea else words,
        idea_errors=idea.errors if idea else {},
        idea_key=str(uuid4()),
        most_runs=MOST_RUNS_A_DAY,
        from_pictures=starts_from_pictures(),
    )


def _stored_picture(said: NeedForm) -> UUID | None:
    """The id of the picture that was sent, else of the one that was picked; made safe before the database is asked.

    Raises:
        PictureRefused, PictureNotFound
    """
    if said.picture is None:
        return own_picture(db_session(), said.chosen) if said.chosen else None
    content = said.picture.stream.read(pictures.MOST_BYTES + 1)
    owner, name = signed_in_viewer().organisation_id, said.picture.filename or ""
    sent = pictures.store_upload(
        db_session(), content, organisation_id=owner, filename=name, now=request_time(), sent_with=SENT_WITH_WANT
    )
    return sent.id


def _id_in(entered: object) -> UUID | None:
    try:
        return UUID(str(entered))
    except ValueError:
        return None


def _currency() -> str:
    return edge().settings.currency
