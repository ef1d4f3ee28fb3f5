"""Groups of needs: where one more belongs, what a group is about, and all of them grouped anew now and then."""

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlmodel import Session

from c2m.config import Stored
from c2m.db import Database, chunks, insert_rows, table_of, update_rows, uuid7
from c2m.demand.clustering.describing import described
from c2m.demand.models import Need, NeedGroup, NeedState

if TYPE_CHECKING:
    from c2m.demand.clustering.encoding import Encode
    from c2m.demand.clustering.pool import Pool

REGROUP = "demand.regroup_needs"
REMEMBERED = timedelta(days=180)  # needs older than this are grouped with no more
WORTH_READING = 300  # open needs; fewer are read within a moment
MOST_DESCRIBED = 500  # needs of a group its words are taken from

need, group = table_of(Need), table_of(NeedGroup)


@dataclass
class _Known:
    """The needs this process compares new ones with: texts in a pool, their ids, and the last one read."""

    pool: "Pool"
    ids: list[UUID] = field(default_factory=list)
    seen: set[UUID] = field(default_factory=set)
    since: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_known: WeakKeyDictionary[sa.Engine, _Known] = WeakKeyDictionary()
_making = threading.Lock()


def place_needs(session: Session, ids: Sequence[UUID], *, now: datetime) -> None:
    """Put needs with their like, each into the group it is nearest to on average, or into one of its own."""
    known = _known_of(session)
    wanted = {row.id: row.words for row in _rows(session, ids)}
    with known.lock:
        _catch_up(session, known, ids, now)
        for need_id in ids:
            near = known.pool.nearest(wanted[need_id])
            others = [(known.ids[number], like) for number, like in near if known.ids[number] != need_id]
            group_id = _place_among(session, others) or _new_group(session, wanted[need_id], now=now)
            session.execute(sa.update(need).where(need.c.id == need_id).values(group_id=group_id))
            refresh_groups(session, [group_id])


def get_ready(database: Database, *, now: datetime) -> int:
    """Read the open needs where they are many, before the first new one has to wait for it; how many were read."""
    with database.reading() as session:
        many = session.execute(sa.select(sa.func.count()).select_from(_open(now).subquery())).scalar_one()
        if many < WORTH_READING:
            return 0
        known = _known_to(database.engine)
        with known.lock:
            _catch_up(session, known, [], now)
            return len(known.ids)


def refresh_groups(session: Session, ids: Sequence[UUID]) -> None:
    """Say anew what groups are about, from the needs that are open in them."""
    changes = []
    for group_id in ids:
        newest = sa.select(need.c.words).where(need.c.group_id == group_id, need.c.state == NeedState.OPEN)
        texts = session.execute(newest.order_by(need.c.id.desc()).limit(MOST_DESCRIBED)).scalars().all()
        if texts:
            changes.append(_description(group_id, texts))
    update_rows(session, NeedGroup, changes)


def grouped_anew(session: Session, _ids: Sequence[UUID], now: datetime) -> Sequence[Any]:
    """A full run over all open needs: pairs of a need and the group of a new grouping, numbered; nothing is changed."""
    from c2m.demand.clustering.grouping import groups_of

    rows = session.execute(_open(now).order_by(need.c.id)).all()
    return list(
        zip([row.id for row in rows], groups_of([row.words for row in rows], encode=_encoder()).tolist(), strict=True)
    )


def record_groups(session: Session, grouping: Sequence[tuple[UUID, int]], now: datetime) -> None:
    """Make a new grouping the one in force. A group keeps its identity where most of its needs went."""
    before = _groups_of(session, [need_id for need_id, _number in grouping])
    overlap = Counter((number, before[need_id]) for need_id, number in grouping if before.get(need_id) is not None)
    stays: dict[int, UUID] = {}
    taken: set[UUID] = set()
    for (number, group_id), _count in sorted(overlap.items(), key=lambda pair: (-pair[1], pair[0][0])):
        if number not in stays and group_id is not None and group_id not in taken:
            stays[number] = group_id
            taken.add(group_id)
    texts: dict[int, list[str]] = defaultdict(list)
    words = {row.id: row.words for row in _rows(session, list(before))}
    for need_id, number in grouping:
        if need_id in words:
            texts[number].append(words[need_id])
    new = {number: uuid7() for number in texts if number not in stays}
    insert_rows(session, NeedGroup, [_description(new[n], texts[n]) | {"formed_at": now} for n in sorted(new)])
    of = stays | new
    moved = [{"id": i, "group_id": of[n]} for i, n in grouping if i in words and before[i] != of[n]]
    update_rows(session, Need, moved)
    update_rows(session, NeedGroup, [_description(stays[n], texts[n]) for n in sorted(stays) if texts[n]])


def _known_of(session: Session) -> _Known:
    engine = session.get_bind()
    return _known_to(engine.engine if isinstance(engine, sa.Connection) else engine)


def _known_to(engine: sa.Engine) -> _Known:
    from c2m.demand.clustering.pool import Pool

    with _making:
        return _known.setdefault(engine, _Known(Pool([], _encoder())))


def _encoder() -> "Encode | None":
    """The sentence encoder that this installation has, if any."""
    folder = Stored().demand_encoder
    return _loaded(folder) if folder else None


@cache
def _loaded(folder: str) -> "Encode":
    from c2m.demand.clustering.encoding import Encoder

    return Encoder(folder)


def _catch_up(session: Session, known: _Known, ids: Sequence[UUID], now: datetime) -> None:
    """Read these needs and those that were stated since; a first time all of them are."""
    statement = _open(now)
    if known.since is not None:
        statement = statement.where((need.c.stated_at >= known.since) | need.c.id.in_(ids))
    fresh = [row for row in session.execute(statement.order_by(need.c.stated_at)) if row.id not in known.seen]
    if not known.ids and fresh:
        known.pool = type(known.pool)([row.words for row in fresh], known.pool.encode)
    else:
        for row in fresh:
            known.pool.add(row.words)
    known.ids += [row.id for row in fresh]
    known.seen.update(row.id for row in fresh)
    if fresh:
        latest = fresh[-1].stated_at - timedelta(minutes=5)
        known.since = max(known.since or latest, latest)  # others may commit a little later what they began


def _open(now: datetime) -> sa.Select[Any]:
    return sa.select(need.c.id, need.c.words, need.c.stated_at).where(
        need.c.state == NeedState.OPEN, need.c.stated_at >= now - REMEMBERED
    )


def _place_among(session: Session, near: Sequence[tuple[UUID, float]]) -> UUID | None:
    from c2m.demand.clustering.pool import place

    groups = _groups_of(session, [need_id for need_id, _like in near])
    across = [(found, like) for need_id, like in near if (found := groups.get(need_id)) is not None]
    return place(across, _sizes(session, list({found for found, _like in across})))


def _rows(session: Session, ids: Sequence[UUID]) -> list[sa.Row[Any]]:
    statement = sa.select(need.c.id, need.c.words, need.c.group_id).where(need.c.state == NeedState.OPEN)
    return [row for part in chunks(ids) for row in session.execute(statement.where(need.c.id.in_(part)))]


def _groups_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
    return {row.id: row.group_id for row in _rows(session, ids)}


def _sizes(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    counted = sa.select(need.c.group_id, sa.func.count()).where(
        need.c.group_id.in_(ids), need.c.state == NeedState.OPEN
    )
    return {group_id: int(n) for group_id, n in session.execute(counted.group_by(need.c.group_id))}


def _new_group(session: Session, words: str, *, now: datetime) -> UUID:
    group_id = uuid7()
    insert_rows(session, NeedGroup, [_description(group_id, [words]) | {"formed_at": now}])
    return group_id


def _description(group_id: UUID, texts: Sequence[str]) -> dict[str, Any]:
    about = described(texts)
    return {
        "id": group_id,
        "title": about.title[:120],
        "title_en": about.title_en[:120],
        "category": about.category,
        "words": list(about.words),
    }
