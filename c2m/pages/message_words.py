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
from c2m.web.formats import in_language, moment, money, number, pieces, titled

CALLED_OFF = "called_off"


@dataclass(frozen=True)
class Words:
    """How a message is told: its symbol and tone, what happened, and a sentence that names the facts.

    `returning` is said instead of `sentence` where an amount comes back to the reader.
    """

    icon: str
    tone: str
    heading: LazyString
    sentence: LazyString
    returning: LazyString | None = None


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
        _("The presale succeeded. Pay %(amount)s by %(until)s, or your pieces go to others."),
    ),
    NoticeKind.BALANCE_REMINDER: Words(
        "clock",
        "warn",
        _("Balance still open"),
        _("%(amount)s is due by %(until)s. After that your pieces go to others."),
    ),
    NoticeKind.DEPOSIT_FORFEITED: Words(
        "x",
        "bad",
        _("Deposit forfeited"),
        _("The balance was not paid in time: the deposit of %(amount)s went to the merchant."),
    ),
    NoticeKind.DEPOSIT_RETURNED: Words(
        "undo",
        "",
        _("Deposit given back"),
        _("The balance was not paid in time. There was no sample yet, so the deposit of %(amount)s comes back."),
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
    NoticeKind.OFFER_MADE: Words(
        "inbox", "open", _("An order for you"), _("You are asked to make %(pieces)s. Answer by %(until)s.")
    ),
    NoticeKind.OFFER_TAKEN: Words(
        "factory", "good", _("A factory makes it"), _("A factory has taken %(pieces)s, to arrive by %(until)s.")
    ),
    NoticeKind.OFFER_RAN_OUT: Words(
        "clock", "", _("Offer ran out"), _("The time to answer for %(pieces)s is over; they go to others.")
    ),
    NoticeKind.COUNTER_WAITS: Words(
        "edit",
        "warn",
        _("A counter-offer to decide"),
        _("A factory would make %(pieces)s at %(price)s a piece. Decide by %(until)s."),
    ),
    NoticeKind.COUNTER_AGREED: Words(
        "check",
        "good",
        _("Your terms are agreed to"),
        _("You make %(pieces)s at %(price)s a piece. The work order is being planned."),
    ),
    NoticeKind.COUNTER_REFUSED: Words(
        "x",
        "warn",
        _("Your terms were not agreed to"),
        _("The order stands as it was offered; answer by %(until)s."),
    ),
    NoticeKind.CLAIM_VERIFIED: Words(
        "shield", "good", _("Verified"), _("%(claim)s has been checked and holds until %(until)s.")
    ),
    NoticeKind.CLAIM_REFUSED: Words("x", "bad", _("Not verified"), _("%(claim)s could not be verified: %(reason)s")),
    NoticeKind.CLAIM_RUNS_OUT: Words(
        "clock",
        "warn",
        _("Verification runs out"),
        _("%(claim)s holds until %(until)s. Send new papers in time."),
    ),
    NoticeKind.CLAIM_RAN_OUT: Words(
        "alert", "bad", _("Verification ran out"), _("%(claim)s no longer counts. Send in the new papers.")
    ),
    NoticeKind.CONCEPT_VALIDATED: Words(
        "check",
        "good",
        _("Validated"),
        _("About %(pieces)s are expected to be ordered; %(minimum)s are needed. It can become a campaign."),
    ),
    NoticeKind.CONCEPT_HOPELESS: Words(
        "alert",
        "warn",
        _("Better stopped"),
        _("About %(pieces)s are expected to be ordered; %(minimum)s are needed, which is hardly to be reached."),
    ),
    NoticeKind.CONCEPT_TO_DECIDE: Words(
        "clock",
        "warn",
        _("Validated: decide now"),
        _("Its time is over. Promote it by %(until)s, or it is stopped and all deposits go back."),
    ),
    NoticeKind.CONCEPT_PROMOTED: Words(
        "flag",
        "good",
        _("It can be joined now"),
        _("The concept you were interested in has become a campaign. See its price and its deadline, and join."),
        _(
            "The concept you were interested in has become a campaign. Your deposit of %(amount)s is on its way back; "
            "see the campaign's price and deadline, and join."
        ),
    ),
    NoticeKind.CONCEPT_STOPPED: Words(
        "x",
        "",
        _("It will not be made"),
        _("The concept you were interested in has ended without a campaign."),
        _(
            "The concept you were interested in has ended without a campaign. "
            "Your deposit of %(amount)s is on its way back."
        ),
    ),
    NoticeKind.CONCEPT_ANSWERED: Words(
        "ask",
        "good",
        _("Your question is answered"),
        _("The answer stands on the concept's page, for everybody to read."),
    ),
    NoticeKind.NEED_ANSWERED: Words(
        "check",
        "good",
        _("What you wanted is here"),
        _("A campaign has opened for what you and others wanted. Join by %(deadline)s."),
    ),
    NoticeKind.FIRST_ARTICLE_SENT: Words(
        "camera",
        "warn",
        _("A first article to judge"),
        _("The factory has photographed the first of %(pieces)s. It makes the rest once you have accepted it."),
    ),
    NoticeKind.FIRST_ARTICLE_ACCEPTED: Words(
        "check", "good", _("First article accepted"), _("The rest of the %(pieces)s can be made.")
    ),
    NoticeKind.FIRST_ARTICLE_REFUSED: Words(
        "x",
        "bad",
        _("First article refused"),
        _("Make another first piece and photograph it. What has to be different: %(reason)s"),
    ),
    NoticeKind.FIRST_PIECE_MADE: Words(
        "camera",
        "good",
        _("The first piece is made"),
        _("So far you have seen a picture only. Your order shows how it really came out."),
    ),
    NoticeKind.FIRST_ARTICLE_DIFFERS: Words(
        "clock",
        "warn",
        _("Accepted, but it differs"),
        _("Buyers may leave free of charge until %(until)s. The rest is made after that, for those who stay."),
    ),
    NoticeKind.FIRST_PIECE_DIFFERS: Words(
        "alert",
        "warn",
        _("It came out differently: do you stay?"),
        _("Until %(until)s you may leave and get everything back. What differs from the picture: %(reason)s"),
    ),
    NoticeKind.FREE_EXIT_OVER: Words(
        "check",
        "",
        _("The time to leave is over"),
        _("Buyers left with %(left)s. The other %(pieces)s can be made now."),
    ),
    NoticeKind.MAKERS_ASKED: Words(
        "inbox",
        "open",
        _("Who wants to make this?"),
        _("Buyers want %(pieces)s in all. Say what you would make it for."),
    ),
    NoticeKind.SHEET_ASKED: Words(
        "ask", "open", _("A factory asks"), _("A factory wants to know something about your demand sheet.")
    ),
    NoticeKind.SHEET_ANSWERED: Words(
        "ask", "good", _("A question was answered"), _("The answer stands on the demand sheet behind your offer.")
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
        subject=_subject(notice.facts),
        sentence=_sentence(words, notice.facts) % named(notice.facts),
        at=notice.told_at,
        read=notice.read_at is not None,
    )


def _sentence(words: Words, facts: Mapping[str, Any]) -> str:
    return str(words.returning if words.returning is not None and facts["amount_minor"] else words.sentence)


def _subject(facts: Mapping[str, Any]) -> str:
    """What the message is about: a product by its name, whatever letters are in it; other things in the language."""
    if facts["title_en"]:
        return titled(SimpleNamespace(title=facts["title"], title_en=facts["title_en"]))
    return in_language(facts["title"])


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
    for name in ("pieces", "left"):
        if name in facts:
            words[name] = pieces(int(facts[name]))
    for name in ("claim", "reason"):
        if name in facts:
            words[name] = in_language(facts[name])
    if "minimum" in facts:
        words["minimum"] = number(int(facts["minimum"]))
    return words
