"""Long lists, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from flask import request
from sqlmodel import Session

from c2m.errors import NotFound

PER_PAGE = 24
LAST_PAGE = 100_000

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list: its rows, its number from 1, how many pages and rows there are."""

    rows: Sequence[T]
    page: int
    pages: int
    total: int


def page_number(parameter: str = "page") -> int:
    """The page the address asks for; 1 when it names none.

    Raises:
        NotFound: not a page number.
    """
    text = request.args.get(parameter) or "1"
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= LAST_PAGE):
        raise NotFound()
    return int(text)


def page_of(
    session: Session, statement: sa.Select[*tuple[Any, ...]], *, page: int, per_page: int = PER_PAGE
) -> Page[Any]:
    """One page of an ordered select; a select of one entity or column gives it plain, others give rows.

    Raises:
        NotFound: the page lies behind the last one.
    """
    count = sa.select(sa.func.count()).select_from(statement.order_by(None).subquery())
    total = int(session.execute(count).scalar_one())
    pages = max(1, -(-total // per_page))
    if page > pages:
        raise NotFound()
    found = session.execute(statement.limit(per_page).offset((page - 1) * per_page))
    single = len(statement.column_descriptions) == 1
    return Page(found.scalars().all() if single else found.all(), page, pages, total)


def page_of_list(rows: Sequence[T], *, page: int, per_page: int = PER_PAGE) -> Page[T]:
    """One page of rows that are all at hand.

    Raises:
        NotFound: the page lies behind the last one.
    """
    pages = max(1, -(-len(rows) // per_page))
    if page > pages:
        raise NotFound()
    return Page(rows[(page - 1) * per_page : page * per_page], page, pages, len(rows))
