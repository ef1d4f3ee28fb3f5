"""Who may use a route: every view declares it, one place enforces it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask

from c2m.errors import Forbidden, Unauthenticated
from c2m.identity.models import Role
from c2m.web.viewer import viewer

View = TypeVar("View", bound=Callable[..., Any])

FILES = ("static", "assets.vendor")


class UndeclaredRoute(Exception):
    """A route that says nothing about who may use it; the application refuses to start with one."""


@dataclass(frozen=True)
class Access:
    """Everybody, everybody who is signed in (no roles named), or whoever holds one of the roles."""

    everybody: bool = False
    roles: frozenset[Role] = frozenset()


def public(view: View) -> View:
    """Open the view to everybody."""
    return _declare(view, Access(everybody=True))


def signed_in(view: View) -> View:
    """Open the view to everybody who is signed in."""
    return _declare(view, Access())


def allow(*roles: Role) -> Callable[[View], View]:
    """Open the view to whoever holds one of these roles.

    Raises:
        ValueError: no role named.
    """
    if not roles:
        raise ValueError("name at least one role, or use signed_in")
    return lambda view: _declare(view, Access(roles=frozenset(roles)))


def access_of(view: Callable[..., Any]) -> Access:
    """What a view declared.

    Raises:
        UndeclaredRoute
    """
    declared = getattr(view, "c2m_access", None)
    if not isinstance(declared, Access):
        raise UndeclaredRoute(f"{view.__module__}.{view.__qualname__} does not say who may use it")
    return declared


def check(view: Callable[..., Any]) -> None:
    """Let the present viewer pass, or refuse.

    Raises:
        Unauthenticated, Forbidden, UndeclaredRoute
    """
    declared = access_of(view)
    if declared.everybody:
        return
    who = viewer()
    if who is None:
        raise Unauthenticated()
    if declared.roles and not declared.roles & who.roles:
        raise Forbidden()


def require_declarations(app: Flask) -> None:
    """Open the site's files to everybody and see that every other route has said who may use it.

    Raises:
        UndeclaredRoute
    """
    for endpoint in FILES:
        public(app.view_functions[endpoint])
    for view in app.view_functions.values():
        access_of(view)


def _declare(view: View, access: Access) -> View:
    view.c2m_access = access  # type: ignore[attr-defined]
    return view
