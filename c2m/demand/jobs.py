"""What demand does when money arrives and when deadlines pass."""

from datetime import timedelta

from c2m.demand.balances import END_BALANCE, REMIND, end_balance_windows, remind_balances
from c2m.demand.campaigns import CLOSE
from c2m.demand.closing import close_campaigns
from c2m.demand.conversions import MEASURE, measure_conversions
from c2m.demand.extension import LAPSE, lapse_consents
from c2m.demand.foretelling import (
    REFIT,
    SCORE,
    STATE_CHANCES,
    learn_success,
    record_learned,
    score_predictions,
    state_chances,
)
from c2m.demand.need_groups import REGROUP, grouped_anew, record_groups
from c2m.demand.outcomes import FOLLOW_OUTCOMES, follow_outcomes
from c2m.demand.pledges import record_balances, record_declines, record_payments
from c2m.demand.questions import TELL_ASKED, tell_asked
from c2m.demand.releases import end_releases
from c2m.demand.trends import STATE_BRIEFS, state_briefs
from c2m.demand.waiting import END_RELEASE
from c2m.jobs import Handler, OutsideWork, Schedule

SUBSCRIPTIONS: dict[str, list[str]] = {
    "demand.pledge.charged": ["demand.record_payments"],
    "demand.pledge.declined": ["demand.record_declines"],
    "demand.balance.charged": ["demand.record_balances"],
    "demand.campaigns_opened": [STATE_CHANCES],
    "demand.sheet_questions_asked": [TELL_ASKED],
    "demand.campaigns_closed": [FOLLOW_OUTCOMES, MEASURE, SCORE],
}
SCHEDULES: list[Schedule] = [
    Schedule(REGROUP, timedelta(hours=6)),
    Schedule(STATE_CHANCES, timedelta(days=1)),
    Schedule(REFIT, timedelta(days=7)),
    Schedule(STATE_BRIEFS, timedelta(days=7)),
]


def handlers() -> dict[str, Handler]:
    """Job kind → what is done."""
    return {
        CLOSE: close_campaigns,
        LAPSE: lapse_consents,
        END_BALANCE: end_balance_windows,
        REMIND: remind_balances,
        END_RELEASE: end_releases,
        FOLLOW_OUTCOMES: follow_outcomes,
        MEASURE: measure_conversions,
        STATE_CHANCES: state_chances,
        SCORE: score_predictions,
        REFIT: OutsideWork(learn_success, record_learned),
        REGROUP: OutsideWork(grouped_anew, record_groups),
        STATE_BRIEFS: state_briefs,
        TELL_ASKED: tell_asked,
        "demand.record_payments": record_payments,
        "demand.record_declines": record_declines,
        "demand.record_balances": record_balances,
    }
