"""First pieces of what were concepts: shown by their factories, judged by their houses before the rest is made."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlmodel import Session, col, select

from c2m.demand.models import Pledge, PledgeState
from c2m.demo.calendar import Diary, local_hour
from c2m.demo.demand import within
from c2m.demo.market import Market
from c2m.demo.products import FirstPiece
from c2m.design.generation import Brief, SketchGenerator
from c2m.design.models import Picture
from c2m.design.pictures import store_drawing
from c2m.identity.models import User
from c2m.production.awaiting import awaiting_first_article
from c2m.production.exits import leave_free, open_window
from c2m.production.first_articles import campaign_of, judge_first_article, send_first_article
from c2m.production.models import FirstArticle, FirstArticleState, WorkOrder, WorkOrderState

REFUSED_EACH = 3  # each third first piece has to be made again
DIFFERING_EACH = 2  # of each two one differs from its picture, so that buyers may leave
DIFFERS = (
    "颜色比图片略深 A little darker than the picture",
    "图案间距放大一成 The pattern's repeat is a tenth wider",
    "按大货面料打样，手感更厚实 Made of the bulk material, which feels heavier",
)
VERDICTS = (
    "颜色要更接近图片，请重新打样 The colour has to be closer to the picture; please make another one",
    "图案没有对齐，请重做 The pattern is not aligned; please make another one",
)


@dataclass
class FirstPieces:
    """Factories and houses over the first pieces of all orders that wait for theirs."""

    market: Market
    _rng: Random = field(init=False)
    _to_send: Diary[UUID] = field(default_factory=Diary)
    _to_judge: Diary[UUID] = field(default_factory=Diary)
    _to_leave: Diary[UUID] = field(default_factory=Diary)
    _known: set[UUID] = field(default_factory=set)
    _made: int = 0
    _courses: dict[str, FirstPiece] = field(init=False)  # by the campaign's title

    def __post_init__(self) -> None:
        self._rng = self.market.chance("first pieces")
        become = [idea.becomes for idea in self.market.size.ideas if idea.becomes]
        self._courses = {product.title: product.first_piece for product in become}

    def act(self, session: Session, *, now: datetime) -> None:
        """Look for orders that wait, photograph what is ready, judge what was sent."""
        if not 9 <= local_hour(now) < 20:
            return
        for order_id in self._waiting(session):
            self._known.add(order_id)
            course = self._course(session, session.get_one(WorkOrder, order_id))
            if course is not FirstPiece.AWAITED:
                ready = now + within(self._rng, timedelta(hours=8), timedelta(hours=40))
                self._to_send.note(ready if course is FirstPiece.USUAL else self._lately(now), order_id)
        for order_id in self._to_send.due(now):
            order = session.get_one(WorkOrder, order_id)
            article = self._send(session, order, now)
            if (course := self._course(session, order)) is not FirstPiece.UNJUDGED:
                most = timedelta(hours=20 if course is FirstPiece.USUAL else 6)
                self._to_judge.note(now + within(self._rng, timedelta(hours=2), most), article.id)
        for article_id in self._to_judge.due(now):
            self._judge(session, session.get_one(FirstArticle, article_id), now)
        for campaign_id in self._to_leave.due(now):
            self._leave(session, campaign_id, now)

    def _lately(self, now: datetime) -> datetime:
        """When whoever opens the demo finds what becomes of a first piece still open."""
        return max(now + timedelta(hours=2), self.market.calendar.ends_at - timedelta(hours=34))

    def _course(self, session: Session, order: WorkOrder) -> FirstPiece:
        return self._courses[campaign_of(session, order).title]

    def _waiting(self, session: Session) -> list[UUID]:
        working = (WorkOrderState.PLANNED, WorkOrderState.IN_PRODUCTION)
        ids = session.exec(select(WorkOrder.id).where(col(WorkOrder.state).in_(working)).order_by(col(WorkOrder.id)))
        found = [order_id for order_id in ids if order_id not in self._known]
        return sorted(awaiting_first_article(session, found))

    def _send(self, session: Session, order: WorkOrder, now: datetime) -> FirstArticle:
        """A drawing stands for the photograph, and says so in its provenance; the market has no camera."""
        self._made += 1
        campaign = campaign_of(session, order)
        shown = session.get(Picture, campaign.picture_id) if campaign.picture_id else None
        looks = (shown.provenance.get("attributes") or shown.provenance.get("spec") or {}) if shown else {}
        attributes = {name: looks[name] for name in ("primary", "secondary", "pattern") if looks.get(name)}
        brief = Brief(campaign.category, campaign.title, attributes)
        [drawn] = SketchGenerator(size=256).generate(
            brief, count=1, seed=self.market.seed + self._made, progress=lambda _done, _count: None
        )
        picture = store_drawing(
            session, drawn.image, provenance=drawn.provenance, organisation_id=order.factory_id, now=now
        )
        differing = self._course(session, order) is FirstPiece.DIFFERS or self._made % DIFFERING_EACH == 1
        differs = DIFFERS[self._made % len(DIFFERS)] if differing else ""
        return send_first_article(session, order, picture, note=differs, now=now)

    def _judge(self, session: Session, article: FirstArticle, now: datetime) -> None:
        order = session.get_one(WorkOrder, article.work_order_id)
        house = campaign_of(session, order).organisation_id
        judge = session.exec(select(User.id).where(User.organisation_id == house).order_by(col(User.id))).first()
        if judge is None:
            raise LookupError(f"nobody works at {house}")
        usual = self._course(session, order) is FirstPiece.USUAL
        refuses = usual and article.attempt == 1 and self._made % REFUSED_EACH == 0
        words = VERDICTS[self._made % len(VERDICTS)] if refuses else ""
        judge_first_article(session, article, accepts=not refuses, words=words, judged_by=judge, now=now)
        if article.state is FirstArticleState.REFUSED:
            self._to_send.note(now + within(self._rng, timedelta(hours=10), timedelta(hours=40)), order.id)
        elif article.leave_until is not None:
            campaign_id = campaign_of(session, order).id
            self._to_leave.note(now + within(self._rng, timedelta(hours=2), timedelta(hours=20)), campaign_id)

    def _leave(self, session: Session, campaign_id: UUID, now: datetime) -> None:
        """Whoever came last does not like the first piece."""
        mine = (Pledge.campaign_id == campaign_id, Pledge.state == PledgeState.CONFIRMED)
        waiting = select(Pledge).where(*mine, col(Pledge.merchant_funded).is_(False))
        last = session.exec(waiting.order_by(col(Pledge.placed_at).desc(), col(Pledge.id).desc())).first()
        if last is not None and open_window(session, campaign_id, now=now):
            leave_free(session, last, now=now)
