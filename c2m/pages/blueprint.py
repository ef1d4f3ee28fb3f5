"""The blueprint the joined pages register with."""

from flask import Blueprint

blueprint = Blueprint("pages", "c2m.pages")
