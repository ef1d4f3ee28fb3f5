"""The blueprint demand's pages register with."""

from flask import Blueprint

blueprint = Blueprint("demand", "c2m.demand")
