"""The blueprint demand's pages register with."""

from flask import Blueprint
from flask_babel import gettext

from c2m.design.categories import CATEGORIES

blueprint = Blueprint("demand", "c2m.demand")


@blueprint.app_template_filter("category_name")
def category_name(code: str) -> str:
    """What a category is called in the reader's language."""
    return str(gettext(CATEGORIES[code].name)) if code in CATEGORIES else code
