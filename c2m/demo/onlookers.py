"""Onlookers: they see concepts among others, open some, keep an eye on a few and ask; what they see is counted."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

import numpy as np
from sqlmodel import Session

from c2m.demo import demand
from c2m.demo.calendar import Diary
from c2m.demo.market import Market
from c2m.demo.merchandisers import Merchandisers, Shown
from c2m.demo.town import Town
from c2m.design import concepts, signals
from c2m.design.exposures import add_exposures
from c2m.design.models import Place
from c2m.design.signals import Asked

SEEN_BY = 30  # people who see a concept in the marketplace, for each who would want it
OPENED = 0.22  # of those who see it
SAVED = 0.09  # of those who open it
ASKED = 0.012
ANSWERS_WITHIN = timedelta(hours=20)
QUESTIONS = (
    ("什么材质？可以机洗吗？", "按简介中的材质打样，可机洗，打样后会附洗护说明。"),
    ("尺寸能再大一点吗？", "首样按简介尺寸制作，反馈多的话会加做大号。"),
    ("最早什么时候能发货？", "达到起订量后约四周，活动页会给出确切日期。"),
    ("可以印店铺的标志吗？", "满 200 件可以，转为活动后在备注里写明即可。"),
)


@dataclass
class Onlookers:
    """All who look without necessarily wanting."""

    market: Market
    town: Town
    merchandisers: Merchandisers
    _rng: Random = field(init=False)
    _counts: np.random.Generator = field(init=False)
    _answers: Diary[tuple[UUID, UUID, str]] = field(default_factory=Diary)  # concept, question, words
    _asked: int = 0

    def __post_init__(self) -> None:
        self._rng = self.market.chance("onlookers")
        self._counts = self.market.counts("onlookers")

    def act(self, session: Session, *, now: datetime) -> None:
        """What is seen, kept and asked in this hour, and answered from earlier ones."""
        for concept_id, question_id, words in self._answers.due(now):
            question = signals.question_about(session, question_id, concept_id=concept_id)
            signals.answer(session, question, words, now=now)
        for shown in list(self.merchandisers.shown.values()):
            seen = shown.idea.wanted * SEEN_BY * demand.share_of_hour(shown.published_at, shown.ends_at, now)
            if seen:
                self._look(session, shown, int(self._counts.poisson(seen)), now)

    def _look(self, session: Session, shown: Shown, seen: int, now: datetime) -> None:
        """Variants are seen in proportion to their shares, as pages show them."""
        variants = concepts.variants(session, shown.id)
        weights = np.array([variant.share_ppm for variant in variants], float)
        parts = weights / weights.sum() if weights.all() else np.full(len(variants), 1 / len(variants))
        noted: Counter[tuple[UUID, date, Place]] = Counter()
        opened = int(self._counts.binomial(seen, OPENED))
        for place, count in ((Place.MARKET, seen), (Place.PAGE, opened)):
            for variant, times in zip(variants, self._counts.multinomial(count, parts), strict=True):
                if times:
                    noted[variant.id, now.date(), place] += int(times)
        add_exposures(session, noted)
        concept = concepts.concept(session, shown.id)
        for _ in range(int(self._counts.binomial(opened, SAVED))):
            signals.save_concept(session, concept, self._rng.choice(self.town.buyers).id, now=now)
        for _ in range(int(self._counts.binomial(opened, ASKED))):
            self._ask(session, shown.id, now)

    def _ask(self, session: Session, concept_id: UUID, now: datetime) -> None:
        known = {question.words for question in signals.questions_about(session, concept_id)}
        left = [pair for pair in QUESTIONS if pair[0] not in known]
        if not left:
            return
        words, answer = self._rng.choice(left)
        self._asked += 1
        buyer_id = self._rng.choice(self.town.buyers).id
        question = signals.ask(session, Asked(concept_id, buyer_id, words, f"demo-question-{self._asked}"), now=now)
        self._answers.note(now + self._rng.random() * ANSWERS_WITHIN, (concept_id, question.id, answer))
