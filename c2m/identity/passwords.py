"""Passwords, kept as argon2id hashes (RFC 9106)."""

from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError


class Passwords:
    """Hashes and verifies passwords at a cost of `passes` over `memory_kib` KiB."""

    def __init__(self, passes: int = 3, memory_kib: int = 65_536) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)

    def hash(self, password: str) -> str:
        """A salted hash in argon2's own notation."""
        return self._hasher.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one hashed; without a hash the same time passes and it is not."""
        try:
            return self._hasher.verify(password_hash or self._nobody, password) and password_hash is not None
        except (VerifyMismatchError, InvalidHashError):
            return False

    def outdated(self, password_hash: str) -> bool:
        """Whether a hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("nobody has this password")
