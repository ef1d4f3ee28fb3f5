"""What people typed, parsed into a model or answered with one sentence a field. Nothing sent is trusted."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from flask import render_template, request
from flask_babel import gettext
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import FileStorage, MultiDict

from c2m.errors import N_, Invalid, Refusal
from c2m.identity.rules import is_email
from c2m.web.context import edge

NOT_FIELDS = frozenset({"csrf_token", "next"})
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100

MOST_DIGITS = 12
WHOLE = re.compile(r"[+-]?[0-9]{1,12}")
PERCENT = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?) ?%?")
NUMBER = re.compile(r"([+-]?)([0-9][0-9,]*)(?:\.[0-9]*)? ?%?")
AMOUNT = re.compile(r"([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.([0-9]{1,6}))?")
SENTENCES = {
    "missing": N_("Please fill this in."),
    "extra_forbidden": N_("The form carried something that wasn't asked for."),
    "greater_than": N_("Please enter more than %(gt)s."),
    "greater_than_equal": N_("Please enter at least %(ge)s."),
    "less_than": N_("Please enter less than %(lt)s."),
    "less_than_equal": N_("Please enter at most %(le)s."),
    "string_too_short": N_("Please enter at least %(min_length)s characters."),
    "string_too_long": N_("Please enter at most %(max_length)s characters."),
    "enum": N_("Please choose one of the options."),
    "literal_error": N_("Please choose one of the options."),
    "uuid_parsing": N_("Please choose one of the options."),
    "too_short": N_("Please choose or fill in at least %(min_length)s."),
    "too_long": N_("Please choose or fill in at most %(max_length)s."),
    "whole_number": N_("Please enter a whole number."),
    "too_large": N_("This number is too large."),
    "too_small": N_("This number is too small."),
    "amount": N_("Please enter an amount such as 34.00."),
    "amount_digits": N_("This currency has %(digits)s decimals."),
    "percent": N_("Please enter a percentage such as 87.5."),
    "local_time": N_("Please enter a day and time such as 2026-12-05 20:00."),
    "date_parsing": N_("Please enter a day such as 2026-12-05."),
    "date_from_datetime_parsing": N_("Please enter a day such as 2026-12-05."),
    "email": N_("Please enter an e-mail address."),
    "flag": N_("Please tick or leave the box."),
    "plain_text": N_("Please use printable characters only."),
    "once": N_("Please enter this once only."),
}
FALLBACK = N_("This can't be accepted.")


class Form(BaseModel):
    """The base of every form: unknown fields are refused, texts are trimmed."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, arbitrary_types_allowed=True)


F = TypeVar("F", bound=Form)


def _whole(value: object) -> object:
    text = unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else ""
    if not WHOLE.fullmatch(text):
        raise _no_number(text, "whole_number")
    return int(text)


def _no_number(text: str, kind: Literal["whole_number", "amount", "percent"], digits: int = MOST_DIGITS) -> Exception:
    """What to say of a text that is no number of this kind: that it has too many digits, or what is asked for."""
    found = NUMBER.fullmatch(text)
    if found is None or len(found[2].replace(",", "").lstrip("0")) <= digits:
        return PydanticCustomError(kind, FALLBACK)
    return PydanticCustomError("too_small" if found[1] == "-" else "too_large", FALLBACK)


def _minor_units(value: object, info: ValidationInfo) -> int:
    text = unicodedata.normalize("NFKC", value).strip().removeprefix("¥").strip() if isinstance(value, str) else ""
    found = AMOUNT.fullmatch(text)
    if found is None:
        raise _no_number(text, "amount")
    digits = get_currency_precision((info.context or {})["currency"])
    amount = Decimal(found[1].replace(",", "") + "." + (found[2] or "0")).scaleb(digits)
    if amount != amount.to_integral_value():
        raise PydanticCustomError("amount_digits", FALLBACK, {"digits": digits})
    return int(amount)


def _parts_per_million(value: object) -> int:
    text = unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else ""
    found = PERCENT.fullmatch(text)
    if found is None:
        raise _no_number(text, "percent", digits=4)
    return int(Decimal(found[1]).scaleb(4))


def _local_time(value: object, info: ValidationInfo) -> datetime:
    text = value.strip().replace(" ", "T") if isinstance(value, str) else ""
    for pattern in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"):
        try:
            local = datetime.strptime(text, pattern)  # noqa: DTZ007 - the form means local time, made aware below
        except ValueError:
            continue
        if EARLIEST_YEAR <= local.year <= LATEST_YEAR:
            return local.replace(tzinfo=ZoneInfo((info.context or {})["timezone"])).astimezone(UTC)
    raise PydanticCustomError("local_time", FALLBACK)


def _email(value: object) -> str:
    text = value.strip().lower() if isinstance(value, str) else ""
    if not is_email(text):
        raise PydanticCustomError("email", FALLBACK)
    return text


def _flag(value: object) -> bool:
    if value not in ("1", "on"):
        raise PydanticCustomError("flag", FALLBACK)
    return True


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number; bound it with `Field(ge=…, le=…)`."""
Amount = Annotated[int, BeforeValidator(_minor_units)]
"""Money as people write it, in minor units of the market's currency: "34.00" → 3400. Never negative."""
Percent = Annotated[int, BeforeValidator(_parts_per_million)]
"""A percentage as people write it, in parts per million: "87.5" → 875,000. Never negative."""
LocalTime = Annotated[datetime, BeforeValidator(_local_time)]
"""A `datetime-local` input in the market's time zone, as an aware UTC instant."""
Password = Annotated[str, StringConstraints(strip_whitespace=False)]
"""A password, taken as it was typed; bound its length with `Field`."""
Email = Annotated[str, BeforeValidator(_email)]
"""An e-mail address in lower case."""
Flag = Annotated[bool, BeforeValidator(_flag)]
"""A checkbox; give it the default False."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=120)]
"""One line of text."""
Prose = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
"""Some paragraphs of text."""
Upload = FileStorage
"""An uploaded file; an empty file input counts as not sent."""


def amount_entry(minor: int, currency: str) -> str:
    """An amount as it stands in a form before anybody changes it: 3400 → "34.00"."""
    return str(Decimal(minor).scaleb(-get_currency_precision(currency)))


def percent_entry(ppm: int) -> str:
    """A share as it stands in a form before anybody changes it: 875,000 → "87.5"."""
    return f"{Decimal(ppm).scaleb(-4).normalize():f}"


def local_time_entry(when: datetime, timezone: str) -> str:
    """An instant as it stands in a `datetime-local` input before anybody changes it."""
    return when.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%dT%H:%M")


class Submission(Generic[F]):
    """A form on its way: what was entered, what is wrong with it, and the parsed model when nothing is."""

    def __init__(self, entered: Mapping[str, Any], errors: dict[str, str], parsed: F | None) -> None:
        self.entered = entered
        self.errors = errors
        self.parsed = parsed

    @property
    def accepted(self) -> bool:
        """Whether a form was sent and nothing is wrong with it."""
        return self.parsed is not None and not self.errors

    @property
    def query(self) -> dict[str, Any]:
        """What was entered, as an address carries it: without the token, blanks and noughts."""
        return {name: text for name, text in self.entered.items() if name not in NOT_FIELDS and text not in ("", "0")}

    @property
    def value(self) -> F:
        """The parsed form.

        Raises:
            Invalid: something was wrong with it; carries one sentence a field.
        """
        if self.parsed is None or self.errors:
            raise Invalid(errors=self.errors)
        return self.parsed

    def refuse(self, refusal: Refusal, name: str = "") -> None:
        """Show a use case's refusal with the form: beside a field, or above all of them."""
        found = sentences_of(refusal.errors) if isinstance(refusal, Invalid) else {}
        self.errors.update(found or {name or str(refusal.details.get("field", "")): sentence_of(refusal)})

    def page(self, template: str, **context: Any) -> tuple[str, int]:
        """The page with this form as `form`; status 422 when something is wrong with it, 200 otherwise."""
        return render_template(template, form=self, **context), 422 if self.errors else 200


def key_for(form: Form) -> str:
    """The idempotency key of what a form says: sent twice it is one request, gone back to and changed another one.

    Files are told apart by their names.
    """
    said = {name: value.filename if isinstance(value, FileStorage) else str(value) for name, value in form}
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def blank(model: type[F], **entered: Any) -> Submission[F]:
    """A form nobody has sent yet, with what stands in its fields at first."""
    return Submission(entered, {}, None)


def submitted(model: type[F]) -> Submission[F]:
    """The posted form, parsed; uploads count as fields."""
    sent: MultiDict[str, Any] = MultiDict(request.form)
    for name, files in request.files.lists():
        sent.setlist(name, [file for file in files if file.filename])
    return parse(model, sent, currency=edge().settings.currency, timezone=edge().settings.timezone)


def queried(model: type[F]) -> F:
    """The address's query, parsed; parameters the model doesn't know are passed over.

    Raises:
        Invalid
    """
    known = MultiDict([(name, text) for name, text in request.args.items(multi=True) if name in model.model_fields])
    return parse(model, known, currency=edge().settings.currency, timezone=edge().settings.timezone).value


def asked(model: type[F]) -> Submission[F]:
    """The address's query as a form that can be refused; an empty one is a form nobody has sent yet."""
    if not request.args:
        return blank(model)
    return parse(model, request.args, currency=edge().settings.currency, timezone=edge().settings.timezone)


def parse(model: type[F], sent: MultiDict[str, Any], *, currency: str, timezone: str) -> Submission[F]:
    """Parse fields into a model.

    `name` fills a field, every `name` an element of a list field, `name.key` an entry of a dict field and
    `name.key.part` a part of a dict field's model. Blank inputs count as not sent, so defaults apply.
    """
    entered = {name: sent.getlist(name) if _is_list(model, name) else sent.get(name) for name in sent}
    data, errors = _gather(model, sent)
    try:
        parsed = model.model_validate(data, context={"currency": currency, "timezone": timezone})
    except ValidationError as refused:
        for error in refused.errors():
            errors.setdefault(_name_of(model, error["loc"]), _sentence(error["type"], error.get("ctx", {})))
        return Submission(entered, errors, None)
    return Submission(entered, errors, None if errors else parsed)


def sentence_of(refusal: Refusal) -> str:
    """A refusal's sentence in the reader's language."""
    return str(gettext(refusal.sentence) % refusal.details)


def sentences_of(errors: Mapping[str, str]) -> dict[str, str]:
    """The sentences of an Invalid refusal in the reader's language."""
    return {name: str(gettext(sentence)) for name, sentence in errors.items()}


def _gather(model: type[Form], sent: MultiDict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    data: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in sent:
        if name in NOT_FIELDS and name not in model.model_fields:
            continue
        values = [value for value in sent.getlist(name) if not _is_blank(value)]
        if not all(_is_printable(value) for value in values):
            errors[name] = _sentence("plain_text", {})
        elif _is_list(model, name):
            data[name] = values
        elif len(values) > 1:
            errors[name] = _sentence("once", {})
        elif values or name.partition(".")[0] not in model.model_fields:
            _place(data, name, values[0] if values else "")
    return data, errors


def _place(data: dict[str, Any], name: str, value: Any) -> None:
    *path, last = name.split(".", 2)
    for step in path:
        inner = data.setdefault(step, {})
        if not isinstance(inner, dict):
            data[name] = value  # a plain field and its own parts at once: left over, hence refused as unknown
            return
        data = inner
    data[last] = value


def _is_list(model: type[Form], name: str) -> bool:
    field = model.model_fields.get(name)
    if field is None:
        return False
    kinds = {get_origin(kind) or kind for kind in (field.annotation, *get_args(field.annotation))}
    return not kinds.isdisjoint({list, tuple, frozenset, set})


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _is_printable(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return all(char in "\r\n\t" or unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn") for char in value)


def _name_of(model: type[Form], loc: tuple[int | str, ...]) -> str:
    steps = [str(step) for step in loc if step != "[key]"]
    if not steps or steps[0] not in model.model_fields:
        return ""
    return steps[0] if _is_list(model, steps[0]) else ".".join(steps)


def _sentence(kind: str, context: Mapping[str, Any]) -> str:
    return str(gettext(SENTENCES.get(kind, FALLBACK)) % context)
