"""A factory's capacity: weeks, shifts and units, overtime, idle weeks, its own orders; by hand and by file."""

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.errors import Invalid, Refusal
from c2m.identity.models import Role
from c2m.matching import hours, queries
from c2m.matching.calendar_files import HEAD, InvalidCalendar, import_calendar, rows_of
from c2m.matching.calendars import MOST_UNITS, Load, Shifts
from c2m.matching.capacity import booked_since, capacity_map, holiday_in, holidays_of, idle_weeks, week_of_line
from c2m.matching.market import HORIZON_WEEKS
from c2m.matching.models import CapacityUnit, LineKind
from c2m.matching.rules import first_week, is_too_far, monday, weeks_from
from c2m.matching.views.blueprint import blueprint
from c2m.matching.weeks import follow_hours, set_week_capacity
from c2m.money import PPM
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.exports import csv_file
from c2m.web.forms import (
    Form,
    Percent,
    Submission,
    Upload,
    Whole,
    blank,
    percent_entry,
    queried,
    sentence_of,
    submitted,
)
from c2m.web.viewer import signed_in_viewer

LARGEST_FILE = 1_000_000
MOST_LOAD = 1_000_000
SHORTEST_CAMPAIGN = timedelta(days=4)  # before an idle week is offered for one

Pieces = Annotated[Whole, Field(ge=0, le=1_000_000)]


class WeekForm(Form):
    capability: UUID
    week: date
    capacity: Annotated[Whole, Field(ge=0, le=MOST_UNITS)]


class ShiftsForm(Form):
    unit: CapacityUnit
    load: Annotated[Whole, Field(ge=1, le=MOST_LOAD)]
    per: Annotated[Whole, Field(ge=1, le=MOST_LOAD)]
    days: Annotated[Whole, Field(ge=1, le=7)]
    shifts: Annotated[Whole, Field(ge=1, le=3)]
    units: Annotated[Whole, Field(ge=0, le=MOST_UNITS)] | None = None


class OvertimeForm(Form):
    units: Annotated[Whole, Field(ge=0, le=MOST_UNITS)]
    premium: Percent


class IdleForm(Form):
    week: date
    pieces: Pieces
    discount: Percent


class KeepForm(Form):
    quantity: Annotated[Whole, Field(ge=1, le=1_000_000)]
    note: Annotated[str, Field(max_length=120)] = ""


class FileForm(Form):
    file: Upload


class IdleSearchForm(Form):
    category: Annotated[str, Field(max_length=40)] = ""


@blueprint.get("/factory/capacity")
@allow(Role.FACTORY)
def capacity() -> str:
    """How full each line is in the coming weeks."""
    return _capacity(None)[0]


@blueprint.post("/factory/capacity")
@allow(Role.FACTORY)
def set_capacity() -> Response | tuple[str, int]:
    """Say what a line can make in one week, in its own unit."""
    form, factory_id = submitted(WeekForm), signed_in_viewer().organisation_id
    if not form.accepted:
        return _capacity(form)
    line = queries.capability_of(db_session(), form.value.capability, factory_id=factory_id)
    wanted = {(line.id, form.value.week): form.value.capacity}
    try:
        changed = set_week_capacity(db_session(), factory_id, wanted, now=request_time())
    except Refusal as refusal:
        form.refuse(refusal if not isinstance(refusal, Invalid) else _week_is_over(refusal), "capacity")
        return _capacity(form)
    flash(_("The week has been changed.") if changed else _("The week had this capacity already."), "good")
    return redirect(url_for("matching.capacity"), 303)


@blueprint.post("/factory/capacity/<uuid:capability_id>/<week>/follow")
@allow(Role.FACTORY)
def follow(capability_id: UUID, week: str) -> Response:
    """Have a week that was set by hand follow the line's hours again."""
    factory_id, day = signed_in_viewer().organisation_id, _monday(week)
    follow_hours(db_session(), capability_id, day, factory_id=factory_id, now=request_time())
    flash(_("The week follows the line's hours again."), "good")
    return redirect(url_for("matching.week", capability_id=capability_id, week=day.isoformat()), 303)


@blueprint.get("/factory/capacity.csv")
@allow(Role.FACTORY)
def capacity_csv() -> Response:
    """The coming weeks as a table, to be edited and brought back."""
    rows = capacity_map(db_session(), signed_in_viewer().organisation_id, _weeks())
    return csv_file("capacity", HEAD, rows_of([row for row in rows if row.capability.kind is not LineKind.IDLE]))


@blueprint.post("/factory/capacity/file")
@allow(Role.FACTORY)
def import_capacity() -> Response | tuple[str, int]:
    """Take over the weeks of a file; every row that can't be is named."""
    form, bad_rows = submitted(FileForm), dict[str, str]()
    if form.accepted:
        content = form.value.file.stream.read(LARGEST_FILE + 1)
        try:
            if len(content) > LARGEST_FILE:
                raise Invalid(errors={"file": _("The file is larger than a megabyte.")})
            count = import_calendar(db_session(), signed_in_viewer().organisation_id, content, now=request_time())
        except InvalidCalendar as refusal:
            bad_rows = {row: sentence_of(why) for row, why in refusal.details["errors"].items()}  # type: ignore[attr-defined]
            form.refuse(Refusal(), "file")
            form.errors["file"] = sentence_of(refusal)
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            flash(ngettext("%(num)s week has been taken over.", "%(num)s weeks have been taken over.", count), "good")
            return redirect(url_for("matching.capacity"), 303)
    return _capacity(None, uploaded=form, bad_rows=bad_rows)


@blueprint.get("/factory/capacity/<uuid:capability_id>")
@allow(Role.FACTORY)
def hours_of_line(capability_id: UUID) -> str:
    """A line's shifts, overtime and idle weeks."""
    return _line(capability_id)[0]


@blueprint.post("/factory/capacity/<uuid:capability_id>/shifts")
@allow(Role.FACTORY)
def set_shifts(capability_id: UUID) -> Response | tuple[str, int]:
    """Say what an ordinary week of a line has."""
    _own(capability_id)
    form = submitted(ShiftsForm)
    if form.accepted:
        sent = form.value
        shifts = Shifts(sent.days, sent.shifts, sent.units)
        factory_id = signed_in_viewer().organisation_id
        try:
            hours.set_shifts(
                db_session(),
                capability_id,
                sent.unit,
                Load(sent.load, sent.per),
                shifts,
                factory_id=factory_id,
                now=request_time(),
            )
        except hours.InvalidHours as refusal:
            form.refuse(refusal)
        else:
            return _changed(capability_id)
    return _line(capability_id, shifts=form)


@blueprint.post("/factory/capacity/<uuid:capability_id>/overtime")
@allow(Role.FACTORY)
def set_overtime(capability_id: UUID) -> Response | tuple[str, int]:
    """Offer overtime up to a limit a week, at a premium."""
    _own(capability_id)
    form = submitted(OvertimeForm)
    if form.accepted:
        sent, factory_id = form.value, signed_in_viewer().organisation_id
        try:
            hours.set_overtime(
                db_session(), capability_id, sent.units, sent.premium, factory_id=factory_id, now=request_time()
            )
        except hours.InvalidHours as refusal:
            form.refuse(refusal)
        else:
            return _changed(capability_id)
    return _line(capability_id, overtime=form)


@blueprint.post("/factory/capacity/<uuid:capability_id>/idle")
@allow(Role.FACTORY)
def offer_idle(capability_id: UUID) -> Response | tuple[str, int]:
    """Offer free pieces of a week at a discount."""
    _own(capability_id)
    form = submitted(IdleForm)
    if form.accepted:
        sent, factory_id = form.value, signed_in_viewer().organisation_id
        wanted, now = {sent.week: sent.pieces}, request_time()
        try:
            hours.offer_idle_weeks(db_session(), capability_id, wanted, sent.discount, factory_id=factory_id, now=now)
        except (hours.InvalidHours, hours.NoRoomLeft) as refusal:
            form.refuse(refusal, "pieces")
        else:
            return _changed(capability_id)
    return _line(capability_id, idle=form)


@blueprint.get("/factory/capacity/<uuid:capability_id>/<week>")
@allow(Role.FACTORY)
def week(capability_id: UUID, week: str) -> str:
    """Everything that takes of one week of a line."""
    return _week(capability_id, week, blank(KeepForm))[0]


@blueprint.post("/factory/capacity/<uuid:capability_id>/<week>/keep")
@allow(Role.FACTORY)
def keep(capability_id: UUID, week: str) -> Response | tuple[str, int]:
    """Keep pieces of a week for an order of the factory's own."""
    form, who = submitted(KeepForm), signed_in_viewer()
    line = queries.capability_of(db_session(), capability_id, factory_id=who.organisation_id)
    if form.accepted:
        kept = hours.Keep(line.id, _monday(week), form.value.quantity, form.value.note, who.user_id)
        try:
            hours.reserve(db_session(), kept, factory_id=who.organisation_id, now=request_time())
        except (hours.InvalidHours, hours.NoRoomLeft) as refusal:
            form.refuse(refusal, "quantity")
        else:
            flash(_("Kept. Nobody else is offered these pieces."), "good")
            return redirect(url_for("matching.week", capability_id=capability_id, week=week), 303)
    return _week(capability_id, week, form)


@blueprint.post("/factory/capacity/kept/<uuid:reservation_id>/give-up")
@allow(Role.FACTORY)
def give_up(reservation_id: UUID) -> Response:
    """Give kept pieces back to the market."""
    factory_id = signed_in_viewer().organisation_id
    hours.give_up_reservation(db_session(), reservation_id, factory_id=factory_id, now=request_time())
    flash(_("The pieces are free again."), "good")
    return redirect(url_for("matching.capacity"), 303)


@blueprint.get("/studio/idle-weeks")
@allow(Role.MERCHANDISER)
def idle() -> str:
    """Weeks that factories offer at a discount, for a campaign that fits them."""
    wanted = queried(IdleSearchForm).category
    found = idle_weeks(db_session(), weeks_from(first_week(request_time() + SHORTEST_CAMPAIGN), HORIZON_WEEKS))
    return render_template(
        "matching/idle_weeks.html",
        weeks=[one for one in found if not wanted or one.line.category == wanted],
        categories=sorted({one.line.category for one in found}),
        wanted=wanted,
        ppm=PPM,
    )


def _changed(capability_id: UUID) -> Response:
    flash(_("The hours have been changed; they hold for new offers."), "good")
    return redirect(url_for("matching.hours_of_line", capability_id=capability_id), 303)


def _weeks() -> list[date]:
    return weeks_from(monday(request_time().date()), HORIZON_WEEKS)


def _own(capability_id: UUID) -> None:
    hours.regular_line(db_session(), capability_id, factory_id=signed_in_viewer().organisation_id)


def _monday(text: str) -> date:
    try:
        week = monday(date.fromisoformat(text))
    except ValueError:
        raise queries.CapabilityNotFound(week=text) from None
    if is_too_far(week, monday(request_time().date())):
        raise queries.CapabilityNotFound(week=text)
    return week


def _capacity(
    form: Submission[WeekForm] | None,
    *,
    uploaded: Submission[FileForm] | None = None,
    bad_rows: dict[str, str] | None = None,
) -> tuple[str, int]:
    weeks = _weeks()
    rows = capacity_map(db_session(), signed_in_viewer().organisation_id, weeks)
    chosen = form or blank(WeekForm, capability=request.args.get("line"))
    return (uploaded or chosen).page(
        "matching/capacity.html",
        chosen=chosen,
        uploaded=uploaded or blank(FileForm),
        bad_rows=bad_rows or {},
        weeks=weeks,
        rows=rows,
        holidays=holidays_of(rows, weeks),
    )


def _line(
    capability_id: UUID,
    *,
    shifts: Submission[ShiftsForm] | None = None,
    overtime: Submission[OvertimeForm] | None = None,
    idle: Submission[IdleForm] | None = None,
) -> tuple[str, int]:
    session, factory_id, weeks = db_session(), signed_in_viewer().organisation_id, _weeks()
    line = hours.regular_line(session, capability_id, factory_id=factory_id)
    rows = [
        r for r in capacity_map(session, factory_id, weeks) if line.id in (r.capability.id, r.capability.regular_id)
    ]
    beside = {row.capability.kind: row for row in rows}
    more, cheap = beside.get(LineKind.OVERTIME), beside.get(LineKind.IDLE)
    load, entered = Load(line.load_num, line.load_den), line.weekly_units
    by_shifts = entered is not None and load.pieces(entered) == line.weekly_capacity
    limit = load.figure(more.capability.weekly_capacity, more.capability.weekly_units) if more else 0
    return (shifts or overtime or idle or blank(ShiftsForm)).page(
        "matching/hours.html",
        line=line,
        rows=rows,
        weeks=weeks,
        holidays=holidays_of(rows, weeks),
        units=CapacityUnit,
        shifts=shifts
        or blank(
            ShiftsForm,
            unit=line.unit.value,
            load=line.load_num,
            per=line.load_den,
            days=line.days_a_week,
            shifts=line.shifts_a_day,
            units=(entered or 0) // (line.days_a_week * line.shifts_a_day) if by_shifts else "",
        ),
        overtime=overtime
        or blank(
            OvertimeForm,
            units=limit,
            premium=percent_entry(more.capability.price_ppm - PPM) if more else "30",
        ),
        idle=idle or blank(IdleForm, discount=percent_entry(PPM - cheap.capability.price_ppm) if cheap else "10"),
    )


def _week(capability_id: UUID, text: str, form: Submission[KeepForm]) -> tuple[str, int]:
    session, factory_id = db_session(), signed_in_viewer().organisation_id
    line = queries.capability_of(session, capability_id, factory_id=factory_id)
    found = week_of_line(session, line, _monday(text))
    entered: dict[str, Any] = {
        "capability": line.id,
        "week": found.cell.week.isoformat(),
        "capacity": found.cell.units,
    }
    return form.page(
        "matching/week.html",
        found=found,
        line=line,
        change=blank(WeekForm, **entered),
        over=found.cell.week < monday(request_time().date()),
        holiday=holiday_in(line, found.cell.week),
        since=booked_since,
    )


def _week_is_over(refusal: Invalid) -> Invalid:
    """A refusal that names weeks, said beside the capacity field."""
    return Invalid(errors={"capacity": next(iter(refusal.errors.values()))})
