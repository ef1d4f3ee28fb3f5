"""The market of demand's tests, on both databases."""

import pytest

from c2m.db import Database
from tests.demand.market import Market


@pytest.fixture
def market(database: Database) -> Market:
    return Market(database)
