"""Which variant a visitor sees first, and noting that it was shown."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar, cast
from uuid import UUID
from zlib import crc32

import numpy as np
from flask import current_app, request
from sqlmodel import Session

from c2m.design import queries
from c2m.design.exposures import EXPOSURES, ExposureLog
from c2m.design.models import Place
from c2m.design.queries import Face
from c2m.design.validation.exposure import drawn_order
from c2m.identity.models import Role
from c2m.web.context import request_time
from c2m.web.viewer import viewer


class Weighed(Protocol):
    """A variant with its share of exposure; 0 everywhere until shares were first given."""

    @property
    def share_ppm(self) -> int: ...


Variant = TypeVar("Variant", bound=Weighed)


def arranged(concept_id: UUID, variants: Sequence[Variant]) -> list[Variant]:
    """The variants in an order drawn by their shares; the same visitor sees the same order all day."""
    parts = [variant.share_ppm for variant in variants]
    weights = parts if all(parts) else [1] * len(parts)
    rng = np.random.default_rng([concept_id.int, crc32(_who().encode()), request_time().toordinal()])
    return [variants[at] for at in drawn_order(weights, rng=rng)]


def shown_faces(session: Session, concept_ids: Sequence[UUID]) -> dict[UUID, Face]:
    """The picture each concept shows this visitor among others, noted as shown."""
    found = {i: arranged(i, faces)[0] for i, faces in queries.faces(session, concept_ids).items()}
    note_shown([face.variant_id for face in found.values()], Place.MARKET)
    return found


def note_shown(variant_ids: Iterable[UUID], place: Place) -> None:
    """Note that these were shown, when a visitor or a buyer really looks."""
    who = viewer()
    looks = request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", "")
    if looks and (who is None or who.has(Role.BUYER)):
        log = cast(ExposureLog, current_app.extensions[EXPOSURES])
        log.note(variant_ids, place, who=_who(), now=request_time())


def _who() -> str:
    """Tells visitors apart for a day, in memory only."""
    who = viewer()
    return str(who.organisation_id) if who else f"{request.remote_addr} {request.user_agent.string}"
