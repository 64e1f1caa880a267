"""
Coaching should not cost the coach: a notice when their own numbers notably fall meanwhile.

The rule is `domain.movement`: in three weekly looks in a row, from the fourth week of coaching
on, the level is with 90 % below the shrunken estimate of the launch by more than half of the
spread between people, after what uncoached peers moved is taken off.
"""

from datetime import datetime, timedelta

from django.db import transaction

from coaching.domain.movement import OVER, has_fallen
from coaching.domain.said import Said, said
from coaching.models import Beat, Dip, Notice, Person
from coaching.notifications import messages, outbox
from coaching.queries import people
from coaching.queries.coaching import OwnNumbers, own_numbers
from coaching.services import audit

BEAT = "coaches' own numbers"
EVERY = timedelta(days=1)


def watch(*, now: datetime) -> int:
    """
    Look at the own numbers of everybody who coaches, once a day; returns how many fell anew.

    Safe to run at any time, any number at once. A dip is told once: to the coach's nearest
    manager and to the coach. It is over when the level is back, or when they no longer coach
    that skill; only then another one can begin.
    """
    Beat.objects.get_or_create(name=BEAT, defaults={"at": now - EVERY})
    # Only one of any number of ticks moves it.
    if not Beat.objects.filter(name=BEAT, at__lte=now - EVERY).update(at=now):
        return 0
    rows = own_numbers(now=now)
    open_ = {row.dip.pk for row in rows if row.dip}
    Dip.objects.filter(over_at=None).exclude(pk__in=open_).update(over_at=now)
    found = 0
    for row in rows:
        if row.dip is None and has_fallen([(look.number, look.p) for look in row.looks]):
            found += _begin(row, now=now)
        elif row.dip and row.looks and row.looks[-1].p < OVER:
            _end(row, now=now)
    return found


@transaction.atomic
def _begin(row: OwnNumbers, *, now: datetime) -> bool:
    last = row.looks[-1]
    dip, new = Dip.objects.get_or_create(
        person=row.coach,
        metric=row.metric,
        over_at=None,
        defaults={"before": row.before, "level": last.level, "week": last.week, "found_at": now},
    )
    if not new:
        return False
    managers = people.chain_above(row.coach)[:1]
    outbox.tell([_to_manager(row, dip, manager) for manager in managers], now=now)
    outbox.tell([_to_coach(row, dip, told=bool(managers))], now=now)
    audit.record(
        "coach's own numbers fell",
        row.coach,
        by=None,
        now=now,
        team=row.coach.team,
        metric=row.metric.key,
        week=last.week.isoformat(),
    )
    return True


@transaction.atomic
def _end(row: OwnNumbers, *, now: datetime) -> None:
    if Dip.objects.filter(pk=row.dip.pk, over_at=None).update(over_at=now):
        audit.record(
            "coach's own numbers are back",
            row.coach,
            by=None,
            now=now,
            team=row.coach.team,
            metric=row.metric.key,
        )


def _to_manager(row: OwnNumbers, dip: Dip, manager: Person) -> Notice:
    return _notice(
        manager,
        dip,
        said(
            "%(name)s coaches, and %(first_name)s's own %(metric)s is notably below where it was "
            "(%(before)s, now %(now)s). Time for a word, or for fewer learners.",
            name=row.coach.name,
            first_name=row.coach.first_name,
            metric=row.metric.name,
            before=row.before_text,
            now=row.now_text,
        ),
        f"/people/{row.coach.public_id}/",
    )


def _to_coach(row: OwnNumbers, dip: Dip, *, told: bool) -> Notice:
    text = (
        said(
            "Your own %(metric)s is notably below where it was before you coached. Coaching "
            "should not cost you: say if it is too much. Your manager is told the same.",
            metric=row.metric.name,
        )
        if told
        else said(
            "Your own %(metric)s is notably below where it was before you coached. Coaching "
            "should not cost you: say if it is too much.",
            metric=row.metric.name,
        )
    )
    return _notice(row.coach, dip, text, "/me/coaching/#own")


def _notice(person: Person, dip: Dip, text: Said, link: str) -> Notice:
    return messages.notice_of(person, text, link=link, key=f"dip:{dip.pk}:{person.public_id}")
