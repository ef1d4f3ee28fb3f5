"""What rises among wants, searches, saves and sales, as briefs for the studio; and what became of earlier ones."""

from flask import render_template

from c2m.demand import trends as demand_trends
from c2m.demand.clustering.describing import GENERAL
from c2m.demand.clustering.lexicon import CATEGORY_OF
from c2m.identity.models import Role
from c2m.pages.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, request_time


@blueprint.app_template_global("trends_record")
def trends_record() -> tuple[int, int]:
    """How many earlier briefs held, of how many that are over."""
    return demand_trends.record_of(db_session(), now=request_time())


@blueprint.get("/studio/trends")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def trends() -> str:
    """Rising words with their evidence, each ready for the studio."""
    session, now = db_session(), request_time()
    return render_template(
        "pages/trends.html",
        rising=demand_trends.rising_now(session, now=now),
        earlier=demand_trends.earlier_briefs(session, now=now),
        growth_of=demand_trends.growth_of,
        category_of=lambda word: CATEGORY_OF.get(word, GENERAL),
        days=demand_trends.DAYS,
        days_before=demand_trends.DAYS_BEFORE,
    )
