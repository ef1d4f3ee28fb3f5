"""The short way into a campaign: a join's form from a browser, accepted without the machinery of a whole page.

In a flash sale the requests that count are all alike, and two thirds of what Flask does for them is for nothing. The
short way only knows how to say yes. Whatever is unusual, wrong or refused goes the long way with nothing changed: there
the same key finds the same answer, and the page with its sentences is made.
"""

import re
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.http import parse_cookie

from c2m.demand.batcher import JOINS, JoinBatcher, Stranger
from c2m.demand.views.market import JoinForm
from c2m.errors import Refusal
from c2m.identity.rules import token_hash
from c2m.web.context import EXTENSION, Edge
from c2m.web.forms import parse
from c2m.web.security import FormSeal
from c2m.web.viewer import COOKIE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

JOIN = re.compile(r"/campaigns/([0-9a-f-]{36})/join")
FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 16 * 1024
MOST_FIELDS = 400


class ShortWay:
    """Stands before the site and answers joins that are accepted; everything else it passes on."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.long_way: WSGIApplication = app.wsgi_app
        self.seal: FormSeal | None = None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        asked = JOIN.fullmatch(environ.get("PATH_INFO", "")) if environ["REQUEST_METHOD"] == "POST" else None
        if asked is None or not _is_a_browsers_form(environ):
            return self.long_way(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(body)
        try:
            pledge_id = self._join(UUID(asked[1]), environ, body)
        except (Refusal, ValueError):
            pledge_id = None
        if pledge_id is None:
            return self.long_way(environ, start_response)
        order = self.app.url_map.bind("").build("pages.order", {"pledge_id": pledge_id})
        head = [
            ("Location", order),
            ("Content-Length", "0"),
            ("Cache-Control", "private, no-cache"),
            ("Vary", "Cookie"),
        ]
        start_response("303 See Other", head)
        return [b""]

    def _join(self, campaign_id: UUID, environ: "WSGIEnvironment", body: bytes) -> UUID | None:
        """The pledge, once it is committed; None when the form is not for the short way.

        Raises:
            Refusal, ValueError
        """
        sent = MultiDict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        cookies = parse_cookie(environ)
        if not self._seal().holds(cookies.get(self.app.config["SESSION_COOKIE_NAME"], ""), sent.get("csrf_token", "")):
            return None
        settings = cast(Edge, self.app.extensions[EXTENSION]).settings
        form = parse(JoinForm, sent, currency=settings.currency, timezone=settings.timezone)
        if not form.accepted or form.value.team or COOKIE not in cookies:
            return None
        joins = cast(JoinBatcher, self.app.extensions[JOINS])
        return joins.join(
            Stranger(
                token_hash(cookies[COOKIE]),
                lambda who: form.value.request(campaign_id, who.organisation_id, who.region),
            )
        )

    def _seal(self) -> FormSeal:
        if self.seal is None:
            self.seal = FormSeal(self.app)
        return self.seal


def _is_a_browsers_form(environ: "WSGIEnvironment") -> bool:
    """Whether this is a short form of a page of ours, sent by somebody who wants a page back.

    Over TLS the page it came from must be named, as Flask-WTF has it.
    """
    length, kind = environ.get("CONTENT_LENGTH", ""), environ.get("CONTENT_TYPE", "").partition(";")[0].strip()
    if kind != FORM or not (length.isdigit() and int(length) <= LONGEST_FORM):
        return False
    if environ["wsgi.url_scheme"] == "https":
        origin = f"https://{environ.get('HTTP_HOST', '')}/"
        if not environ.get("HTTP_REFERER", "").startswith(origin):
            return False
    return "json" not in environ.get("HTTP_ACCEPT", "")
