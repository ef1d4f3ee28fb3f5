"""What design does when deposits arrive and when a concept's time is over."""

from c2m.design.concepts import END, end_concepts
from c2m.design.wants import record_declines, record_deposits
from c2m.jobs import Handler, Schedule

SUBSCRIPTIONS: dict[str, list[str]] = {
    "design.want.charged": ["design.record_deposits"],
    "design.want.declined": ["design.record_declines"],
}
SCHEDULES: list[Schedule] = []


def handlers() -> dict[str, Handler]:
    """Job kind → what is done."""
    return {
        END: end_concepts,
        "design.record_deposits": record_deposits,
        "design.record_declines": record_declines,
    }
