"""Vetting: what isn't verified isn't matched, what was verified runs out, and what new factories are given costs."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from c2m.audit import run
from c2m.db import Database
from c2m.identity.models import Organisation, OrganisationState, Role
from c2m.matching import newcomers
from c2m.matching.claims import (
    ClaimNotFound,
    ClaimStands,
    NewClaim,
    SentTooOften,
    TooManyClaims,
    findings_on,
    make_claim,
)
from c2m.matching.factories import Profile, create_profiles
from c2m.matching.levels import HOLDS, level_of, recheck_of
from c2m.matching.models import (
    Booking,
    Claim,
    ClaimKind,
    ClaimState,
    Factory,
    FactoryLevel,
    FindingKind,
    MatchRun,
    NewcomerOffer,
    Offer,
    OfferState,
)
from c2m.matching.newcomers import InvalidMatchingTerms, set_terms
from c2m.matching.offers import accept_offers
from c2m.matching.telling import tell_offered
from c2m.matching.vetting import (
    Check,
    ClaimChecked,
    ClaimNotVerified,
    InvalidCheck,
    Papers,
    Revocation,
    check_claims,
    recheck_claims,
    revoke_claim,
    verify_registrations,
)
from c2m.notices.models import Notice, NoticeKind
from tests.builders import MORNING, a_factory, a_line, an_open_sheet, an_organisation
from tests.matching.market import answers, match, offers

YEAR = timedelta(days=365)
DAY = timedelta(days=1)


@pytest.fixture
def unverified(database: Database) -> UUID:
    """A factory with a profile and a line, whose registration nobody has verified."""
    with database.transaction() as session:
        house = an_organisation(session, Role.FACTORY, state=OrganisationState.PENDING)
        create_profiles(session, [Profile(house.id, "Yiwu", "Zhejiang", "CNY")])
        a_line(session, session.get_one(Factory, house.id))
        an_open_sheet(session, 50)
    return house.id


def decide(database: Database, factory_id: UUID) -> None:
    """Have an operator verify a registration."""
    with database.transaction() as session:
        house = session.get_one(Organisation, factory_id)
        house.state, house.decided_at, house.decision_note = OrganisationState.ACTIVE, MORNING, "In the register"
        session.add(house)
        session.flush()
        verify_registrations(session, [factory_id])


def level(database: Database, factory_id: UUID) -> FactoryLevel:
    with database.reading() as session:
        return session.get_one(Factory, factory_id).level


def verify(database: Database, factory_id: UUID, *kinds: ClaimKind) -> list[UUID]:
    """Claims of these kinds, made and verified."""
    with database.transaction() as session:
        ids = [make_claim(session, NewClaim(factory_id, kind, kind.value), now=MORNING) for kind in kinds]
        check_claims(session, [Check(i, True, "Seen on site", None) for i in ids], now=MORNING)
    return ids


def kinds_told(session: Session, factory_id: UUID) -> list[NoticeKind]:
    return list(
        session.exec(select(Notice.kind).where(Notice.organisation_id == factory_id).order_by(col(Notice.id))).all()
    )


def findings(session: Session, now: datetime) -> list[str]:
    """What the audit says about claims and levels."""
    return [finding.sentence for finding in run(session, now=now) if "claim" in finding.sentence]


def test_what_is_not_verified_is_not_matched(database: Database, unverified: UUID) -> None:
    assert match(database, MORNING) == []
    decide(database, unverified)
    assert [offer.factory_id for offer in match(database, MORNING)] == [unverified]


def test_a_verified_registration_counts_once_the_factory_describes_itself(database: Database) -> None:
    with database.transaction() as session:
        house = an_organisation(session, Role.FACTORY, decided_at=MORNING, decision_note="In the register")
        verify_registrations(session, [house.id])  # nothing to match yet
        create_profiles(session, [Profile(house.id, "Yiwu", "Zhejiang", "CNY")])
        verify_registrations(session, [house.id])
    assert level(database, house.id) is FactoryLevel.VERIFIED
    with database.reading() as session:
        licence = session.exec(select(Claim)).one()
    assert (licence.kind, licence.expires_at) == (ClaimKind.LICENCE, MORNING + YEAR)
    assert licence.evidence == "In the register"


def test_a_licence_is_recorded_as_it_was_read_and_never_for_too_long(database: Database, unverified: UUID) -> None:
    with database.transaction() as session:
        house = session.get_one(Organisation, unverified)
        house.state, house.decided_at, house.decision_note = OrganisationState.ACTIVE, MORNING, "In the register"
        session.add(house)
    for until in (date(2026, 11, 1), date(2099, 1, 1)):
        with pytest.raises(InvalidCheck), database.transaction() as session:
            verify_registrations(session, [unverified], {unverified: Papers("91330", until)})
    assert level(database, unverified) is FactoryLevel.LISTED
    with database.transaction() as session:
        verify_registrations(session, [unverified], {unverified: Papers("91330", date(2027, 3, 1))})
        licence = session.exec(select(Claim)).one()
    assert (licence.reference, licence.expires_at) == ("91330", datetime(2027, 3, 1, tzinfo=UTC))


def test_where_nobody_wrote_down_what_was_seen_no_evidence_is_invented(database: Database, unverified: UUID) -> None:
    with database.transaction() as session:
        house = session.get_one(Organisation, unverified)
        house.state, house.decided_at = OrganisationState.ACTIVE, MORNING
        session.add(house)
        session.flush()
        verify_registrations(session, [unverified])
        assert session.exec(select(Claim)).all() == []
    assert level(database, unverified) is FactoryLevel.LISTED


def test_all_kinds_of_claims_together_make_a_factory_vetted(database: Database, unverified: UUID) -> None:
    verify(database, unverified, ClaimKind.MACHINES, ClaimKind.CERTIFICATE, ClaimKind.SAMPLE_WORK)
    assert level(database, unverified) is FactoryLevel.LISTED  # without a licence nothing counts
    decide(database, unverified)
    verify(database, unverified, ClaimKind.LICENCE)
    assert level(database, unverified) is FactoryLevel.VETTED
    with database.reading() as session:
        assert findings(session, MORNING) == []


def test_a_check_needs_evidence_and_happens_once(database: Database, unverified: UUID) -> None:
    with database.transaction() as session:
        claim_id = make_claim(session, NewClaim(unverified, ClaimKind.LICENCE, "Licence"), now=MORNING)
    for check, refused in (
        (Check(claim_id, True, " ", None), InvalidCheck),
        (Check(claim_id, True, "seen", None, until=date(2026, 11, 1)), InvalidCheck),
        (Check(UUID(int=1), True, "seen", None), ClaimNotFound),
    ):
        with pytest.raises(refused), database.transaction() as session:
            check_claims(session, [check], now=MORNING)
    with database.transaction() as session:
        check_claims(session, [Check(claim_id, False, "The address is a flat", None)], now=MORNING)
    with pytest.raises(ClaimChecked), database.transaction() as session:
        check_claims(session, [Check(claim_id, True, "seen", None)], now=MORNING)
    assert level(database, unverified) is FactoryLevel.LISTED
    with database.reading() as session:
        assert kinds_told(session, unverified) == [NoticeKind.CLAIM_REFUSED]


def test_claims_wait_in_no_endless_queue(database: Database, unverified: UUID) -> None:
    with database.transaction() as session:
        for number in range(20):
            make_claim(session, NewClaim(unverified, ClaimKind.CERTIFICATE, f"Another {number}"), now=MORNING)
        with pytest.raises(TooManyClaims):
            make_claim(session, NewClaim(unverified, ClaimKind.CERTIFICATE, "Another"), now=MORNING)


def test_what_was_verified_is_asked_for_again_and_runs_out(database: Database, unverified: UUID) -> None:
    [licence] = verify(database, unverified, ClaimKind.LICENCE)
    for now, state, recheck in (
        (MORNING + YEAR - 31 * DAY, ClaimState.VERIFIED, None),
        (MORNING + YEAR - 30 * DAY, ClaimState.VERIFIED, "runs_out"),
        (MORNING + YEAR - DAY, ClaimState.VERIFIED, "runs_out"),
        (MORNING + YEAR, ClaimState.EXPIRED, None),
    ):
        with database.transaction() as session:
            recheck_claims(session, [], now)
        with database.reading() as session:
            claim = session.get_one(Claim, licence)
        assert (claim.state, claim.recheck) == (state, recheck)
    assert level(database, unverified) is FactoryLevel.LISTED
    with database.reading() as session:
        told = kinds_told(session, unverified)
        assert findings(session, MORNING + YEAR) == []
    assert told == [NoticeKind.CLAIM_VERIFIED, NoticeKind.CLAIM_RUNS_OUT, NoticeKind.CLAIM_RAN_OUT]


def test_a_recheck_renews_a_claim(database: Database, unverified: UUID) -> None:
    [licence] = verify(database, unverified, ClaimKind.LICENCE)
    later = MORNING + YEAR - DAY
    with database.transaction() as session:
        recheck_claims(session, [], later)
        check_claims(session, [Check(licence, True, "The new one", None)], now=later)
        recheck_claims(session, [], MORNING + YEAR)
    assert level(database, unverified) is FactoryLevel.VERIFIED


def test_the_audit_finds_levels_and_claims_that_outlived_their_day(database: Database, unverified: UUID) -> None:
    verify(database, unverified, ClaimKind.LICENCE)
    with database.writing() as session:
        assert findings(session, MORNING + YEAR + DAY) == ["A claim ran out and nothing has ended it."]
        factory = session.get_one(Factory, unverified)
        factory.level = FactoryLevel.VETTED
        session.add(factory)
        session.flush()
        sentences = findings(session, MORNING)
        session.rollback()
    assert sentences == ["A factory's level isn't what its verified claims come to."]


def test_rules_of_levels_and_rechecks() -> None:
    assert level_of(set()) == level_of({"machines", "certificate", "sample_work"}) == "listed"
    assert level_of({"licence", "machines"}) == "verified"
    assert level_of(set(HOLDS)) == "vetted"
    far = MORNING + YEAR
    assert recheck_of("licence", far, 2, now=MORNING) is None
    assert recheck_of("licence", far, 3, now=MORNING) == "unanswered"
    assert recheck_of("machines", far, 3, now=MORNING) is None


def test_a_revoked_licence_ends_open_offers_and_leaves_accepted_ones(database: Database, unverified: UUID) -> None:
    decide(database, unverified)
    with database.transaction() as session:
        an_open_sheet(session, 20)
        licence = session.exec(select(Claim.id)).one()
    kept, ended = match(database, MORNING)
    with database.transaction() as session:
        accept_offers(session, answers([kept]), now=MORNING)
        with pytest.raises(InvalidCheck):
            revoke_claim(session, Revocation(licence, " ", None), now=MORNING)
        revoke_claim(session, Revocation(licence, "Struck off the register", None), now=MORNING)
        with pytest.raises(ClaimNotVerified):
            revoke_claim(session, Revocation(licence, "Again", None), now=MORNING)
    assert level(database, unverified) is FactoryLevel.LISTED
    assert match(database, MORNING + DAY) == []
    with database.reading() as session:
        states = {offer.id: (offer.state, bool(offer.reason)) for offer in session.exec(select(Offer)).all()}
        assert states == {kept.id: (OfferState.ACCEPTED, False), ended.id: (OfferState.EXPIRED, True)}
        assert [(b.offer_id, b.released_at) for b in session.exec(select(Booking)).all() if b.released_at] == [
            (ended.id, MORNING)
        ]
        history = [(one.finding, one.seen) for one, _by in findings_on(session, licence)]
        assert kinds_told(session, unverified)[-1] is NoticeKind.CLAIM_REFUSED
        assert findings(session, MORNING) == []
    assert history == [
        (FindingKind.REVOKED, "Struck off the register"),
        (FindingKind.VERIFIED, "In the register"),
    ]


def test_a_refused_renewal_leaves_the_licence_two_weeks(database: Database, unverified: UUID) -> None:
    [licence] = verify(database, unverified, ClaimKind.LICENCE)
    with database.transaction() as session:
        renewal = make_claim(session, NewClaim(unverified, ClaimKind.LICENCE, "The new one"), now=MORNING)
        check_claims(session, [Check(renewal, False, "Another company's", None)], now=MORNING)
        claim = session.get_one(Claim, licence)
        assert (claim.state, claim.recheck) == (ClaimState.VERIFIED, "renewal_refused")
        assert claim.expires_at == MORNING + 14 * DAY
        assert next(one.finding for one, _by in findings_on(session, licence)) is FindingKind.CUT_SHORT
        recheck_claims(session, [], MORNING + 14 * DAY)
    assert level(database, unverified) is FactoryLevel.LISTED


def test_the_same_claim_is_not_sent_again_and_again(database: Database, unverified: UUID) -> None:
    same = NewClaim(unverified, ClaimKind.CERTIFICATE, "OEKO-TEX", "OT-1")
    for number in range(3):
        with database.transaction() as session:
            claim_id = make_claim(session, same, now=MORNING)
            with pytest.raises(ClaimStands):
                make_claim(session, NewClaim(unverified, ClaimKind.CERTIFICATE, "Oeko-Tex 100", "ot-1 "), now=MORNING)
            check_claims(session, [Check(claim_id, False, f"Not there, look {number}", None)], now=MORNING)
    with pytest.raises(SentTooOften), database.transaction() as session:
        make_claim(session, same, now=MORNING + 29 * DAY)
    with database.transaction() as session:
        claim_id = make_claim(session, same, now=MORNING + 30 * DAY)
        check_claims(session, [Check(claim_id, True, "Found", None)], now=MORNING + 30 * DAY)
        with pytest.raises(ClaimStands):
            make_claim(session, same, now=MORNING + 31 * DAY)


def test_each_kind_of_claim_holds_only_so_long(database: Database, unverified: UUID) -> None:
    with database.transaction() as session:
        work = make_claim(session, NewClaim(unverified, ClaimKind.SAMPLE_WORK, "Three samples"), now=MORNING)
        machines = make_claim(session, NewClaim(unverified, ClaimKind.MACHINES, "Forty machines"), now=MORNING)
    for claim_id, until in ((work, date(2027, 12, 1)), (machines, date(2028, 12, 1))):
        with pytest.raises(InvalidCheck) as refused, database.transaction() as session:
            check_claims(session, [Check(claim_id, True, "Seen", None, until)], now=MORNING)
        assert list(refused.value.errors) == ["until"]
    with database.transaction() as session:
        check_claims(session, [Check(machines, True, "Seen", None, date(2028, 10, 1))], now=MORNING)
        assert session.get_one(Claim, machines).expires_at == datetime(2028, 10, 1, tzinfo=UTC)


# A share for new factories


@pytest.fixture
def market(database: Database) -> tuple[UUID, UUID]:
    """An established factory at ¥60 that has accepted an offer of 10, and a new one at ¥62: (established, new)."""
    with database.transaction() as session:
        established = a_line(session, weekly_capacity=1000)
        an_open_sheet(session, 10)
    found = match(database, MORNING)
    with database.transaction() as session:
        accept_offers(session, answers(found), now=MORNING)
        new = a_line(session, a_factory(session), weekly_capacity=1000, prices={1: 62_00})
    return established.factory_id, new.factory_id


def open_sheets(database: Database, *quantities: int) -> None:
    with database.transaction() as session:
        for quantity in quantities:
            an_open_sheet(session, quantity)


def pieces_by_factory(database: Database) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    for offer in offers(database, OfferState.OFFERED):
        found[offer.factory_id] = found.get(offer.factory_id, 0) + offer.quantity
    return found


def test_without_terms_the_cheapest_gets_everything(database: Database, market: tuple[UUID, UUID]) -> None:
    open_sheets(database, 20, 30, 40)
    match(database, MORNING)
    assert pieces_by_factory(database) == {market[0]: 90}


def test_a_share_is_kept_for_new_factories_and_its_cost_is_known(database: Database, market: tuple[UUID, UUID]) -> None:
    with database.transaction() as session:
        set_terms(session, 300_000, 1, None, now=MORNING)
    open_sheets(database, 20, 30, 40)
    found = match(database, MORNING)
    assert pieces_by_factory(database) == {market[0]: 60, market[1]: 30}  # 30 % of 100
    with database.transaction() as session:
        tell_offered(session, [offer.id for offer in found], MORNING)
    with database.reading() as session:
        assert len(session.exec(select(NewcomerOffer)).all()) == 1
        got = newcomers.given(session, now=MORNING)
    assert (got.pieces, got.volume, got.factories, got.share_ppm) == (30, 100, 1, 300_000)
    assert (got.by_share, got.cost_minor, got.by_share_ppm) == (30, 30 * 2_00, 300_000)
    open_sheets(database, 10)
    match(database, MORNING)
    assert pieces_by_factory(database)[market[1]] == 30  # the share is used up


def test_what_new_factories_win_by_themselves_is_not_put_down_to_the_share(
    database: Database, market: tuple[UUID, UUID]
) -> None:
    with database.transaction() as session:
        a_line(session, a_factory(session), weekly_capacity=1000, prices={1: 55_00})
        set_terms(session, 300_000, 1, None, now=MORNING)
    open_sheets(database, 20, 30, 40)
    match(database, MORNING)
    with database.reading() as session:
        runs = session.exec(select(MatchRun).where(col(MatchRun.share_pieces).is_not(None))).all()
        assert [(run.share_pieces, run.share_cost_minor) for run in runs] == [(0, 0)]


def test_a_factory_is_new_until_it_has_accepted_enough(database: Database, market: tuple[UUID, UUID]) -> None:
    with database.transaction() as session:
        set_terms(session, 500_000, 2, None, now=MORNING)
    open_sheets(database, 20)
    assert [offer.factory_id for offer in match(database, MORNING)] == [market[0]]  # with one offer it is still new


@pytest.mark.parametrize(("share", "orders"), [(-1, 1), (500_001, 1), (0, 0), (0, 101)])
def test_terms_that_make_no_sense_are_refused(database: Database, share: int, orders: int) -> None:
    with pytest.raises(InvalidMatchingTerms), database.transaction() as session:
        set_terms(session, share, orders, None, now=MORNING)
