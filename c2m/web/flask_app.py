"""The application class: one request is one unit of work."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Flask, Response, g, request

from c2m.web import access
from c2m.web.context import EXTENSION, Edge

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

View = TypeVar("View", bound=Callable[..., Any])


class EdgeApp(Flask):
    """A Flask application that checks access, opens the request's session and commits it."""

    def __init__(self, edge: Edge, **options: Any) -> None:
        super().__init__("c2m", **options)
        self.extensions[EXTENSION] = edge
        self.database = edge.database

    def dispatch_request(self) -> Response:
        """Run the view in its unit of work and commit it, so that a failing commit still meets the error handlers.

        An answer that refuses (status 400 and above) is rolled back like an exception.
        """
        if request.routing_exception is not None:
            self.raise_routing_exception(request)
        view = self.view_functions[request.endpoint or ""]
        access.check(view)
        if getattr(view, "c2m_reads", request.method in SAFE_METHODS):
            with self.database.reading() as g.db_session:
                return self.make_response(super().dispatch_request())
        with self.database.writing() as g.db_session:
            response = self.make_response(super().dispatch_request())
            if response.status_code < HTTPStatus.BAD_REQUEST:
                g.db_session.commit()
            return response


def writes(view: View) -> View:
    """Mark a view that changes rows although its method is GET."""
    view.c2m_reads = False  # type: ignore[attr-defined]
    return view


def reads(view: View) -> View:
    """Mark a view that changes nothing although a form is posted to it."""
    view.c2m_reads = True  # type: ignore[attr-defined]
    return view
