"""A buyer's own orders: all of them, leaving one, paying a presale's balance."""

from typing import Annotated, Literal
from uuid import UUID

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import col, select
from werkzeug.wrappers import Response

from c2m.demand import extension, pledges, queries
from c2m.demand.models import FINAL, Campaign, Pledge, PledgeState
from c2m.demand.views.blueprint import blueprint
from c2m.errors import N_, Invalid
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import SENTENCES, Amount, Form, queried, submitted
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import signed_in_viewer

TO_PAY = (PledgeState.BALANCE_DUE,)
UNDER_WAY = (PledgeState.UNPAID, PledgeState.PAID, PledgeState.CONFIRMED)
SHOWN = {"to_pay": TO_PAY, "under_way": UNDER_WAY, "ended": FINAL}


class BalanceForm(Form):
    amount: Amount | None = None


class BalanceOffer(BaseModel):
    """What a program offers: minor units of the campaign's currency, as a JSON number."""

    model_config = ConfigDict(extra="forbid", strict=True)
    amount_minor: int = 0


class ConsentForm(Form):
    answer: Literal["agree", "refuse"]


class OrdersForm(Form):
    show: Annotated[Literal["to_pay", "under_way", "ended"] | None, Field()] = None


@blueprint.get("/orders")
@allow(Role.BUYER)
def orders() -> str:
    """The buyer's orders, newest first, by where they stand."""
    form, session = queried(OrdersForm), db_session()
    buyer_id = signed_in_viewer().organisation_id
    statement = (
        select(Pledge, Campaign)
        .join(Campaign, col(Pledge.campaign_id) == col(Campaign.id))
        .where(Pledge.buyer_id == buyer_id)
        .order_by(col(Pledge.placed_at).desc(), col(Pledge.id).desc())
    )
    if form.show:
        statement = statement.where(col(Pledge.state).in_(SHOWN[form.show]))
    by_state = session.exec(
        select(Pledge.state, sa.func.count()).where(Pledge.buyer_id == buyer_id).group_by(col(Pledge.state))
    ).all()
    counts = {name: sum(n for state, n in by_state if state in states) for name, states in SHOWN.items()}
    page = page_of(session, statement, page=page_number(), per_page=12)
    return render_template(
        "demand/orders.html",
        page=page,
        carried_on=queries.carried_on(session, [pledge.id for pledge, _campaign in page.rows]),
        shown=form.show,
        places=queries.places_of(session, buyer_id) if page_number() == 1 and form.show in (None, "under_way") else [],
        counts=counts,
        total=sum(n for _state, n in by_state),
        now=request_time(),
    )


@blueprint.post("/orders/<uuid:pledge_id>/cancel")
@allow(Role.BUYER)
def cancel(pledge_id: UUID) -> Response:
    """Leave before the deadline, with everything back."""
    pledge = queries.pledge_of(db_session(), pledge_id, buyer_id=signed_in_viewer().organisation_id)
    pledges.cancel_pledge(db_session(), pledge, now=request_time())
    flash(_("You have left; the whole amount is on its way back."), "good")
    return redirect(url_for("pages.order", pledge_id=pledge_id), 303)


@blueprint.post("/orders/<uuid:pledge_id>/balance")
@allow(Role.BUYER)
def pay_balance(pledge_id: UUID) -> Response:
    """Pay the whole balance of a presale; a form or JSON that offers another amount is refused."""
    pledge = queries.pledge_of(db_session(), pledge_id, buyer_id=signed_in_viewer().organisation_id)
    pledges.pay_balance(db_session(), pledge, now=request_time(), offered_minor=_offered_minor())
    return redirect(url_for("pages.order", pledge_id=pledge_id), 303)


def _offered_minor() -> int | None:
    """The amount that was offered, if any was named; one that was left blank is none.

    Raises:
        Invalid: not an amount.
    """
    if not request.is_json:
        offered = submitted(BalanceForm)
        if "amount" in offered.entered and offered.value.amount is None:
            raise Invalid(errors={"amount": SENTENCES["missing"]})
        return offered.value.amount
    try:
        named = BalanceOffer.model_validate_json(request.get_data())
        return named.amount_minor if named.model_fields_set else None
    except ValidationError as refused:
        raise Invalid(errors={"amount_minor": N_("An amount is a whole number of minor units.")}) from refused


@blueprint.post("/orders/<uuid:pledge_id>/consent")
@allow(Role.BUYER)
def consent(pledge_id: UUID) -> Response:
    """Agree to an extension and stay, or refuse and get everything back."""
    form = submitted(ConsentForm)
    pledge = queries.pledge_of(db_session(), pledge_id, buyer_id=signed_in_viewer().organisation_id)
    agrees = form.value.answer == "agree"
    extension.answer_extension(db_session(), pledge, agrees=agrees, now=request_time())
    flash(_("You stay in.") if agrees else _("You have left; the whole amount is on its way back."), "good")
    return redirect(url_for("pages.order", pledge_id=pledge_id), 303)
