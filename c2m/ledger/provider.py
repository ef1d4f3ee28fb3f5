"""The door to payment providers, and the sandbox behind it for demo and tests."""

from dataclasses import dataclass, field
from typing import Protocol

from c2m.jobs import Unanswered


@dataclass(frozen=True)
class Instruction:
    """Move an amount between an organisation's outside money and the platform; the reference is idempotent."""

    direction: str
    reference: str
    organisation: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Answer:
    """The provider's last word on an instruction."""

    accepted: bool
    provider_reference: str | None = None
    reason: str | None = None


class ProviderUnavailable(Unanswered):
    """No answer this time; the same instruction is sent again later."""


class PaymentProvider(Protocol):
    """What a provider must do; the same reference must never move money twice."""

    name: str

    def carry_out(self, instruction: Instruction) -> Answer:
        """Carry an instruction out, or repeat its first answer.

        Raises:
            ProviderUnavailable: nothing is known; ask again.
        """
        ...


@dataclass
class SandboxProvider:
    """Moves no money: accepts everything, unless told to decline or to be away."""

    name: str = "sandbox"
    declined_organisations: set[str] = field(default_factory=set)
    declined_references: set[str] = field(default_factory=set)
    failures_left: int = 0

    def carry_out(self, instruction: Instruction) -> Answer:
        if self.failures_left > 0:
            self.failures_left -= 1
            raise ProviderUnavailable("sandbox told to be unavailable")
        declined = (
            instruction.organisation in self.declined_organisations or instruction.reference in self.declined_references
        )
        if instruction.direction == "charge" and declined:
            return Answer(accepted=False, reason="declined by the sandbox")
        return Answer(accepted=True, provider_reference=f"sandbox-{instruction.reference}")
