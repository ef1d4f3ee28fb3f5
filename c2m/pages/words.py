"""What the ledger and the worker call their doings, in plain words."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from c2m.ledger.models import AccountKind
from c2m.pages.blueprint import blueprint

ACCOUNTS: dict[AccountKind, LazyString] = {
    AccountKind.OUTSIDE: _("Outside"),
    AccountKind.ESCROW: _("Escrow"),
    AccountKind.BUYER_PAYABLE: _("Owed to buyers"),
    AccountKind.FACTORY_PAYABLE: _("Owed to factories"),
    AccountKind.MERCHANDISER_PAYABLE: _("Owed to merchandisers"),
    AccountKind.PLATFORM_FEES: _("Platform fees"),
    AccountKind.COMPENSATION: _("Compensation"),
}

PURPOSES: dict[str, LazyString] = {
    "demand.pledge": _("Paid when joining"),
    "demand.balance": _("Balance"),
    "demand.tier_difference": _("Difference to the final tier"),
    "demand.cancelled": _("Order cancelled"),
    "demand.campaign_failed": _("Minimum missed"),
    "demand.campaign_cancelled": _("Campaign called off"),
    "demand.late_payment": _("Payment came too late"),
    "demand.late_balance": _("Balance came too late"),
    "demand.unserved": _("Pieces no factory could make"),
    "demand.left_free": _("Left free of charge: the first piece differed"),
    "demand.flexible_freed": _("Extra pieces nobody needed"),
    "demand.colour_dropped": _("Colour not made"),
    "demand.ceiling_missed": _("Price ceiling not reached"),
    "demand.extension_declined": _("Extension not agreed to"),
    "demand.carried_on": _("Carried on to the next round"),
    "demand.forfeit": _("Deposit forfeited"),
    "demand.balance_unpaid": _("Balance not paid: deposit given back"),
    "demand.commission": _("Team leader's commission"),
    "design.want": _("Deposit for a concept"),
    "design.want_refund": _("Concept's deposit given back"),
    "production.delivery": _("Delivery"),
    "production.all_left": _("Setting up for an order all buyers left"),
    "production.compensation": _("Compensation for the delay"),
    "production.fee": _("Platform fee"),
    "production.settlement": _("Settlement"),
}

MOVES: dict[str, LazyString] = {"charge": _("paid in"), "refund": _("paid back"), "payout": _("paid out")}

JOBS: dict[str, LazyString] = {
    "ledger.carry_out": _("Carry out payments"),
    "identity.forget_stale": _("Forget old sign-ins"),
    "design.end_concepts": _("End a concept's validation"),
    "design.look_at_concepts": _("See what the rule says of concepts"),
    "design.weigh_variants": _("Share exposure among pictures"),
    "design.tell_validated": _("Tell of validated concepts"),
    "design.tell_hopeless": _("Tell of concepts better stopped"),
    "design.tell_to_decide": _("Tell of concepts to be decided"),
    "design.tell_decided": _("Tell buyers what became of a concept"),
    "design.make_pictures": _("Make the pictures of a brief"),
    "design.describe_pictures": _("Describe pictures for image search"),
    "design.describe_missing": _("Look for pictures that image search doesn't know yet"),
    "design.record_deposits": _("Note deposits that arrived"),
    "design.record_declines": _("Note deposits that were declined"),
    "demand.close_campaigns": _("Close campaigns"),
    "demand.lapse_consents": _("End the wait for consent to extensions"),
    "demand.end_balance_windows": _("End balance windows"),
    "demand.remind_balances": _("Remind of balances"),
    "demand.end_releases": _("End the release of forfeited pieces"),
    "demand.follow_outcomes": _("Tell how campaigns ended"),
    "demand.state_chances": _("State what campaigns will come to"),
    "demand.score_predictions": _("Score what was stated of campaigns"),
    "demand.learn_success": _("Learn from campaigns that ended"),
    "demand.state_briefs": _("Write down what rises"),
    "demand.regroup_needs": _("Group what buyers want"),
    "demand.measure_conversions": _("Measure how interest became orders"),
    "demand.record_payments": _("Note payments that arrived"),
    "demand.record_declines": _("Note payments that were declined"),
    "demand.record_balances": _("Note balances that arrived"),
    "matching.match": _("Match demand sheets to factories"),
    "matching.recheck_claims": _("Check claims again"),
    "matching.weigh_counters": _("Weigh counter-offers"),
    "production.measure_punctuality": _("Count orders delivered in time"),
    "matching.state_windows": _("State when campaigns arrive"),
    "matching.tell_offered": _("Tell factories of offers"),
    "matching.tell_makers": _("Ask factories who would make what is wanted"),
    "demand.tell_asked": _("Tell merchants what factories ask"),
    "matching.tell_answered": _("Tell factories what was answered"),
    "matching.tell_taken": _("Tell merchants who makes their goods"),
    "matching.expire_offers": _("Let offers run out"),
    "production.create_work_orders": _("Plan work orders"),
    "production.tell_first_articles_sent": _("Tell houses of first articles"),
    "production.tell_first_articles_judged": _("Tell factories and buyers of judged first articles"),
    "production.end_exit_windows": _("End the time to leave free of charge"),
    "production.tell_exit_windows_ended": _("Tell how many left free of charge"),
    "production.settle_work_orders": _("Settle work orders"),
    "audit.run": _("Audit everything"),
}


@blueprint.app_template_filter("account_words")
def account_words(kind: AccountKind) -> str:
    """What kind of account this is."""
    return str(ACCOUNTS[kind])


@blueprint.app_template_filter("entry_words")
def entry_words(kind: str) -> str:
    """What an entry was posted for."""
    purpose, _dot, move = kind.rpartition(".")
    if move in MOVES:
        return f"{PURPOSES.get(purpose, purpose)} · {MOVES[move]}"
    return str(PURPOSES.get(kind, kind))


@blueprint.app_template_filter("job_words")
def job_words(kind: str) -> str:
    """What a kind of job does."""
    return str(JOBS.get(kind, kind))
