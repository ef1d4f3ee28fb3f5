"""What factories say about themselves: profile, lines, terms, and the weeks they have free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_missing, insert_rows, lock_rows, table_of, update_rows, uuid7
from c2m.design.categories import PROCESSES, category_of
from c2m.errors import N_, Conflict, Invalid
from c2m.matching.hours import keep_beside, regular_line
from c2m.matching.models import Capability, Factory, LineKind, PriceBreak
from c2m.matching.queries import factory
from c2m.matching.rules import Terms, on_time_share, terms_errors
from c2m.matching.vetting import verify_registrations
from c2m.matching.weeks import let_weeks_follow


class CapabilityExists(Conflict):
    sentence = N_("This factory already has a line for this category and process.")


class InvalidTerms(Invalid):
    sentence = N_("These terms can't be accepted.")


@dataclass(frozen=True)
class Profile:
    """How a factory presents itself; its id is that of its organisation, its prices are in `currency`."""

    factory_id: UUID
    belt: str
    region: str
    currency: str
    about: str = ""
    on_time_ppm: int = 950_000


@dataclass(frozen=True)
class NewCapability:
    """A category a factory makes by one process, on these terms."""

    factory_id: UUID
    category: str
    process: str
    terms: Terms


def create_profiles(session: Session, profiles: Sequence[Profile]) -> None:
    """Give registered organisations their factory profiles; one that has a profile keeps it, and one that an operator
    has verified is matched from now on."""
    insert_missing(
        session,
        Factory,
        [
            {
                "id": p.factory_id,
                "belt": p.belt,
                "region": p.region,
                "currency": p.currency,
                "about": p.about,
                "on_time_ppm": p.on_time_ppm,
            }
            for p in profiles
        ],
    )
    verify_registrations(session, [p.factory_id for p in profiles])


def describe(session: Session, factory_id: UUID, *, belt: str, region: str, about: str) -> Factory:
    """Change how a factory presents itself.

    Raises:
        FactoryNotFound
    """
    found = factory(session, factory_id)
    found.belt, found.region, found.about = belt, region, about
    session.add(found)
    return found


def record_on_time(session: Session, records: Mapping[UUID, tuple[int, int]]) -> None:
    """Write down factories' records, (orders in time, orders due), and what is planned with from now on."""
    rows = [
        {"id": i, "orders_in_time": in_time, "orders_due": due, "on_time_ppm": on_time_share(in_time, due)}
        for i, (in_time, due) in sorted(records.items())
    ]
    lock_rows(session, Factory, sorted(records))
    update_rows(session, Factory, rows)


def add_capabilities(session: Session, lines: Sequence[NewCapability]) -> list[UUID]:
    """Add capabilities to factories; returns their ids in order.

    Raises:
        InvalidTerms, UnknownCategory, CapabilityExists: nothing is added.
    """
    for line in lines:
        _check(line)
    factory_ids = sorted({line.factory_id for line in lines})
    lock_rows(session, Factory, factory_ids)
    kinds = [(line.factory_id, line.category, line.process) for line in lines]
    if len(set(kinds)) < len(kinds) or not _kinds(session, factory_ids).isdisjoint(kinds):
        raise CapabilityExists(factory_ids=factory_ids)
    ids = [uuid7() for _ in lines]
    rows = [
        {
            "id": line_id,
            "factory_id": line.factory_id,
            "category": line.category,
            "process": line.process,
            **_columns(line.terms),
        }
        for line_id, line in zip(ids, lines, strict=True)
    ]
    insert_rows(session, Capability, rows)
    insert_rows(session, PriceBreak, _prices({i: line.terms for i, line in zip(ids, lines, strict=True)}))
    return ids


def add_capability(session: Session, capability: NewCapability) -> UUID:
    """Add one capability to a factory.

    Raises:
        InvalidTerms, UnknownCategory, CapabilityExists
    """
    [capability_id] = add_capabilities(session, [capability])
    return capability_id


def change_terms(session: Session, capability_id: UUID, terms: Terms, *, factory_id: UUID, now: datetime) -> None:
    """New terms for a line: they hold for offers made from now on, and for weeks that were not set by hand.

    Raises:
        CapabilityNotFound, InvalidTerms
    """
    capability = regular_line(session, capability_id, factory_id=factory_id)
    if errors := terms_errors(terms):
        raise InvalidTerms(errors=errors)
    lock_rows(session, Capability, [capability.id])
    for column, value in _columns(terms).items():
        setattr(capability, column, value)
    session.add(capability)
    prices = table_of(PriceBreak)
    session.execute(sa.delete(prices).where(prices.c.capability_id == capability_id))
    insert_rows(session, PriceBreak, _prices({capability_id: terms}))
    session.flush()
    keep_beside(session, capability)
    let_weeks_follow(session, capability, now=now)


def _check(line: NewCapability) -> None:
    errors = terms_errors(line.terms)
    category_of(line.category)
    if line.process not in PROCESSES:
        errors["process"] = N_("This process is not known.")
    if errors:
        raise InvalidTerms(errors=errors)


def _kinds(session: Session, factory_ids: Sequence[UUID]) -> set[tuple[UUID, str, str]]:
    """What these factories make already: (factory, category, process)."""
    c = table_of(Capability).c
    found: set[tuple[UUID, str, str]] = set()
    for part in chunks(factory_ids):
        regular = c.kind == LineKind.REGULAR
        rows = session.execute(sa.select(c.factory_id, c.category, c.process).where(c.factory_id.in_(part), regular))
        found |= {(row.factory_id, row.category, row.process) for row in rows}
    return found


def _columns(terms: Terms) -> dict[str, int]:
    return {
        "weekly_capacity": terms.weekly_capacity,
        "minimum": terms.minimum,
        "setup_minor": terms.setup_minor,
        "lead_days": terms.lead_days,
    }


def _prices(terms: Mapping[UUID, Terms]) -> list[dict[str, object]]:
    return [
        {
            "capability_id": line_id,
            "from_quantity": step.from_quantity,
            "unit_price_minor": step.unit_price_minor,
            "target_ppm": step.target_ppm,
        }
        for line_id, found in terms.items()
        for step in found.steps
    ]
