"""How a technical drawing and its points of measure are shown."""

from collections.abc import Sequence

from flask_babel import get_locale
from markupsafe import Markup

from c2m.demand.tech_packs import measures
from c2m.demand.views.blueprint import blueprint
from c2m.design.drawings.flats import Measurement, TechFlat, drawing, svg


@blueprint.app_template_filter("measure_name")
def measure_name(measurement: Measurement) -> str:
    """What is measured, in the reader's language."""
    locale = get_locale()
    return measurement.en if locale is not None and locale.language == "en" else measurement.zh


@blueprint.app_template_filter("in_millimetres")
def in_millimetres(measurement: Measurement, sizes: Sequence[str]) -> str:
    """What it measures in each size, and what may be off: S 475 · M 500 (±8)."""
    told = " · ".join(f"{size} {value}".strip() for size, value in measures(measurement, sizes).items())
    return f"{told} (±{measurement.tolerance_mm})"


@blueprint.app_template_filter("flat_drawing")
def flat_drawing(flat: TechFlat) -> Markup:
    """The drawing as lines that stand in the page; made of numbers and our own words alone."""
    return Markup(svg(drawing(flat)))  # noqa: S704
