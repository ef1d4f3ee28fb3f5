"""The ledger as the operator reads it: entries with their legs, found by what or whom they are about."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from flask import Response, render_template
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import Session

from c2m.audit.check import hex_of, text_of
from c2m.db import chunks, table_of
from c2m.demand.models import Campaign
from c2m.design.models import Concept
from c2m.identity.models import Organisation, Role
from c2m.ledger.models import Account, AccountKind, Entry, Hold, Posting, Side, Transfer
from c2m.ledger.queries import balances_by_kind, latest_entries
from c2m.pages.blueprint import blueprint
from c2m.pages.words import account_words, entry_words
from c2m.production.compensation import COMPENSATION_REFERENCE
from c2m.production.deliveries import DELIVERY_REFERENCE
from c2m.production.models import Parcel, Settlement, WorkOrder
from c2m.production.settlement import SETTLEMENT_REFERENCE
from c2m.web.access import allow
from c2m.web.context import db_session
from c2m.web.exports import csv_file
from c2m.web.formats import major, moment, named, titled
from c2m.web.forms import Form, queried

ENTRIES_SHOWN = 25
EXPORTED = 2_000
MOST_OWNERS = 50

Entries = list[tuple[Entry, list[tuple[Posting, Account]]]]


class LedgerForm(Form):
    q: Annotated[str, Field(max_length=120)] = ""
    account: AccountKind | None = None
    before: UUID | None = None


@blueprint.get("/operator/ledger")
@allow(Role.OPERATOR)
def ledger() -> str:
    """Entries, newest first, and where all money stands."""
    form, session = queried(LedgerForm), db_session()
    entries = _found(session, form, limit=ENTRIES_SHOWN + 1)
    return render_template(
        "pages/operator_ledger.html",
        form=form,
        entries=entries[:ENTRIES_SHOWN],
        older=entries[ENTRIES_SHOWN - 1][0].id if len(entries) > ENTRIES_SHOWN else None,
        owners=owners_of(session, entries[:ENTRIES_SHOWN]),
        balances=balances_by_kind(session),
        kinds=AccountKind,
        exported=EXPORTED,
    )


@blueprint.get("/operator/ledger.csv")
@allow(Role.OPERATOR)
def ledger_csv() -> Response:
    """The newest of the entries the address asks for, a line for each leg, as a table to take away."""
    session = db_session()
    entries = _found(session, queried(LedgerForm), limit=EXPORTED)
    owners = owners_of(session, entries)
    head = [
        _("Entry"),
        _("Posted"),
        _("What for"),
        _("Reference"),
        _("Account"),
        _("Owner"),
        _("Debit"),
        _("Credit"),
        _("Currency"),
    ]
    return csv_file("ledger", head, _legs(entries, owners))


def owners_of(session: Session, entries: Entries) -> dict[UUID, str]:
    """Whose accounts these are: organisations by name, campaigns and concepts by title."""
    ids = sorted({account.owner_id for _entry, legs in entries for _posting, account in legs})
    names: dict[UUID, str] = {}
    for part in chunks(ids):
        for model, name in ((Organisation, named), (Campaign, titled), (Concept, titled)):
            rows = session.execute(sa.select(model).where(table_of(model).c.id.in_(part))).scalars()
            names |= {row.id: name(row) for row in rows}
    return names


def _legs(entries: Entries, owners: dict[UUID, str]) -> Iterator[list[object]]:
    for entry, legs in entries:
        for posting, account in legs:
            amount = major(posting.amount_minor, posting.currency)
            yield [
                entry.id,
                moment(entry.posted_at),
                entry_words(entry.kind),
                entry.reference,
                account_words(account.kind),
                owners.get(account.owner_id, ""),
                amount if posting.side is Side.DEBIT else "",
                amount if posting.side is Side.CREDIT else "",
                posting.currency,
            ]


def _found(session: Session, form: LedgerForm, *, limit: int) -> Entries:
    posting, account, entry = table_of(Posting).c, table_of(Account).c, table_of(Entry).c
    which = [_about(session, form.q)] if form.q else []
    if form.account is not None:
        of_this_kind = sa.select(posting.entry_id).join_from(
            table_of(Posting), table_of(Account), account.id == posting.account_id
        )
        which.append(entry.id.in_(of_this_kind.where(account.kind == form.account)))
    return latest_entries(session, sa.and_(sa.true(), *which), limit=limit, before=form.before)


def _about(session: Session, words: str) -> sa.ColumnElement[bool]:
    """Entries about the order, want, campaign or organisation these words name, or with such a reference."""
    entry, order, settled = (table_of(model).c for model in (Entry, WorkOrder, Settlement))
    row_id, number = _as_id(words), words.upper()
    orders = sa.union_all(
        sa.select(order.id).where(sa.or_(order.number == number, order.id == row_id)),
        sa.select(settled.work_order_id).where(settled.number == number),
    )
    order_ids = list(dict.fromkeys(session.execute(orders).scalars()))
    subject_ids = order_ids + ([row_id] if row_id else [])
    if subject_ids:
        return sa.or_(entry.id == row_id, entry.reference.in_(_references(subject_ids)), _on_accounts_of(subject_ids))
    named_so = (entry.reference.contains(words, autoescape=True), entry.kind == words)
    return sa.or_(*named_so, _on_accounts_of(_owners_called(session, words)))


def _as_id(words: str) -> UUID | None:
    try:
        return UUID(words)
    except ValueError:
        return None


def _on_accounts_of(owner_ids: Sequence[UUID]) -> sa.ColumnElement[bool]:
    posting, account = table_of(Posting).c, table_of(Account).c
    accounts = sa.select(account.id).where(account.owner_id.in_(owner_ids))
    return table_of(Entry).c.id.in_(sa.select(posting.entry_id).where(posting.account_id.in_(accounts)))


def _owners_called(session: Session, words: str) -> list[UUID]:
    """Organisations by name, campaigns by number or title, concepts by title."""
    organisation, campaign, concept = (table_of(model).c for model in (Organisation, Campaign, Concept))
    called = (
        (organisation.id, (organisation.name, organisation.name_en)),
        (campaign.id, (campaign.title, campaign.title_en, campaign.number)),
        (concept.id, (concept.title, concept.title_en)),
    )
    found: list[UUID] = []
    for key, names in called:
        fits = sa.or_(*(name.icontains(words, autoescape=True) for name in names))
        found += session.execute(sa.select(key).where(fits).order_by(key.desc()).limit(MOST_OWNERS)).scalars()
    return found


def _references(ids: Sequence[UUID]) -> sa.CompoundSelect[Any]:
    """The references of all entries about these orders of buyers, wants, work orders or transfers."""
    transfer, hold, parcel, order = (table_of(model).c for model in (Transfer, Hold, Parcel, WorkOrder))
    asked = sa.or_(transfer.subject_id.in_(ids), transfer.id.in_(ids))
    sent = sa.or_(parcel.work_order_id.in_(ids), parcel.pledge_id.in_(ids))
    delivery = sa.literal(DELIVERY_REFERENCE) + hex_of(parcel.id) + ":" + hex_of(hold.id)
    return sa.union_all(
        sa.select(transfer.reference).where(asked),
        sa.select(sa.cast(transfer.direction, sa.String) + ":" + text_of(transfer.id)).where(asked),
        sa.select(sa.literal("forfeit:") + text_of(hold.id)).where(hold.subject_id.in_(ids)),
        sa.select(delivery)
        .join_from(table_of(Parcel), table_of(Hold), hold.subject_id == parcel.pledge_id)
        .where(sent),
        sa.select(sa.literal(COMPENSATION_REFERENCE) + hex_of(parcel.id)).where(sent),
        sa.select(sa.literal(SETTLEMENT_REFERENCE) + hex_of(order.id)).where(order.id.in_(ids)),
    )
