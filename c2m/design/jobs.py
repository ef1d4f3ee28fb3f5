"""What design does when deposits arrive, when a concept's time is over, and every day while it is shown."""

from datetime import timedelta

from c2m.design.alike import CATCH_UP, DESCRIBE
from c2m.design.concepts import END, TELL_DECIDED, TELL_TO_DECIDE, end_concepts
from c2m.design.looks import HOPELESS, LOOK, VALIDATED, WEIGH, look_at_concepts, weigh_variants
from c2m.design.pictures import PUBLISHED
from c2m.design.telling import (
    TELL_HOPELESS,
    TELL_VALIDATED,
    tell_decided,
    tell_hopeless,
    tell_to_decide,
    tell_validated,
)
from c2m.design.wants import record_declines, record_deposits
from c2m.jobs import Handler, Schedule

SUBSCRIPTIONS: dict[str, list[str]] = {
    "design.want.charged": ["design.record_deposits"],
    "design.want.declined": ["design.record_declines"],
    VALIDATED: [TELL_VALIDATED],
    HOPELESS: [TELL_HOPELESS],
    PUBLISHED: [DESCRIBE],
}
SCHEDULES: list[Schedule] = [
    Schedule(LOOK, timedelta(days=1)),
    Schedule(WEIGH, timedelta(hours=1)),
    Schedule(CATCH_UP, timedelta(hours=1)),
]


def handlers() -> dict[str, Handler]:
    """Job kind → what is done."""
    return {
        END: end_concepts,
        LOOK: look_at_concepts,
        WEIGH: weigh_variants,
        TELL_VALIDATED: tell_validated,
        TELL_HOPELESS: tell_hopeless,
        TELL_TO_DECIDE: tell_to_decide,
        TELL_DECIDED: tell_decided,
        "design.record_deposits": record_deposits,
        "design.record_declines": record_declines,
    }
