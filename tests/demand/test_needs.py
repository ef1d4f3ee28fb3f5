"""Needs in buyers' own words: filed, put with their like, withdrawn, made a campaign of, their buyers told."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from c2m.db import Database, uuid7
from c2m.demand import group_figures, group_offers, need_groups
from c2m.demand.campaigns import open_campaign
from c2m.demand.forecasting.ladders import QuoteCurve
from c2m.demand.group_offers import Interest, MakersAsked, NoPrice, NothingNeeded
from c2m.demand.models import Campaign, CampaignState, GroupCampaign, Need, NeedGroup, NeedState, PriceTier
from c2m.demand.need_groups import grouped_anew, record_groups
from c2m.demand.needs import (
    NeedKeyReused,
    NeedNotFound,
    NeedNotOpen,
    NeedRequest,
    file_need,
    offers_like,
    withdraw_need,
)
from c2m.demand.policies import standard_policy
from c2m.design.models import PictureKind
from c2m.design.pictures import PictureNotFound, store
from c2m.design.wording import BrandWord
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.jobs import Worker
from c2m.notices.models import Notice, NoticeKind
from tests.builders import MORNING, a_campaign, a_factory, a_line, an_organisation
from tests.design.builders import a_file

TOTE, ZH_TOTE, BOTTLE = "canvas tote bags with logo", "想要帆布托特包 印logo 200个", "500ml 不锈钢保温杯"


@pytest.fixture
def session(database: Database):  # type: ignore[no-untyped-def]
    with database.transaction() as opened:
        yield opened


def need(session: Session, words: str, *, buyer: UUID | None = None, **fields: object) -> Need:
    """A need of a new buyer, of 100 pieces unless the test says otherwise."""
    buyer = buyer or an_organisation(session, Role.BUYER).id
    said = {"quantity": 100, "currency": "CNY", "idempotency_key": str(uuid7())} | fields
    return file_need(session, NeedRequest(buyer, words, **said), now=MORNING)  # type: ignore[arg-type]


def test_needs_for_the_same_thing_in_two_languages_are_one_group_and_others_are_not(session: Session) -> None:
    first, second, other = need(session, TOTE), need(session, ZH_TOTE), need(session, BOTTLE)
    assert first.group_id == second.group_id != other.group_id
    assert (first.category, other.category) == ("tote", "bottle")
    group = session.get(NeedGroup, first.group_id)
    assert group is not None
    assert (group.title, group.title_en, group.category) == ("帆布标志印花托特包", "Canvas logo printed tote", "tote")


def test_the_same_form_sent_twice_is_one_need_and_with_other_words_refused(session: Session) -> None:
    buyer = an_organisation(session, Role.BUYER).id
    once = need(session, TOTE, buyer=buyer, idempotency_key="a key of mine")
    assert need(session, TOTE, buyer=buyer, idempotency_key="a key of mine").id == once.id
    with pytest.raises(NeedKeyReused):
        need(session, BOTTLE, buyer=buyer, idempotency_key="a key of mine")
    assert [found.words for found in session.exec(select(Need))] == [TOTE]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"words": "  "}, "words"),
        ({"words": "x" * 501}, "words"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1_000_001}, "quantity"),
        ({"budget_minor": 0}, "budget"),
        ({"wanted_by": MORNING.date() - timedelta(days=1)}, "wanted_by"),
        ({"wanted_by": date(2099, 1, 1)}, "wanted_by"),
    ],
)
def test_a_need_that_makes_no_sense_is_refused_beside_its_field(
    session: Session, fields: dict[str, object], wrong: str
) -> None:
    with pytest.raises(Invalid) as refused:
        need(session, **{"words": TOTE} | fields)  # type: ignore[arg-type]
    assert list(refused.value.errors) == [wrong]
    assert session.exec(select(Need)).all() == []
    assert session.exec(select(NeedGroup)).all() == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"words": "Nike 马克杯 call 13800138000"}, "words"), ({"words": TOTE, "region": "N1ke Road"}, "region")],
)
def test_a_need_that_names_somebody_s_brand_is_refused_at_its_field(
    session: Session, fields: dict[str, object], wrong: str
) -> None:
    with pytest.raises(BrandWord) as refused:
        need(session, **fields)  # type: ignore[arg-type]
    assert refused.value.details == {"word": "nike", "field": wrong}
    assert session.exec(select(Need)).all() == []
    assert session.exec(select(NeedGroup)).all() == []


def test_a_withdrawn_need_no_longer_counts_and_nobody_elses_can_be_withdrawn(session: Session) -> None:
    mine, other = need(session, TOTE), need(session, ZH_TOTE)
    with pytest.raises(NeedNotFound):
        withdraw_need(session, mine.id, buyer_id=other.buyer_id, now=MORNING)
    assert mine.state is NeedState.OPEN
    withdraw_need(session, mine.id, buyer_id=mine.buyer_id, now=MORNING)
    assert other.group_id is not None
    figures = group_figures.figures_of(session, other.group_id, now=MORNING)
    assert (figures.buyers, figures.pieces) == (1, 100)
    with pytest.raises(NeedNotOpen):
        withdraw_need(session, mine.id, buyer_id=mine.buyer_id, now=MORNING)


def test_a_groups_figures_count_buyers_once_and_mask_what_leads_to_them(session: Session) -> None:
    buyer = an_organisation(session, Role.BUYER).id
    first = need(
        session, f"{TOTE} call 13812345678", buyer=buyer, quantity=30, budget_minor=12_00, region="浙江 Zhejiang"
    )
    need(session, TOTE, buyer=buyer, quantity=70, budget_minor=18_00, region="浙江 Zhejiang")
    need(session, ZH_TOTE, quantity=200, wanted_by=date(2026, 12, 24))
    assert first.group_id is not None
    figures = group_figures.figures_of(session, first.group_id, now=MORNING)
    assert (figures.buyers, figures.needs, figures.pieces) == (2, 3, 300)
    assert (figures.median_budget_minor, figures.earliest) == (12_00, date(2026, 12, 24))
    assert figures.regions[0] == ("浙江 Zhejiang", 2, pytest.approx(2 / 3))
    assert sum(found.count for found in figures.quantities) == 3
    assert all("138" not in example.words for example in figures.examples)


def test_a_groups_pictures_are_those_of_its_open_needs_that_their_buyers_let_others_see(session: Session) -> None:
    buyer = an_organisation(session, Role.BUYER).id

    def sent(kind: PictureKind, **provenance: str) -> UUID:
        kept = store(session, a_file(kind="WEBP"), kind, provenance, organisation_id=buyer, now=MORNING)
        return need(session, f"{TOTE} call 13812345678", buyer=buyer, picture_id=kept.id).picture_id or kept.id

    seen = [
        sent(PictureKind.PHOTO, sent_with=group_figures.SENT_WITH_WANT),
        sent(PictureKind.CONCEPT, source_picture="a photograph of theirs"),
        sent(PictureKind.CONCEPT),
    ]
    unseen = sent(PictureKind.PHOTO, source="upload")
    withdrawn = sent(PictureKind.SKETCH)
    last = session.exec(select(Need).where(Need.picture_id == withdrawn)).one()
    withdraw_need(session, last.id, buyer_id=buyer, now=MORNING)
    assert last.group_id is not None
    found = group_figures.pictures_of(session, last.group_id)
    assert [one.picture_id for one in found] == seen
    assert [one.is_ours for one in found] == [False, False, True]
    assert all("138" not in one.words for one in found)
    assert group_figures.picture_of(session, last.group_id, seen[0]).organisation_id == buyer
    for hidden in (unseen, withdrawn):
        with pytest.raises(PictureNotFound):
            group_figures.picture_of(session, last.group_id, hidden)


def test_a_drafts_description_leaves_out_what_cannot_be_said_in_the_market() -> None:
    said = group_offers.description_of(("mug", "nike", "stripes"))
    assert said == "买家想要：杯、条纹 Buyers asked for: cup, striped"
    assert group_offers.description_of(("nike",)) == ""


def test_running_campaigns_like_the_need_are_found_before_it_is_filed(session: Session) -> None:
    a_campaign(session, title="圆领纯棉 T 恤", title_en="Cotton crew-neck tee")
    tote, _ = a_campaign(session, title="帆布托特包", title_en="Canvas tote bag", category="tote")
    assert [row.id for row in offers_like(session, "求购帆布袋 印logo", now=MORNING)] == [tote.id]
    assert list(offers_like(session, "yoga mats 6mm", now=MORNING)) == []


def test_grouped_anew_groups_keep_their_identity_and_needs_filed_apart_come_together(session: Session) -> None:
    first, second, other = need(session, TOTE), need(session, ZH_TOTE), need(session, BOTTLE)
    kept = first.group_id
    lone = NeedGroup(title="", category="general", formed_at=MORNING)
    session.add(lone)
    session.flush()
    second.group_id = lone.id
    session.add(second)
    session.flush()
    record_groups(session, grouped_anew(session, [], MORNING), MORNING)
    for found in (first, second, other):
        session.refresh(found)
    assert first.group_id == second.group_id
    assert first.group_id in (kept, lone.id)
    assert other.group_id not in (kept, lone.id)


def test_a_draft_takes_its_minimum_and_tiers_from_factories_and_its_buyers_are_told_once_it_opens(
    session: Session,
) -> None:
    first, _second = need(session, TOTE), need(session, ZH_TOTE)
    need(session, BOTTLE)
    assert first.group_id is not None
    policy = standard_policy(session, now=MORNING)
    house = an_organisation(session, Role.MERCHANDISER).id
    campaign_id = group_offers.draft_for(
        session,
        first.group_id,
        organisation_id=house,
        smallest_order=80,
        cost={80: 10_00, 160: 9_00, 400: 9_00}.get,
        ladder=None,
        policy=policy,
        now=MORNING,
    )
    campaign = session.exec(select(Campaign).where(Campaign.id == campaign_id)).one()
    assert (campaign.state, campaign.minimum, campaign.title_en) == (
        CampaignState.DRAFT,
        80,
        "Canvas logo printed tote",
    )
    tiers = session.exec(select(PriceTier).where(PriceTier.campaign_id == campaign_id)).all()
    asked = [(tier.from_quantity, tier.price_minor) for tier in sorted(tiers, key=lambda tier: tier.from_quantity)]
    assert [start for start, _price in asked] == [1, 160]
    assert (
        asked[0][1] * policy.target_cost_ppm // 1_000_000 >= 10_00 > asked[0][1] * policy.target_cost_ppm // 1_050_000
    )
    assert session.exec(select(Notice)).all() == []
    open_campaign(session, campaign_id, now=MORNING)
    told = session.exec(select(Notice).where(Notice.kind == NoticeKind.NEED_ANSWERED)).all()
    assert len(told) == 2
    assert {notice.subject_id for notice in told} == {campaign_id}


def test_a_ladder_is_designed_from_three_named_prices_on_and_becomes_the_drafts_tiers(session: Session) -> None:
    group_id = need(session, TOTE, budget_minor=30_00).group_id
    assert group_id is not None
    quotes = [QuoteCurve(50_00, ((1, 12_00), (200, 8_00)), 10)]
    share = standard_policy(session, now=MORNING).target_cost_ppm
    need(session, ZH_TOTE, budget_minor=28_00)
    assert group_offers.ladder_for(session, group_id, quotes, target_cost_ppm=share) is None
    need(session, TOTE, budget_minor=25_00)
    ladder = group_offers.ladder_for(session, group_id, quotes, target_cost_ppm=share)
    assert ladder is not None
    assert ladder == group_offers.ladder_for(session, group_id, quotes, target_cost_ppm=share)
    assert ladder.buyers == 3
    campaign_id = group_offers.draft_for(
        session,
        group_id,
        organisation_id=an_organisation(session, Role.MERCHANDISER).id,
        smallest_order=None,
        cost=lambda _pieces: None,
        ladder=ladder,
        policy=standard_policy(session, now=MORNING),
        now=MORNING,
    )
    tiers = session.exec(select(PriceTier).where(PriceTier.campaign_id == campaign_id)).all()
    assert {(tier.from_quantity, tier.price_minor) for tier in tiers} == {
        (1 if at == 0 else step.from_quantity, step.price_minor) for at, step in enumerate(ladder.steps)
    }
    assert session.get_one(Campaign, campaign_id).minimum == ladder.minimum


def test_without_a_factory_the_median_budget_is_the_price_and_without_either_nothing_is_drafted(
    session: Session,
) -> None:
    house, policy = an_organisation(session, Role.MERCHANDISER).id, standard_policy(session, now=MORNING)
    told, silent = need(session, TOTE, budget_minor=15_00), need(session, BOTTLE)

    def draft(group_id: UUID | None) -> UUID:
        assert group_id is not None
        return group_offers.draft_for(
            session,
            group_id,
            organisation_id=house,
            smallest_order=None,
            cost=lambda _pieces: None,
            ladder=None,
            policy=policy,
            now=MORNING,
        )

    campaign_id = draft(told.group_id)
    tiers = session.exec(select(PriceTier).where(PriceTier.campaign_id == campaign_id)).all()
    assert [(tier.from_quantity, tier.price_minor) for tier in tiers] == [(1, 15_00)]
    with pytest.raises(NoPrice):
        draft(silent.group_id)
    withdraw_need(session, silent.id, buyer_id=silent.buyer_id, now=MORNING)
    with pytest.raises(NothingNeeded):
        draft(silent.group_id)
    assert len(session.exec(select(GroupCampaign)).all()) == 1


def test_factories_of_the_category_are_asked_once_and_answer_with_a_price_and_a_date(
    database: Database, worker: Worker
) -> None:
    with database.transaction() as session:
        maker, other = a_factory(session), a_factory(session)
        a_line(session, maker, category="tote", process="bag_making")
        a_line(session, other, category="mug", process="ceramics")
        group_id = need(session, TOTE).group_id
        assert group_id is not None
        group_offers.ask_makers(session, group_id, now=MORNING)
        with pytest.raises(MakersAsked):
            group_offers.ask_makers(session, group_id, now=MORNING)
    worker.run_until_idle(MORNING)
    with database.transaction() as session:
        [told] = session.exec(select(Notice).where(col(Notice.kind) == NoticeKind.MAKERS_ASKED)).all()
        assert (told.organisation_id, told.subject_id, told.facts["pieces"]) == (maker.id, group_id, 100)
        for price in (9_00, 8_50):
            said = Interest(group_id, maker.id, price, "CNY", 50, date(2026, 12, 20))
            group_offers.state_interest(session, said, now=MORNING)
        assert [row.price_minor for row in group_figures.interests_of(session, group_id)] == [8_50]
        past = Interest(group_id, other.id, 9_00, "CNY", 50, date(2026, 1, 1))
        with pytest.raises(Invalid):
            group_offers.state_interest(session, past, now=MORNING)
        assert len(group_figures.interests_of(session, group_id)) == 1


def test_many_open_wants_are_read_before_a_new_one_has_to_wait_for_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        buyer = an_organisation(session, Role.BUYER).id
        for text in ("帆布托特包", "canvas tote bag", "ceramic mug"):
            file_need(session, NeedRequest(buyer, text, 5, "CNY", str(uuid7())), now=MORNING)
    need_groups._known.clear()
    assert need_groups.get_ready(database, now=MORNING) == 0
    assert not need_groups._known
    monkeypatch.setattr(need_groups, "WORTH_READING", 3)
    assert need_groups.get_ready(database, now=MORNING) == 3
    with database.transaction() as session:
        filed = file_need(session, NeedRequest(buyer, "a canvas tote", 5, "CNY", str(uuid7())), now=MORNING)
        assert len(next(iter(need_groups._known.values())).ids) == 4
        assert filed.group_id is not None
