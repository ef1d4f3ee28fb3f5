"""Sign-in by numbers: tokens, addresses of people, and when attempts become too many."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

SIGN_IN_LASTS = timedelta(days=14)
ATTEMPTS_COUNT_FOR = timedelta(minutes=15)
FAILURES_PER_EMAIL = 5
FAILURES_PER_ADDRESS = 20
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

EMAIL = re.compile(r"[^@\s,;:<>()\[\]\\\"]{1,64}@[^@\s,;:<>()\[\]\\\"]{1,180}\.[^@\s.,;:<>()\[\]\\\"]{2,63}")


def new_token() -> str:
    """A sign-in token nobody can guess (256 bits); only the browser keeps it."""
    return token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the database keeps of a token: its SHA-256 in hex."""
    return sha256(token.encode()).hexdigest()


def normal_email(text: str) -> str:
    """An e-mail address as it is stored and looked up: trimmed, in lower case."""
    return text.strip().lower()


def is_email(text: str) -> bool:
    """Whether a text has the form of an e-mail address."""
    return len(text) <= 254 and EMAIL.fullmatch(text) is not None


def minutes_to_wait(failures: Sequence[datetime], allowed: int, now: datetime) -> int:
    """Minutes until one more attempt is allowed, 0 when it is now; failures older than 15 minutes don't count."""
    recent = sorted(failed_at for failed_at in failures if failed_at > now - ATTEMPTS_COUNT_FOR)
    if len(recent) < allowed:
        return 0
    left = recent[-allowed] + ATTEMPTS_COUNT_FOR - now
    return max(1, -int(-left.total_seconds() // 60))
