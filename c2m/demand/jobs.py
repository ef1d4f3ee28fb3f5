"""What demand does when money arrives and when deadlines pass."""

from c2m.demand.campaigns import CLOSE
from c2m.demand.closing import END_BALANCE, close_campaigns, end_balance_windows
from c2m.demand.pledges import record_balances, record_declines, record_payments
from c2m.jobs import Handler, Schedule

SUBSCRIPTIONS: dict[str, list[str]] = {
    "demand.pledge.charged": ["demand.record_payments"],
    "demand.pledge.declined": ["demand.record_declines"],
    "demand.balance.charged": ["demand.record_balances"],
}
SCHEDULES: list[Schedule] = []


def handlers() -> dict[str, Handler]:
    """Job kind → what is done."""
    return {
        CLOSE: close_campaigns,
        END_BALANCE: end_balance_windows,
        "demand.record_payments": record_payments,
        "demand.record_declines": record_declines,
        "demand.record_balances": record_balances,
    }
