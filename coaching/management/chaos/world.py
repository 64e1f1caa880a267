"""What the workers of an experiment work on, and what has become of it."""

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

from django.db.models import Q

from coaching.models import (
    Attempt,
    Beat,
    Bounce,
    Cohort,
    Event,
    Letter,
    Metric,
    Notice,
    Pair,
    Person,
    Ranking,
    Reading,
    Scorecard,
    Team,
)
from coaching.notifications import outbox

# A Monday; everybody's clock shows UTC.
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
State = Letter.State
BATCH = 1000
CONTEXT = {
    "link": "/",
    "week_of": "1 March 2027",
    "cohorts": [],
    "more_cohorts": 0,
    "pairs": [
        {
            "side": "learner", "partner": "Ivo Marković", "metric": "Customer satisfaction",
            "target": "4.21", "level": "3.90", "passed": False, "days_left": 20,
            "next_step": "Agree on a first session.", "link": "/pairs/x/",
        }
    ],
    "more_pairs": 0,
}  # fmt: skip


def empty() -> None:
    """Nothing of an earlier experiment is left."""
    for model in (Letter, Notice, Event, Pair, Cohort, Ranking, Scorecard, Beat, Bounce, Reading):
        model.objects.all().delete()
    Team.objects.update(manager=None)
    Person.objects.all().delete()
    Team.objects.all().delete()


def people(addresses: Iterable[str], **values) -> list[Person]:
    values = {"time_zone": "UTC", "day_begins": time(0), "day_ends": time(23, 59), **values}
    rows = []
    for number, address in enumerate(addresses):
        person = Person(key=address, name=f"Reader {number}", email=address, **values)
        person.working_days = "1234567"
        rows.append(person)
    Person.objects.bulk_create(rows, batch_size=BATCH)
    return rows


def letters(locals_: Iterable[str], *, now: datetime = NOW, over: timedelta = timedelta(0)) -> int:
    """A digest each for readers with these local parts, due now or one by one; how many."""
    readers = people([f"{local}@example.com" for local in locals_])
    dues = [now + over * place / len(readers) for place in range(len(readers))]
    for at in range(0, len(readers), BATCH):
        outbox.promise(
            [
                outbox.Message(
                    Letter(
                        dedupe_key=reader.key,
                        kind=Letter.Kind.DIGEST,
                        recipient=reader,
                        context=CONTEXT,
                        next_attempt_at=due,
                    )
                )
                for reader, due in zip(readers[at : at + BATCH], dues[at : at + BATCH], strict=True)
            ],
            now=now,
        )
    return len(readers)


def pairs(number: int, *, now: datetime = NOW) -> None:
    """So many live pairs in one cohort, under one manager."""
    team = Team.objects.create(name=f"Team {uuid.uuid4().hex[:6]}")
    mara, *others = people(
        [f"{side}.{n}@example.com" for n in range(number) for side in ("learner", "coach")]
        + ["manager@example.com"],
        team=team,
    )[::-1]
    team.manager = mara
    team.save()
    metric, _ = Metric.objects.get_or_create(
        key="csat", defaults={"name": "Satisfaction", "kind": "mean"}
    )
    monday = (now - timedelta(days=now.weekday())).date()
    ranking = Ranking.objects.create(
        scorecard=Scorecard.objects.create(name="All", team=team),
        since=monday - timedelta(weeks=14),
        until=monday - timedelta(weeks=1),
        created_at=now,
    )
    cohort = Cohort.objects.create(
        name="Cohort", team=team, ranking=ranking, state=Cohort.State.LIVE,
        test_date=monday + timedelta(weeks=10), created_at=now, launched_at=now,
    )  # fmt: skip
    Pair.objects.bulk_create(
        Pair(
            cohort=cohort, learner=others[2 * n + 1], coach=others[2 * n], metric=metric, slot=1,
            score=700, baseline=3.0, baseline_se=0.1, peer_mean=3.5, tau2=0.09, sigma2=0.9,
            target=3.6, stretch=3.66, target_formula="-", counts_from=monday,
            test_date=cohort.test_date, started_at=now, state_since=now, clocks_from=monday,
            next_check_at=now, next_reminder_at=now + timedelta(days=2),
        )
        for n in range(number)
    )  # fmt: skip


def something_happens(*, now: datetime) -> None:
    """An event as every service writes it: audit line, letter and notice in one transaction."""
    reader = Person.objects.order_by("pk").first()
    key = uuid.uuid4().hex
    Event.objects.create(at=now, verb="happened", subject_type="thing", subject_id=key)
    letter = Letter(
        dedupe_key=key, kind=Letter.Kind.CLOSED, recipient=reader, context={"link": "/"}
    )
    outbox.promise(
        [outbox.Message(letter, Notice(person=reader, text="-", dedupe_key=key))], now=now
    )


class Account(NamedTuple):
    """
    Letters against what the mail server has written down.

    lost : marked sent, or not waiting any more, and never accepted
    extra : accepted more than once, beyond the first time
    unexplained : of those, without a worker that stopped, or no answer, after handing it over
    distinct : Message-IDs among the extra copies that are not their letter's own
    """

    letters: int
    sent: int
    lost: int
    extra: int
    unexplained: int
    distinct: int
    aside: int


def account(record: Path) -> Account:
    accepted: Counter[str] = Counter()
    addresses: dict[str, set[str]] = {}
    for _, message_id, address, _ in accepted_lines(record):
        accepted[message_id] += 1
        addresses.setdefault(address, set()).add(message_id)
    rows = list(Letter.objects.values_list("pk", "message_id", "state", "failure"))
    aside = sum(failure == Letter.Failure.POISON for *_, failure in rows)
    lost = sum(
        state == State.SENT and not accepted[str(message_id)] for _, message_id, state, _ in rows
    )
    copied = {pk for pk, message_id, *_ in rows if accepted[str(message_id)] > 1}
    explained = set(
        Attempt.objects.filter(letter__in=copied)
        .filter(Q(outcome="uncertain") | Q(outcome="stopped", detail__startswith="Perhaps sent"))
        .values_list("letter", flat=True)
    )
    return Account(
        letters=len(rows),
        sent=sum(state == State.SENT for _, _, state, _ in rows),
        lost=lost,
        extra=sum(accepted.values()) - len(accepted),
        unexplained=len(copied - explained),
        distinct=sum(len(ids) - 1 for ids in addresses.values()),
        aside=aside,
    )


class Accepted(NamedTuple):
    """A line of the mail server's: Message-ID without its host, `by` the name of a worker."""

    at: float
    message_id: str
    address: str
    by: str


def accepted_lines(record: Path) -> Iterable[Accepted]:
    if record.exists():
        for line in record.read_text().splitlines():
            at, message_id, address, by = line.split(" ")
            yield Accepted(float(at), message_id[1:].partition("@")[0], address, by)


def unsettled() -> int:
    """Letters that workers still have something to do with."""
    waiting = [State.PENDING, State.LEASED, State.SENDING]
    return Letter.objects.filter(state__in=waiting).count()
