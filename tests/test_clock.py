"""The hour at which a time ends that nobody chose."""

from datetime import UTC, datetime

import pytest

from c2m.clock import evening_after

TEN_IN_SHANGHAI = datetime(2026, 11, 22, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("earliest", "evening"),
    [
        (datetime(2026, 11, 22, 3, 40, tzinfo=UTC), TEN_IN_SHANGHAI),
        (TEN_IN_SHANGHAI, TEN_IN_SHANGHAI),
        (datetime(2026, 11, 22, 14, 0, 1, tzinfo=UTC), datetime(2026, 11, 23, 14, tzinfo=UTC)),
        (datetime(2026, 11, 22, 17, tzinfo=UTC), datetime(2026, 11, 23, 14, tzinfo=UTC)),  # one in the morning there
    ],
)
def test_a_time_that_nobody_chose_ends_in_the_evening(earliest: datetime, evening: datetime) -> None:
    assert evening_after(earliest, "Asia/Shanghai") == evening
