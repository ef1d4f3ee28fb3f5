"""The words of each kind of message, and its facts as they are named."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from c2m.notices.models import Notice, NoticeKind
from c2m.web.formats import moment, money, number, pieces, titled

CALLED_OFF = "called_off"


@dataclass(frozen=True)
class Words:
    """How a message is told: its symbol and tone, what happened, and a sentence that names the facts."""

    icon: str
    tone: str
    heading: LazyString
    sentence: LazyString


WORDS: dict[NoticeKind, Words] = {
    NoticeKind.CAMPAIGN_SUCCEEDED: Words(
        "check", "good", _("Succeeded"), _("It closed with %(pieces)s, everyone at %(price)s a piece.")
    ),
    NoticeKind.CAMPAIGN_FAILED: Words(
        "x",
        "bad",
        _("Fell short"),
        _("It closed with %(pieces)s; %(minimum)s were needed. Everyone gets everything back."),
    ),
    NoticeKind.CAMPAIGN_EXTENDED: Words(
        "clock",
        "warn",
        _("Extended: do you stay?"),
        _("It now runs until %(deadline)s. Say by %(until)s whether you stay; without an answer you are refunded."),
    ),
    NoticeKind.CONSENT_LAPSED: Words(
        "undo",
        "",
        _("No answer to the extension"),
        _("You did not say that you stay, so %(amount)s comes back to you."),
    ),
    NoticeKind.NEXT_ROUND: Words(
        "refresh", "open", _("Next round"), _("It begins anew, and your order has come along with its money.")
    ),
    NoticeKind.COLOUR_CHANGED: Words(
        "drop",
        "warn",
        _("A colour is not made"),
        _("Too few pieces of a colour were ordered. Your order says what became of yours."),
    ),
    NoticeKind.BALANCE_DUE: Words(
        "wallet",
        "warn",
        _("Balance due"),
        _("The presale succeeded. Pay %(amount)s by %(until)s, or the deposit is forfeited."),
    ),
    NoticeKind.BALANCE_REMINDER: Words(
        "clock",
        "warn",
        _("Balance still open"),
        _("%(amount)s is due by %(until)s. After that the deposit is forfeited and the pieces go to others."),
    ),
    NoticeKind.DEPOSIT_FORFEITED: Words(
        "x",
        "bad",
        _("Deposit forfeited"),
        _("The balance was not paid in time: the deposit of %(amount)s went to the merchant."),
    ),
    NoticeKind.WAITING_FILLED: Words(
        "up",
        "good",
        _("You have moved up"),
        _("%(pieces)s became free and are yours; %(amount)s is being charged."),
    ),
    NoticeKind.WAITING_LAPSED: Words(
        "clock",
        "",
        _("Waiting list closed"),
        _("The campaign is over; the %(pieces)s you waited for did not become free. Nothing was charged for them."),
    ),
    NoticeKind.TEAM_JOINED: Words(
        "users", "good", _("Your team grows"), _("Somebody joined your team “%(team)s” with %(pieces)s.")
    ),
    NoticeKind.COMMISSION_EARNED: Words(
        "wallet",
        "good",
        _("Commission earned"),
        _("A member of your team has received the goods: %(amount)s is yours."),
    ),
    NoticeKind.SAMPLE_CREDIT: Words(
        "wallet",
        "good",
        _("Your sample counts"),
        _("It can now be ordered, and up to %(amount)s of what your sample cost is taken off."),
    ),
    NoticeKind.EVALUATION_ASKED: Words(
        "edit",
        "open",
        _("How is the sample?"),
        _("You have held it in your hands. Tell those who are still deciding what you think of it."),
    ),
}
OFF = Words("x", "bad", _("Called off"), _("The merchant called it off. Everyone gets everything back."))


@dataclass(frozen=True)
class Told:
    """One message as the page shows it."""

    id: UUID
    icon: str
    tone: str
    heading: str
    subject: str
    sentence: str
    at: datetime
    read: bool


def told(notice: Notice) -> Told:
    """A message in the reader's language."""
    words = OFF if notice.facts.get("how") == CALLED_OFF else WORDS[notice.kind]
    return Told(
        id=notice.id,
        icon=words.icon,
        tone=words.tone,
        heading=str(words.heading),
        subject=titled(SimpleNamespace(title=notice.facts["title"], title_en=notice.facts["title_en"])),
        sentence=str(words.sentence) % named(notice.facts),
        at=notice.told_at,
        read=notice.read_at is not None,
    )


def named(facts: Mapping[str, Any]) -> dict[str, str]:
    """A message's facts as its sentence names them."""
    currency = str(facts.get("currency", ""))
    words = {"team": str(facts.get("team", ""))}
    for name, text in (("amount_minor", "amount"), ("price_minor", "price")):
        if name in facts:
            words[text] = money(int(facts[name]), currency)
    for name in ("until", "deadline"):
        if name in facts:
            words[name] = moment(datetime.fromisoformat(facts[name]))
    if "pieces" in facts:
        words["pieces"] = pieces(int(facts["pieces"]))
    if "minimum" in facts:
        words["minimum"] = number(int(facts["minimum"]))
    return words
