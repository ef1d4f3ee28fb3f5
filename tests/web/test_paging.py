"""Long lists, page by page."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlmodel import select

from c2m.db import Database
from c2m.errors import NotFound
from c2m.identity.models import User
from c2m.web.paging import page_number, page_of, page_of_list
from tests.conftest import PEOPLE, Person


def test_pages_cover_every_row_once(database: Database, people: dict[str, Person]) -> None:
    ordered = select(User).order_by(User.email)
    with database.reading() as session:
        pages = [page_of(session, ordered, page=number, per_page=3) for number in (1, 2, 3)]
    assert [(page.page, page.pages, page.total) for page in pages] == [(n, 3, len(PEOPLE)) for n in (1, 2, 3)]
    assert [user.email for page in pages for user in page.rows] == sorted(p.email for p in people.values())


def test_several_columns_come_as_rows(database: Database, people: dict[str, Person]) -> None:
    with database.reading() as session:
        page = page_of(session, sa.select(User.email, User.name).order_by(User.email), page=1)
    assert tuple(page.rows[0]) == ("buyer2@c2m.test", "Buyer2")


def test_an_empty_list_has_one_page_and_no_second(database: Database) -> None:
    with database.reading() as session:
        assert page_of(session, select(User).order_by(User.email), page=1).rows == []
        with pytest.raises(NotFound):
            page_of(session, select(User).order_by(User.email), page=2)


def test_a_list_at_hand_is_paged_alike() -> None:
    assert page_of_list("abcdefg", page=3, per_page=3).rows == "g"
    with pytest.raises(NotFound):
        page_of_list("abc", page=2, per_page=3)


@pytest.mark.parametrize(("query", "page"), [("", 1), ("page=", 1), ("page=7", 7)])
def test_the_address_names_the_page(app: Flask, query: str, page: int) -> None:
    with app.test_request_context(f"/?{query}"):
        assert page_number() == page


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "NaN", "true", "9999999", "１", "x", "1e3"])
def test_what_is_no_page_number_is_not_found(app: Flask, text: str) -> None:
    with app.test_request_context(query_string={"page": text}), pytest.raises(NotFound):
        page_number()
