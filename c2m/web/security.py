"""What keeps a browser safe: headers, cookies, CSRF, limits, and redirects that stay on the site."""

import hmac
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.middleware.proxy_fix import ProxyFix

from c2m.config import Settings

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
MAX_FORM_PARTS = 1000
MAX_FORM_BYTES = 1024 * 1024


class FormCookie(SecureCookieSessionInterface):
    """Flask's signed cookie with its signer made once: making it takes longer than signing."""

    def __init__(self) -> None:
        self.signers: dict[Flask, URLSafeTimedSerializer | None] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The signer of this application."""
        if app not in self.signers:
            self.signers[app] = super().get_signing_serializer(app)
        return self.signers[app]


class FormSeal:
    """Whether a form came from a page of this site, judged without a request at hand.

    The same two signatures that Flask and Flask-WTF make: of the form cookie and of the token beside it.
    """

    def __init__(self, app: Flask) -> None:
        self.cookies = FormCookie().get_signing_serializer(app)
        self.tokens = URLSafeTimedSerializer(app.config["SECRET_KEY"], salt="wtf-csrf-token")
        self.lasts = int(app.permanent_session_lifetime.total_seconds())

    def holds(self, cookie: str, token: str) -> bool:
        """Whether the token was made for the browser that holds this cookie."""
        if self.cookies is None:
            return False
        try:
            ours = self.cookies.loads(cookie, max_age=self.lasts)["csrf_token"]
            return hmac.compare_digest(ours, self.tokens.loads(token))
        except (BadData, KeyError, TypeError):
            return False


def init_security(app: Flask, settings: Settings) -> None:
    """Set the headers, cookie flags, CSRF protection and limits of every request."""
    secure = settings.sends_secure_cookies
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        SESSION_COOKIE_NAME="c2m_form",
        WTF_CSRF_TIME_LIMIT=None,
    )
    Talisman(
        app,
        force_https=False,
        frame_options="DENY",
        strict_transport_security=secure,
        content_security_policy=POLICY,
        content_security_policy_nonce_in=["script-src"],
        session_cookie_secure=secure,
        session_cookie_http_only=True,
        session_cookie_samesite="Lax",
    )
    app.session_interface = FormCookie()
    CSRFProtect(app)
    app.after_request(keep_private)
    if hops := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def keep_private(response: Response) -> Response:
    """Let no cache keep a page for somebody else, and no other site embed it."""
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def local_address(target: str | None, otherwise: str) -> str:
    """An address on this site, or `otherwise`: `//evil`, other hosts and other schemes are not followed."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return otherwise
    if not target.isprintable() or urlsplit(target).netloc or urlsplit(target).scheme:
        return otherwise
    return target


def next_address(otherwise: str) -> str:
    """Where the form or address says to go next, kept on this site."""
    return local_address(request.form.get("next") or request.args.get("next"), otherwise)
