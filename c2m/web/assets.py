"""Static files with their content's hash in the address, and htmx served from the package that carries it."""

from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Flask, Response, request, send_from_directory, url_for

blueprint = Blueprint("assets", __name__, url_prefix="/vendor")

STATIC = Path(__file__).parents[1] / "static"
FOREVER = "public, max-age=31536000, immutable"


@cache
def vendor_folder() -> Path:
    """Where the installed wheel keeps htmx; found without importing the wheel's Django code."""
    spec = find_spec("js_lib_htmx")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package django-js-lib-htmx is not installed")
    folder = Path(spec.origin).parent / "static" / "htmx"
    if not (folder / "htmx.min.js").is_file():
        raise FileNotFoundError("htmx.min.js is missing from django-js-lib-htmx")
    return folder


@cache
def digest(path: Path, changed_ns: int) -> str:
    """The first twelve hex digits of a file's SHA-256; the time of change only makes the answer stale."""
    return sha256(path.read_bytes()).hexdigest()[:12]


def version(path: Path) -> str:
    """The present content hash of a file."""
    return digest(path, path.stat().st_mtime_ns)


def static_url(filename: str) -> str:
    """The address of a static file (`htmx.min.js` included), which changes whenever its content does."""
    if filename == "htmx.min.js":
        return url_for("assets.vendor", v=version(vendor_folder() / filename))
    return url_for("static", filename=filename, v=version(STATIC / filename))


@blueprint.get("/htmx.min.js")
def vendor() -> Response:
    """The htmx library."""
    return send_from_directory(vendor_folder(), "htmx.min.js", mimetype="text/javascript")


def keep_versioned(response: Response) -> Response:
    """Let browsers keep a file for a year when its address carries its content's hash."""
    if request.endpoint in ("static", "assets.vendor") and response.status_code in (200, 304) and "v" in request.args:
        response.headers["Cache-Control"] = FOREVER
    return response


def init_assets(app: Flask) -> None:
    """Serve our static files and htmx, and give templates `static_url`."""
    app.static_folder = str(STATIC)
    app.register_blueprint(blueprint)
    app.after_request(keep_versioned)
    app.jinja_env.globals["static_url"] = static_url
    vendor_folder()
