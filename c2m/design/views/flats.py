"""A concept's technical flat: its product as lines to scale, with the measurements a maker works by."""

from collections.abc import Mapping
from uuid import UUID

from flask import Response, render_template
from sqlmodel import Session

from c2m.design import concepts, pictures
from c2m.design.drawings.category import ShapeValue
from c2m.design.drawings.flats import FLATS, TechFlat, drawing, full_sheet, png, svg, tech_flat
from c2m.design.models import Concept
from c2m.design.views.blueprint import blueprint
from c2m.design.views.drafts import own_concept
from c2m.errors import N_, Invalid, NotFound
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session
from c2m.web.forms import Form, queried

PNG_WIDTH = 2280  # pixels: as wide as a landscape A4 at 195 dots an inch


class NoFlat(NotFound):
    sentence = N_("There is no flat for this category.")


class FlatForm(Form):
    size: str = ""


@blueprint.get("/studio/concepts/<uuid:concept_id>/flat")
@allow(Role.MERCHANDISER)
def flat(concept_id: UUID) -> str:
    """The drawing with its measurements, in a size that can be chosen."""
    found, shown = _shown(concept_id)
    sketched = bool(shape_of(db_session(), found))
    return render_template("design/flat.html", concept=found, flat=shown, sketched=sketched)


@blueprint.get("/studio/concepts/<uuid:concept_id>/flat-drawing.svg")
@allow(Role.MERCHANDISER)
def flat_drawing(concept_id: UUID) -> Response:
    """The drawing alone, as the page shows it."""
    return Response(svg(drawing(_shown(concept_id)[1])), mimetype="image/svg+xml")


@blueprint.get("/studio/concepts/<uuid:concept_id>/flat.svg")
@allow(Role.MERCHANDISER)
def flat_svg(concept_id: UUID) -> Response:
    """The whole sheet in Chinese and English, to take away and to print at any size."""
    found, shown = _shown(concept_id)
    return _file(svg(full_sheet(shown, _title(found))).encode(), "image/svg+xml", shown, "svg")


@blueprint.get("/studio/concepts/<uuid:concept_id>/flat.png")
@allow(Role.MERCHANDISER)
def flat_png(concept_id: UUID) -> Response:
    """The whole sheet as a picture."""
    found, shown = _shown(concept_id)
    return _file(png(full_sheet(shown, _title(found)), width=PNG_WIDTH), "image/png", shown, "png")


def shape_of(session: Session, concept: Concept) -> Mapping[str, ShapeValue]:
    """The shape its first sketch was drawn in; the category's usual one where no picture says."""
    variants = concepts.variants(session, concept.id)
    shown = pictures.pictures(session, [variant.picture_id for variant in variants])
    for variant in variants:
        spec = shown[variant.picture_id].provenance.get("spec") or {}
        if spec.get("category") == concept.category and spec.get("shape"):
            return dict(spec["shape"])
    return {}


def _shown(concept_id: UUID) -> tuple[Concept, TechFlat]:
    session, size = db_session(), queried(FlatForm).size
    found = own_concept(session, concept_id)
    if found.category not in FLATS:
        raise NoFlat(category=found.category)
    if size and size not in FLATS[found.category].sizes:
        raise Invalid(errors={"size": N_("Please choose one of the options.")})
    return found, tech_flat(found.category, shape_of(session, found), size=size)


def _title(found: Concept) -> str:
    return f"{found.title}  {found.title_en}".strip()


def _file(content: bytes, mimetype: str, shown: TechFlat, ending: str) -> Response:
    response = Response(content, mimetype=mimetype)
    size = f"-{shown.size.split()[0]}" if shown.sizes else ""
    name = f"flat-{shown.category}{size}".replace("″", "in").replace("×", "x")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.{ending}")
    response.cache_control.private = True
    return response
