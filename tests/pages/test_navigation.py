"""Each role's first page and the ways from it."""

from collections.abc import Callable

import pytest
from flask import Flask, url_for

from c2m.identity.models import Role
from c2m.pages.navigation import PLACES
from c2m.web.access import access_of
from tests.conftest import PEOPLE, Visitor

HOMES = {
    None: "/market",
    "buyer": "/market",
    "factory": "/factory/inbox",
    "merchandiser": "/studio/campaigns",
    "operator": "/operator",
}


@pytest.mark.parametrize(("name", "address"), HOMES.items())
def test_home_is_where_ones_work_begins(client: Callable[..., Visitor], name: str | None, address: str) -> None:
    visitor = client(name)
    answer = visitor.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, address)
    assert visitor.get(address).status_code == 200


@pytest.mark.parametrize("role", PLACES)
def test_the_navigation_leads_only_where_its_role_may_go(app: Flask, role: Role | None) -> None:
    for place in PLACES[role]:
        access = access_of(app.view_functions[place.endpoint])
        assert access.everybody or (role is not None and (not access.roles or role in access.roles)), place


@pytest.mark.parametrize("name", HOMES)
def test_every_entry_of_the_navigation_opens_and_marks_itself(
    app: Flask, client: Callable[..., Visitor], name: str | None
) -> None:
    visitor = client(name)
    with app.test_request_context():
        addresses = [url_for(place.endpoint) for place in PLACES[PEOPLE[name] if name else None]]
    for address in addresses:
        page = visitor.get(address)
        assert page.status_code == 200, address
        assert f'<a href="{address}" aria-current="page">' in page.get_data(as_text=True), address


@pytest.mark.parametrize(
    ("name", "asked", "entry"),
    [
        ("operator", "/operator/vetting/claims", "/operator/vetting"),  # an address below an entry's
        ("operator", "/operator/predictions", "/operator/matching"),
        ("factory", "POST /factory/capacity", "/factory/capacity"),  # a form that comes back
        ("factory", "POST /factory/capacity/file", "/factory/capacity"),
    ],
)
def test_a_page_without_an_entry_marks_the_one_it_belongs_to(
    client: Callable[..., Visitor], name: str, asked: str, entry: str
) -> None:
    visitor = client(name)
    *form, address = asked.split()
    page = (visitor.post(address, data={}) if form else visitor.get(address)).get_data(as_text=True)
    [rail] = [part.partition("</nav>")[0] for part in page.split('<nav class="rail"')[1:]]
    assert rail.count('aria-current="page"') == 1
    assert f'<a href="{entry}" aria-current="page">' in rail
