"""What is due for both sides of every pair that is still swimming: a letter a day at most."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Prefetch

from coaching.domain import cadence, reminders
from coaching.models import Cohort, Letter, Pair, Person, Worksheet
from coaching.notifications import messages, outbox
from coaching.notifications.outbox import Message
from coaching.queries import pairs as pair_queries
from coaching.queries import sessions

BATCH = 500
# What fell due earlier than this, while nobody looked, is not asked for any more.
LOOK_BACK = timedelta(days=6)
# Between the first and the last moment of a day, over all zones, with room to spare.
ONE_DAY_ANYWHERE = timedelta(days=3)


def next_reminder(pair: Pair, *, after: datetime) -> datetime:
    """The learner's next morning; each side's own minute follows from it."""
    return reminders.next_morning(pair.learner.zone, after)


def remind_due(*, now: datetime) -> int:
    """
    Promise what is due to both sides of each pair whose morning has come; returns how many
    letters that were.

    However long the sweep was down, one letter a side is promised, not one for each day.
    """
    promised = 0
    while True:
        due = list(
            pair_queries.with_record(Pair.objects.active().filter(next_reminder_at__lte=now))
            .prefetch_related(
                Prefetch(
                    "worksheets",
                    # Mondays west of here may still be last week's.
                    queryset=Worksheet.objects.filter(week__gte=now.date() - timedelta(days=14)),
                )
            )
            .order_by("next_reminder_at", "pk")[:BATCH]
        )
        if not due:
            return promised
        asked, quiet = [], []
        for pair in due:
            letters = due_letters(pair, now=now)
            if letters:
                asked.append((pair, letters))
            else:
                quiet.append(pair)
        if asked:
            promised += _promise(asked, now=now)
        _pass_over(quiet, now=now)


def due_letters(pair: Pair, *, now: datetime) -> list[Message]:
    """What is due this morning, for each side at most one letter; nothing on a day of leave."""
    today = now.astimezone(pair.learner.zone).date()
    if pair_queries.somebody_away(pair, today):
        return []
    asked_last = pair.next_reminder_at.astimezone(pair.learner.zone).date()
    since = min(max(asked_last, today - LOOK_BACK), today)
    letters = []
    for reader in (pair.learner, pair.coach):
        steps = reminders.due(facts_for(pair, reader, today, now=now), since=since, until=today)
        if steps:
            letters.append(_letter(pair, reader, steps, today=today, now=now))
    return letters


def facts_for(pair: Pair, reader: Person, today: date, *, now: datetime) -> reminders.Facts:
    """What is known of a pair this morning, for one of its sides."""
    zone = pair.learner.zone
    held = [day for row in pair.sessions.all() if (day := row.held_on) and day >= pair.clocks_from]
    rows = list(pair.sessions.all())
    ahead = sessions.upcoming(rows, now=now)
    unanswered = sessions.unanswered(rows, now=now)
    return reminders.Facts(
        learns=reader.pk == pair.learner_id,
        started_on=pair.started_at.astimezone(zone).date(),
        clocks_from=pair.clocks_from,
        first_session_days=pair.cohort.first_session_days,
        test_date=pair.test_date,
        state=pair.state,
        state_since=pair.state_since.astimezone(zone).date(),
        last_session=max(held, default=None),
        next_session=ahead.starts_at.astimezone(zone).date() if ahead else None,
        unanswered=unanswered.starts_at.astimezone(zone).date() if unanswered else None,
        page=_page(pair, today),
        working_days=reader.working_days or reminders.EVERY_DAY,
    )


def _page(pair: Pair, today: date) -> reminders.Page:
    week = cadence.week_of(today)
    sheet = next((row for row in pair.worksheets.all() if row.week == week), None)
    if sheet is None or sheet.learner_at is None:
        return reminders.Page.EMPTY
    return reminders.Page.LEARNER if sheet.coach_at is None else reminders.Page.BOTH


def _letter(
    pair: Pair, reader: Person, steps: list[reminders.Step], *, today: date, now: datetime
) -> Message:
    rows, looks = list(pair.sessions.all()), list(pair.looks.all())
    held = [row.held_on for row in rows if row.held_on]
    ahead = sessions.upcoming(rows, now=now)
    verdict = pair_queries.verdict_on(pair, looks=looks, now=now)
    return messages.reminder(
        pair,
        reader,
        due=cadence.occurrence(today, cadence.REMINDER_HOUR, pair.learner.zone),
        last=looks[-1] if looks else None,
        sessions=len(held),
        steps=[step.value for step in steps],
        last_session=max(held, default=None),
        next_session=ahead.starts_at if ahead else None,
        unanswered=sessions.unanswered(rows, now=now),
        page=_page(pair, today),
        why=verdict.why if pair.state == verdict.state else "",
    )


@transaction.atomic
def _promise(asked: list[tuple[Pair, list[Message]]], *, now: datetime) -> int:
    """Promise the letters of pairs, but of those another sweep has; returns how many."""
    read = {pair.pk: (pair.next_reminder_at, pair.revision) for pair, _ in asked}
    # The cohorts first, as everywhere: whoever ends a pair holds its cohort, which its letters
    # point to.
    cohorts = Cohort.objects.select_for_update(no_key=True).order_by("pk")
    list(cohorts.filter(pk__in={pair.cohort_id for pair, _ in asked}).values_list("pk"))
    rows = Pair.objects.active().select_for_update(no_key=True).filter(pk__in=read).order_by("pk")
    # Only the sweep that still sees the old date may move it. The new date is always after
    # `now`, so the loop ends.
    mine = {
        pk
        for pk, at, revision in rows.values_list("pk", "next_reminder_at", "revision")
        if (at, revision) == read[pk]
    }
    _pass_over([pair for pair, _ in asked if pair.pk in mine], now=now)
    # Whoever moves west has a day twice; they still get one letter on it.
    before = Letter.objects.filter(
        pair__in=mine, kind=Letter.Kind.REMINDER, created_at__gte=now - ONE_DAY_ANYWHERE
    )
    told = {
        (_morning(key), reader) for key, reader in before.values_list("dedupe_key", "recipient_id")
    }
    fresh = [
        row
        for pair, letters in asked
        if pair.pk in mine
        for row in letters
        if (_morning(row.letter.dedupe_key), row.letter.recipient.pk) not in told
    ]
    outbox.promise(fresh, now=now)
    return len(fresh)


def _morning(key: str) -> str:
    """The part of a reminder's key that names the pair and its day."""
    return ":".join(key.split(":")[:3])


def _pass_over(pairs: list[Pair], *, now: datetime) -> None:
    """Nothing is due today: look again tomorrow morning, in one write for each zone."""
    mornings: dict[datetime, list[int]] = {}
    for pair in pairs:
        mornings.setdefault(next_reminder(pair, after=now), []).append(pair.pk)
    for morning, keys in mornings.items():
        Pair.objects.active().filter(pk__in=keys, next_reminder_at__lte=now).update(
            next_reminder_at=morning
        )
