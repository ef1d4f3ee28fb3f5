"""Merchandisers: they publish concepts and decide on them, prepare campaigns, open them, and call one off."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import TypeAlias
from uuid import UUID

from sqlmodel import Session, col, select

from c2m.demand import policies, queries
from c2m.demand.board import pieces_by_variant
from c2m.demand.campaigns import CampaignDraft, cancel_campaign, create_campaign, open_campaign
from c2m.demand.completion import complete_campaign, missing_pieces, suggested_pieces
from c2m.demand.extension import extend_campaign
from c2m.demand.models import CampaignKind
from c2m.demand.promotion import promote_concept
from c2m.demand.samples import TRIED, samples_of
from c2m.demo.atelier import commission_of
from c2m.demo.calendar import Diary
from c2m.demo.gallery import Gallery
from c2m.demo.ideas import Idea
from c2m.demo.market import CURRENCY, Market
from c2m.demo.products import Product, minor
from c2m.demo.town import Town
from c2m.design import concepts, generations
from c2m.design.drawings import COLOURS
from c2m.design.models import Concept, Picture
from c2m.design.queries import interest
from c2m.identity.models import User

PREPARES = timedelta(hours=5)  # before a campaign opens, or a concept whose pictures come from the studio is shown
NO_TIME = timedelta()
EVENINGS = (20, 21, 22)  # when campaigns and concepts end
COMPLETES = timedelta(hours=20)  # before the deadline
EXTENDED_DAYS = 3
COMMISSION_PPM = 30_000  # of team leaders, in group-buys


@dataclass(frozen=True)
class Offered:
    """A campaign that takes pledges."""

    id: UUID
    product: Product
    variants: tuple[UUID, ...]
    opens_at: datetime
    deadline: datetime


@dataclass(frozen=True)
class Shown:
    """A concept that takes wants."""

    id: UUID
    idea: Idea
    variants: tuple[UUID, ...]
    published_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Prepare:
    product: Product
    opens: bool = True


@dataclass(frozen=True)
class Open:
    campaign_id: UUID
    product: Product


@dataclass(frozen=True)
class CallOff:
    campaign_id: UUID


@dataclass(frozen=True)
class Publish:
    idea: Idea


@dataclass(frozen=True)
class Decide:
    shown: Shown


@dataclass(frozen=True)
class Extend:
    campaign_id: UUID


@dataclass(frozen=True)
class Complete:
    campaign_id: UUID


@dataclass(frozen=True)
class Asked:
    """A run of the picture studio, and whose it is."""

    generation_id: UUID
    house: UUID


Deed: TypeAlias = Prepare | Open | CallOff | Extend | Complete | Publish | Decide


@dataclass
class Merchandisers:
    """All of them together; each product and concept belongs to one."""

    market: Market
    town: Town
    gallery: Gallery
    offered: dict[UUID, Offered] = field(default_factory=dict)
    shown: dict[UUID, Shown] = field(default_factory=dict)
    _rng: Random = field(init=False)
    _diary: Diary[Deed] = field(default_factory=Diary)
    _asked: dict[str, Asked] = field(default_factory=dict)  # what the picture studio was asked for
    _made: dict[str, UUID] = field(default_factory=dict)  # English title → campaign

    def __post_init__(self) -> None:
        self._rng = self.market.chance("merchandisers")
        calendar, size = self.market.calendar, self.market.size
        for product in size.products:
            self._diary.note(self._opening(product) - PREPARES, Prepare(product))
        for number, product in enumerate(size.prepared):
            self._diary.note(calendar.at(-0.4 - number), Prepare(product, opens=False))
        for idea in size.ideas:
            self._diary.note(calendar.at(idea.published) - (PREPARES if idea.studio else NO_TIME), Publish(idea))

    def act(self, session: Session, *, now: datetime) -> None:
        """Do what is due."""
        for deed in self._diary.due(now):
            match deed:
                case Prepare(product, opens):
                    self._prepare(session, product, opens, now)
                case Open(campaign_id, product):
                    open_campaign(session, campaign_id, now=now)
                    self._offer(session, campaign_id, product, now)
                case CallOff(campaign_id):
                    cancel_campaign(session, campaign_id, now=now)
                    del self.offered[campaign_id]
                case Extend(campaign_id):
                    extend_campaign(session, campaign_id, EXTENDED_DAYS, now=now)
                    self._offer_longer(session, campaign_id)
                case Complete(campaign_id):
                    _complete(session, campaign_id, now)
                case Publish(idea):
                    self._publish(session, idea, now)
                case Decide(shown):
                    self._decide(session, shown, now)

    def _opening(self, product: Product) -> datetime:
        calendar = self.market.calendar
        return max(calendar.at(product.ends) - calendar.lasting(product.runs), calendar.starts_at + PREPARES * 2)

    def _prepare(self, session: Session, product: Product, opens: bool, now: datetime) -> None:
        owner = self._rng.choices(self.town.merchandisers, weights=_leading(self.town.merchandisers))[0]
        sample = queries.campaign(session, self._made[product.sample]) if product.sample in self._made else None
        if sample is not None and sample.state in TRIED:
            owner = sample.organisation_id
        picture = self.gallery.hang(session, product, owner, now=now)
        campaign_id = self._draft(session, product, owner, picture.id, now)
        self._made[product.title_en] = campaign_id
        if opens:
            self._diary.note(now + PREPARES, Open(campaign_id, product))

    def _draft(self, session: Session, product: Product, owner: UUID, picture_id: UUID, now: datetime) -> UUID:
        policy = policies.standard_policy(session, now=now)
        return create_campaign(session, self._terms(session, product, owner, picture_id), policy=policy, now=now)

    def _terms(
        self,
        session: Session,
        product: Product,
        owner: UUID,
        picture_id: UUID | None,
        concept_id: UUID | None = None,
    ) -> CampaignDraft:
        samples = {each.id for each in samples_of(session, owner)}
        tried = self._made.get(product.sample)
        deadline = self.market.calendar.evening(product.ends, self._rng.choice(EVENINGS))
        days = product.production_days
        return CampaignDraft(
            organisation_id=owner,
            kind=product.kind,
            title=product.title,
            title_en=product.title_en,
            description=product.description,
            category=product.category,
            currency=CURRENCY,
            variants=product.variants,
            tiers=product.tiers,
            minimum=product.minimum,
            cap=product.cap,
            per_buyer_limit=product.limit,
            commission_ppm=COMMISSION_PPM if product.kind is CampaignKind.GROUP_BUY else 0,
            pack_pieces=product.pack,
            colour_minimum=product.colour_minimum,
            extension_days=product.extension,
            next_round_days=product.next_round,
            sample_campaign_id=tried if tried in samples else None,
            deposit_minor=minor(product.deposit),
            deposit_counts_minor=minor(product.deposit_counts),
            deadline=deadline,
            promised_date=None if days is None else deadline + timedelta(days=days),
            picture_id=picture_id,
            concept_id=concept_id,
        )

    def _offer(self, session: Session, campaign_id: UUID, product: Product, now: datetime) -> None:
        """From now on buyers may join."""
        variants = tuple(variant.id for variant in queries.variants(session, campaign_id))
        deadline = queries.campaign(session, campaign_id).deadline
        self.offered[campaign_id] = Offered(campaign_id, product, variants, now, deadline)
        if product.extended is not None:
            self._diary.note(self.market.calendar.at(product.extended), Extend(campaign_id))
        if product.completed:
            self._diary.note(deadline - COMPLETES, Complete(campaign_id))
        if product.called_off is not None:
            self._diary.note(self.market.calendar.at(product.called_off), CallOff(campaign_id))

    def _offer_longer(self, session: Session, campaign_id: UUID) -> None:
        found = queries.campaign(session, campaign_id)
        session.refresh(found)
        self.offered[campaign_id] = replace(self.offered[campaign_id], deadline=found.deadline)

    def _publish(self, session: Session, idea: Idea, now: datetime) -> None:
        if idea.studio and idea.key not in self._asked:
            self._ask_the_studio(session, idea, now)
            return
        asked = self._asked.get(idea.key)
        owner = self._house_of(idea) if asked is None else asked.house
        draft = concepts.ConceptDraft(
            organisation_id=owner,
            title=idea.title,
            title_en=idea.title_en,
            category=idea.category,
            brief=f"{idea.brief}\n{idea.brief_en}",
            currency=CURRENCY,
            price_minor=minor(idea.price),
            deposit_minor=minor(idea.deposit),
            target_quantity=idea.target,
            ends_at=self.market.calendar.evening(idea.ends, self._rng.choice(EVENINGS)),
        )
        concept = concepts.create_concept(session, draft, now=now)
        if asked is None:
            pictures = self.gallery.hang_sketches(session, idea, owner, now=now)
            named = list(zip(pictures, idea.sketch_names, strict=True))
        else:
            named = _made_in_the_studio(session, asked.generation_id)
        variants = tuple(
            concepts.add_variant(session, concept, picture, name=zh, name_en=en, now=now).id
            for picture, (zh, en) in named
        )
        concepts.publish_concept(session, concept, now=now)
        shown = Shown(concept.id, idea, variants, now, draft.ends_at)
        self.shown[concept.id] = shown
        if idea.decided is not None:
            self._diary.note(self.market.calendar.at(idea.decided), Decide(shown))

    def _ask_the_studio(self, session: Session, idea: Idea, now: datetime) -> None:
        """Brief the picture studio; the concept is published once its pictures are there."""
        house = self._house_of(idea)
        by = session.exec(select(User.id).where(User.organisation_id == house).order_by(col(User.id))).first()
        if by is None:
            raise LookupError(f"nobody works at {house}")
        asked = commission_of(idea, self.gallery.seed, house=house, by=by)
        self._asked[idea.key] = Asked(generations.commission(session, asked, now=now).id, house)
        self._diary.note(now + PREPARES, Publish(idea))

    def _house_of(self, idea: Idea) -> UUID:
        if idea.ours:
            return self.town.merchandisers[0]
        return self._rng.choices(self.town.merchandisers, weights=_leading(self.town.merchandisers))[0]

    def _decide(self, session: Session, shown: Shown, now: datetime) -> None:
        """Promote a concept to the campaign it becomes, with the sketch most wanted; or stop it."""
        concept = concepts.concept(session, shown.id)
        del self.shown[shown.id]
        product = shown.idea.becomes
        if product is None:
            concepts.stop_concept(session, concept, now=now)
            return
        terms = self._terms(session, product, concept.organisation_id, _favourite(session, concept), concept.id)
        policy = policies.standard_policy(session, now=now)
        campaign_id = promote_concept(session, concept, terms, policy=policy, now=now)
        self._offer(session, campaign_id, product, now)


def _complete(session: Session, campaign_id: UUID, now: datetime) -> None:
    """Buy what is missing, as the other buyers have chosen."""
    found = queries.campaign(session, campaign_id)
    session.refresh(found)
    if missing := missing_pieces(found, now=now):
        pledged = pieces_by_variant(session, campaign_id)
        by_variant = {each.id: pledged.get(each.id, 0) for each in queries.variants(session, campaign_id)}
        pieces = {variant: count for variant, count in suggested_pieces(missing, by_variant).items() if count}
        complete_campaign(session, found, pieces, idempotency_key=f"demo-complete-{campaign_id}", now=now)


def _made_in_the_studio(session: Session, generation_id: UUID) -> list[tuple[Picture, tuple[str, str]]]:
    """The pictures of a run with their colours as names, in Chinese and in English."""
    named = []
    for rendition in generations.renditions(session, [generation_id])[generation_id]:
        primary, secondary = (COLOURS[rendition.attributes[name]] for name in ("primary", "secondary"))
        names = f"{primary.zh}配{secondary.zh}", f"{primary.en} with {secondary.en.lower()}"
        named.append((session.get_one(Picture, rendition.picture_id), names))
    return named


def _favourite(session: Session, concept: Concept) -> UUID:
    """The picture of the variant with the most pieces wanted."""
    wanted = interest(session, [concept.id])
    variants = concepts.variants(session, concept.id)
    return max(variants, key=lambda variant: (wanted[variant.id].pieces, -variant.position)).picture_id


def _leading(merchandisers: list[UUID]) -> list[float]:
    """The first, whom one signs in as, has most of the products."""
    return [3.0, *[1.0] * (len(merchandisers) - 1)]
