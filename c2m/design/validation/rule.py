"""The rule a concept is decided by, stated before anybody has seen it."""

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    GO_ON = "go_on"
    VALIDATED = "validated"
    STOP = "stop"


@dataclass(frozen=True)
class Rule:
    """When a concept counts as validated, and when going on is pointless.

    A posterior that is looked at every day crosses any fixed bound more often than at one look. The bound of
    `validated_from` is therefore calibrated by simulation: over concepts whose expected orders just equal the minimum,
    the worst that must not pass, and over launches that fade, uneven days and heavy-tailed quantities, at most 5 % ever
    cross it (`bench/validation.py --calibrate`; the method of Shi & Yin 2019, Bayesian Analysis 14(2), and of the FDA's
    2010 guidance on Bayesian statistics). Stopping is advice: the error holds whether or not it is followed.
    """

    validated_from: float = 0.989
    stop_below: float = 0.02
    fewest_buyers: int = 10
    earliest_share: float = 0.4  # of the time, before which nothing is decided


STATED_RULE = Rule()


def decide(rule: Rule, *, chance: float, buyers: int, share_of_time: float) -> Decision:
    """What the rule says at one look."""
    if share_of_time < rule.earliest_share:
        return Decision.GO_ON
    if chance >= rule.validated_from and buyers >= rule.fewest_buyers:
        return Decision.VALIDATED
    return Decision.STOP if chance < rule.stop_below else Decision.GO_ON
