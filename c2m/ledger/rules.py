"""Double entry as arithmetic: what a well-formed entry is."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from uuid import NAMESPACE_URL, UUID, uuid5

_ACCOUNTS = uuid5(NAMESPACE_URL, "urn:c2m:account")
PLATFORM = UUID(int=0)


@dataclass(frozen=True)
class AccountRef:
    """Names an account; the owner of a platform account is `PLATFORM`."""

    kind: str
    owner_id: UUID
    currency: str

    @property
    def id(self) -> UUID:
        return _account_id(self.kind, self.owner_id, self.currency)


@lru_cache(maxsize=100_000)
def _account_id(kind: str, owner_id: UUID, currency: str) -> UUID:
    return uuid5(_ACCOUNTS, f"{kind}:{owner_id}:{currency}")


@dataclass(frozen=True)
class KnownAccount:
    """An account that exists, named by its id."""

    id: UUID
    currency: str


Account = AccountRef | KnownAccount


@dataclass(frozen=True)
class Leg:
    """One side of a movement: a positive amount in minor units, debited or credited."""

    account: Account
    side: str
    amount_minor: int


@dataclass(frozen=True)
class Draft:
    """An entry to be posted under a reference that names the operation."""

    reference: str
    kind: str
    legs: tuple[Leg, ...]


class UnbalancedEntry(ValueError):
    """An entry's debits and credits differ, or a leg isn't a positive integer."""


@dataclass(frozen=True)
class Held:
    """What a hold still stands for, as read in this unit of work."""

    id: UUID
    subject_id: UUID
    escrow_account_id: UUID
    payer_id: UUID
    currency: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    forfeited_minor: int
    state: str

    @property
    def remaining_minor(self) -> int:
        return self.amount_minor - self.captured_minor - self.refunded_minor - self.forfeited_minor

    @property
    def escrow(self) -> KnownAccount:
        return KnownAccount(self.escrow_account_id, self.currency)


def move(amount_minor: int, source: Account, target: Account) -> tuple[Leg, Leg]:
    """Money leaves `source` (debit) and reaches `target` (credit)."""
    return Leg(source, "debit", amount_minor), Leg(target, "credit", amount_minor)


def check_balanced(draft: Draft) -> None:
    """Refuse an entry whose legs are not positive or do not sum to zero per currency.

    Raises:
        UnbalancedEntry
    """
    sums: dict[str, int] = defaultdict(int)
    for leg in draft.legs:
        if isinstance(leg.amount_minor, bool) or not isinstance(leg.amount_minor, int) or leg.amount_minor <= 0:
            raise UnbalancedEntry(f"{draft.reference}: amount {leg.amount_minor!r} is not a positive integer")
        sums[leg.account.currency] += leg.amount_minor if leg.side == "debit" else -leg.amount_minor
    if not draft.legs or any(sums.values()):
        raise UnbalancedEntry(f"{draft.reference}: legs sum to {dict(sums)}")
