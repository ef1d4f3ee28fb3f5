"""What happened to an order, in a sentence each."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from c2m.demand.models import Campaign, ChangeKind, Consent, Pledge, PledgeChange, Variant
from c2m.web.formats import in_language, moment, money, pieces


def sentence(change: PledgeChange, pledge: Pledge, campaign: Campaign, variants: Mapping[UUID, Variant]) -> str:
    """A change as its buyer is told it, with its pieces and its amount."""
    if change.kind is ChangeKind.EXTENDED:
        return _of_extension(pledge, campaign)
    facts: dict[str, Any] = {
        "pieces": pieces(change.pieces),
        "amount": money(change.amount_minor, campaign.currency),
        "chosen": _named(variants.get(change.from_variant_id)) if change.from_variant_id else "",
        "made": _named(variants.get(change.to_variant_id)) if change.to_variant_id else "",
        "ceiling": money(pledge.ceiling_minor or 0, campaign.currency),
        "price": money(campaign.final_price_minor or pledge.unit_price_minor, campaign.currency),
    }
    return _words(change.kind) % facts


def _words(kind: ChangeKind) -> str:
    words = {
        ChangeKind.FLEXIBLE_TAKEN: _(
            "Of your extra pieces (%(chosen)s), %(pieces)s completed the tier or the last pack and are yours."
        ),
        ChangeKind.FLEXIBLE_FREED: _(
            "Of your extra pieces (%(chosen)s), nobody needed %(pieces)s: %(amount)s came back to you."
        ),
        ChangeKind.COLOUR_CHANGED: _(
            "%(chosen)s was ordered too seldom to be made: your %(pieces)s are made as %(made)s, as you agreed."
        ),
        ChangeKind.COLOUR_DROPPED: _(
            "%(chosen)s was ordered too seldom to be made: %(amount)s for %(pieces)s came back to you."
        ),
        ChangeKind.CEILING_MISSED: _(
            "The group ended at %(price)s, above your ceiling of %(ceiling)s: you were out, and %(amount)s came back."
        ),
        ChangeKind.DEARER_ACCEPTED: _(
            "Your ceiling of %(ceiling)s was not reached; as you agreed, you stay at the price reached, %(price)s."
        ),
        ChangeKind.CARRIED_ON: _(
            "The campaign fell short. As you agreed, your %(pieces)s and %(amount)s go on in the next round."
        ),
        ChangeKind.LEFT_FREE: _(
            "The first piece differed from the picture and you left with %(pieces)s: %(amount)s came back to you."
        ),
        ChangeKind.MOVED_UP: _("You moved up from the waiting list with %(pieces)s."),
    }
    return str(words[kind])


def _of_extension(pledge: Pledge, campaign: Campaign) -> str:
    facts = {"deadline": moment(campaign.deadline), "amount": money(pledge.charged_minor, campaign.currency)}
    words = {
        None: _("The campaign was extended until %(deadline)s."),
        Consent.ASKED: _("The campaign was extended until %(deadline)s, and you were asked to agree again."),
        Consent.GIVEN: _("The campaign was extended until %(deadline)s, and you agreed."),
        Consent.REFUSED: _("The campaign was extended. You did not agree, and %(amount)s came back to you."),
        Consent.LAPSED: _("The campaign was extended. You did not answer in time, and %(amount)s came back to you."),
    }
    return str(words[pledge.consent]) % facts


def _named(variant: Variant | None) -> str:
    if variant is None:
        return ""
    return " · ".join(in_language(word) for word in (variant.colour, variant.size) if word)
