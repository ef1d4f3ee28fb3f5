"""One match run as a plan: who makes what in which weeks at what cost, why, and what kept the others from it."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, jsonify, render_template
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from sqlmodel import Session, col, select

from c2m.demand.models import DemandSheet
from c2m.errors import N_, NotFound
from c2m.identity.models import Organisation, Role
from c2m.identity.queries import organisations
from c2m.matching.market import WhyNot
from c2m.matching.models import MatchRun, Offer
from c2m.matching.rules import CHOICES, Choice
from c2m.pages.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, edge
from c2m.web.formats import money, pieces

COSTS: dict[str, LazyString] = {
    "unit_minor": lazy_gettext("pieces at their price"),
    "setup_minor": lazy_gettext("setup"),
    "freight_minor": lazy_gettext("freight"),
    "risk_minor": lazy_gettext("risk of lateness"),
    "lateness_minor": lazy_gettext("lateness planned"),
    "change_minor": lazy_gettext("change of plan"),
}


SHOWN = 100  # sheets of which pieces are left


class RunNotFound(NotFound):
    sentence = N_("There is no such match run.")


@dataclass(frozen=True)
class Placed:
    """An offer of the run, with what it was chosen over."""

    offer: Offer
    sheet: DemandSheet
    factory: Organisation
    choice: str
    costs: list[tuple[str, int]]
    quantity: int
    each_minor: int
    weeks: list[tuple[date, int]]
    next_best: tuple[Organisation, int] | None
    others: list[tuple[Organisation, str]]


@blueprint.get("/operator/matching/<uuid:run_id>")
@allow(Role.OPERATOR)
def plan(run_id: UUID) -> str:
    """The plan of a run, sheet by sheet, with reasons."""
    session = db_session()
    run = _run(session, run_id)
    placed, left = _placed(session, run_id), _left(session, run)
    currencies = [one.sheet.currency for one in placed] + [sheet.currency for sheet, _entry in left]
    currency = next(iter(currencies), edge().settings.currency)
    return render_template("pages/operator_plan.html", run=run, placed=placed, left=left, currency=currency)


@blueprint.get("/operator/matching/<uuid:run_id>.json")
@allow(Role.OPERATOR)
def plan_json(run_id: UUID) -> Response:
    """The same for programs: each offer's explanation as it was kept."""
    session = db_session()
    run = _run(session, run_id)
    found = _offers(session, run_id)
    houses = organisations(session, sorted({offer.factory_id for offer, _sheet in found}))
    offers = [
        {"offer": str(offer.id), "sheet": sheet.number, "factory": str(offer.factory_id), "quantity": _planned(offer)}
        | {"factory_name": houses[offer.factory_id].name, "state": offer.state, "explanation": offer.explanation}
        for offer, sheet in found
    ]
    return jsonify({"run": run.model_dump(mode="json"), "offers": offers})


def _left(session: Session, run: MatchRun) -> list[tuple[DemandSheet, dict[str, Any]]]:
    """What the run left of which sheets, with why."""
    found = [(session.get(DemandSheet, UUID(entry["sheet_id"])), entry) for entry in run.unserved[:SHOWN]]
    return [(sheet, entry) for sheet, entry in found if sheet]


def _run(session: Session, run_id: UUID) -> MatchRun:
    found = session.get(MatchRun, run_id)
    if found is None:
        raise RunNotFound(run_id=run_id)
    return found


def _offers(session: Session, run_id: UUID) -> list[tuple[Offer, DemandSheet]]:
    statement = (
        select(Offer, DemandSheet)
        .join(DemandSheet, col(DemandSheet.id) == col(Offer.sheet_id))
        .where(Offer.run_id == run_id)
        .order_by(col(DemandSheet.number), col(Offer.id))
    )
    return list(session.exec(statement).all())


def _placed(session: Session, run_id: UUID) -> list[Placed]:
    offers = _offers(session, run_id)
    named = {UUID(other["factory_id"]) for offer, _ in offers for other in _others(offer)}
    named |= {offer.factory_id for offer, _ in offers}
    named |= {UUID(best["factory_id"]) for offer, _ in offers if (best := offer.explanation["next_best"])}
    houses = organisations(session, sorted(named))
    return [_one(offer, sheet, houses) for offer, sheet in offers]


def _one(offer: Offer, sheet: DemandSheet, houses: dict[UUID, Organisation]) -> Placed:
    why, best = offer.explanation, offer.explanation["next_best"]
    then = why | why.get("offered", {})  # the plan of that run, whatever was agreed on later
    return Placed(
        offer=offer,
        sheet=sheet,
        factory=houses[offer.factory_id],
        choice=_(CHOICES[Choice(why["reason"])]),
        costs=[(str(words), why["cost"][name]) for name, words in COSTS.items() if why["cost"].get(name)],
        quantity=_planned(offer),
        each_minor=then["each_minor"],
        weeks=[(date.fromisoformat(week), made) for week, made in sorted(then["weeks"].items())],
        next_best=(houses[UUID(best["factory_id"])], best["extra_minor"]) if best else None,
        others=[(houses[UUID(other["factory_id"])], _why_not(other, sheet)) for other in _others(offer)],
    )


def _planned(offer: Offer) -> int:
    """The pieces that the run planned, whatever was taken of them later."""
    return int(offer.explanation.get("offered", {}).get("quantity", offer.quantity + offer.untaken))


def _others(offer: Offer) -> list[dict[str, Any]]:
    return list(offer.explanation.get("passed_over", []))


def _why_not(other: dict[str, Any], sheet: DemandSheet) -> str:
    """What kept a factory's line from these pieces, in the reader's language."""
    missing = int(other["missing"])
    match WhyNot(other["why"]):
        case WhyNot.DECLINED:
            return str(_("gave the sheet back or let an offer of it run out"))
        case WhyNot.SMALLEST_ORDER:
            return str(_("%(pieces)s are missing to its smallest order", pieces=pieces(missing)))
        case WhyNot.WEEKS:
            return str(_("its free weeks in time lack room for %(pieces)s", pieces=pieces(missing)))
        case WhyNot.PRICE:
            return str(_("%(amount)s a piece more, setup included", amount=money(missing, sheet.currency)))
        case WhyNot.RISK:
            return str(_("%(amount)s a piece more with lateness and its risk", amount=money(missing, sheet.currency)))
        case WhyNot.IN_PART:
            return str(_("took a part of the sheet and left these pieces"))
        case WhyNot.KEPT_FOR_NEW:
            return str(_("the sheet was kept for new factories"))
        case WhyNot.ALL_TOGETHER:
            return str(_("no dearer here; makes other sheets of the plan"))
        case WhyNot.LEVEL:
            return str(_("no dearer here"))
