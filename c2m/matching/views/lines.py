"""What a factory says about itself, and its lines with the terms on which it works."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import col, select
from werkzeug.wrappers import Response

from c2m.design.categories import CATEGORIES, category_of
from c2m.errors import Refusal
from c2m.identity.models import Organisation, Role
from c2m.matching import queries
from c2m.matching.factories import (
    NewCapability,
    Profile,
    add_capability,
    change_terms,
    create_profiles,
    describe,
)
from c2m.matching.models import Capability, Factory, LineKind
from c2m.matching.rules import PriceStep, Terms
from c2m.matching.views.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.forms import (
    Amount,
    Form,
    Percent,
    Submission,
    Whole,
    amount_entry,
    blank,
    percent_entry,
    submitted,
)
from c2m.web.viewer import signed_in_viewer

PRICE_STEPS = 4  # shown for a line that has fewer
MOST_PRICE_STEPS = 20


class ProfileForm(Form):
    belt: Annotated[str, Field(min_length=1, max_length=60)]
    region: Annotated[str, Field(min_length=1, max_length=60)]
    about: Annotated[str, Field(max_length=500)] = ""


class PriceForm(Form):
    """A price step: from so many pieces an amount a piece, or a share of what the sheet may cost."""

    from_quantity: Annotated[Whole, Field(ge=1, le=1_000_000)]
    price: Amount | None = None
    share: Percent | None = None


class TermsForm(Form):
    """A line's terms; `prices.<n>.from_quantity`, `.price` and `.share` are its price steps."""

    weekly_capacity: Annotated[Whole, Field(ge=0, le=1_000_000)]
    minimum: Annotated[Whole, Field(ge=1, le=1_000_000)]
    setup: Amount = 0
    lead_days: Annotated[Whole, Field(ge=0, le=365)]
    prices: dict[Annotated[int, Field(ge=0, lt=MOST_PRICE_STEPS)], PriceForm] = Field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        steps = tuple(
            PriceStep(step.from_quantity, step.price, step.share) for _place, step in sorted(self.prices.items())
        )
        return Terms(self.weekly_capacity, self.minimum, self.setup, self.lead_days, steps)


class CapabilityForm(TermsForm):
    category: Annotated[str, Field(max_length=40)]


@blueprint.get("/factory/profile")
@allow(Role.FACTORY)
def profile() -> str:
    """What the factory says about itself, and its lines."""
    return _profile(None, None)[0]


@blueprint.post("/factory/profile")
@allow(Role.FACTORY)
def describe_factory() -> Response | tuple[str, int]:
    """Change how the factory presents itself; the first time creates its profile."""
    form, factory_id, session = submitted(ProfileForm), signed_in_viewer().organisation_id, db_session()
    if not form.accepted:
        return _profile(form, None)
    if session.get(Factory, factory_id) is None:
        new = Profile(factory_id, form.value.belt, form.value.region, edge().settings.currency, form.value.about)
        create_profiles(session, [new])
    else:
        describe(session, factory_id, belt=form.value.belt, region=form.value.region, about=form.value.about)
    flash(_("The profile has been saved."), "good")
    return redirect(url_for("matching.profile"), 303)


@blueprint.post("/factory/profile/lines")
@allow(Role.FACTORY)
def add_line() -> Response | tuple[str, int]:
    """Add a line: a category the factory makes, on its terms."""
    form, factory_id = submitted(CapabilityForm), signed_in_viewer().organisation_id
    if not form.accepted:
        return _profile(None, form)
    queries.factory(db_session(), factory_id)
    try:
        process = category_of(form.value.category).process
        add_capability(db_session(), NewCapability(factory_id, form.value.category, process, form.value.terms))
    except Refusal as refusal:
        form.refuse(refusal, "category")
        return _profile(None, form)
    flash(_("The line has been added."), "good")
    return redirect(url_for("matching.profile"), 303)


@blueprint.post("/factory/profile/lines/<uuid:capability_id>")
@allow(Role.FACTORY)
def change_line(capability_id: UUID) -> Response | tuple[str, int]:
    """New terms for a line, for offers made from now on."""
    form, factory_id = submitted(TermsForm), signed_in_viewer().organisation_id
    queries.capability_of(db_session(), capability_id, factory_id=factory_id)
    if not form.accepted:
        return _profile(None, form, changed=capability_id)
    try:
        change_terms(db_session(), capability_id, form.value.terms, factory_id=factory_id, now=request_time())
    except Refusal as refusal:
        form.refuse(refusal, "prices")
        return _profile(None, form, changed=capability_id)
    flash(_("The terms have been changed; they hold for new offers."), "good")
    return redirect(url_for("matching.profile"), 303)


def _profile(
    described: Submission[ProfileForm] | None, line: Submission[Any] | None, *, changed: UUID | None = None
) -> tuple[str, int]:
    session, who = db_session(), signed_in_viewer()
    factory = session.get(Factory, who.organisation_id)
    lines = [x for x in queries.capabilities(session, who.organisation_id) if x.kind is LineKind.REGULAR]
    organisation = session.exec(select(Organisation).where(col(Organisation.id) == who.organisation_id)).one()
    known = {"belt": factory.belt, "region": factory.region, "about": factory.about} if factory else {}
    steps = queries.price_steps(session, [found.id for found in lines])
    terms = {
        found.id: blank(TermsForm, **_entries(found, steps.get(found.id, ()), edge().settings.currency))
        for found in lines
    }
    if line and changed:
        terms[changed] = line
    page = line or described or blank(ProfileForm)
    return page.page(
        "matching/profile.html",
        factory=factory,
        organisation=organisation,
        described=described or blank(ProfileForm, **(known or {"region": organisation.region})),
        line=line if line and changed is None else blank(CapabilityForm),
        changed=changed,
        lines=lines,
        steps=steps,
        terms=terms,
        categories=[code for code in CATEGORIES if code != "general"],
        catalogue=CATEGORIES,
        places={found.id: _places(len(steps.get(found.id, ()))) for found in lines},
        new_places=_places(0),
    )


def _places(known: int) -> range:
    """Room for the price steps there are, and for another."""
    return range(min(max(PRICE_STEPS, known + 1), MOST_PRICE_STEPS))


def _entries(line: Capability, steps: Sequence[PriceStep], currency: str) -> dict[str, Any]:
    """A line's terms as they stand in its form before anybody changes them."""
    entered: dict[str, Any] = {
        "weekly_capacity": line.weekly_capacity,
        "minimum": line.minimum,
        "setup": amount_entry(line.setup_minor, currency),
        "lead_days": line.lead_days,
    }
    for place, step in enumerate(steps):
        entered[f"prices.{place}.from_quantity"] = step.from_quantity
        if step.unit_price_minor is not None:
            entered[f"prices.{place}.price"] = amount_entry(step.unit_price_minor, currency)
        if step.target_ppm is not None:
            entered[f"prices.{place}.share"] = percent_entry(step.target_ppm)
    return entered
