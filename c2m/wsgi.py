"""The site for a WSGI server: `gunicorn c2m.wsgi:app`."""

from c2m.app import configure_logging, create_app
from c2m.config import Settings

settings = Settings()
configure_logging(settings.log_level)
app = create_app(settings)
