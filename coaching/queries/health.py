"""Is everything at work? Asked by load balancers, compose, the status page and managers' home."""

from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count

from coaching.models import Beat, Letter
from coaching.queries import clock

# A tick comes every minute; after this long without one, letters are late.
LONGEST_SILENCE = timedelta(minutes=5)
LONGEST_DRIFT = timedelta(minutes=1)
RECENTLY = timedelta(days=1)
# Rows that say something is out of order; they are gone when it is not.
MAIL_STOPPED, CLOCK_REFUSED = "mail stopped", "clock refused"

State, Failure = Letter.State, Letter.Failure


def troubles(*, now: datetime) -> list[str]:
    """What keeps Lanemate from doing its work, in words; empty when all is well."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return ["The database is not up to date. Run: manage.py migrate"]
        return [*_silence(now=now), *_clocks(), *_mail_server()]
    except DatabaseError as error:
        return [f"The database cannot be reached: {error}"]


def worries(*, now: datetime) -> list[str]:
    """Letters that somebody should look at; everything else goes on meanwhile."""
    rows = (
        Letter.objects.filter(state__in=[State.DEAD, State.UNCERTAIN])
        .filter(next_attempt_at__gte=now - RECENTLY)
        .order_by()
        .values_list("state", "failure")
        .annotate(Count("pk"))
    )
    counts: dict[tuple[int, bool], int] = {}
    for state, failure, number in rows:
        key = state, failure == Failure.POISON
        counts[key] = counts.get(key, 0) + number
    told = (
        ((State.UNCERTAIN, False), "perhaps sent, and waiting for somebody to decide"),
        ((State.DEAD, True), "put aside because they stopped every worker that took them"),
        ((State.DEAD, False), "given up; each says why"),
    )
    return [
        f"Letters of the last day that are {words}: {counts[key]}."
        for key, words in told
        if key in counts
    ]


def alarms(*, now: datetime) -> list[str]:
    """The same for managers, who cannot put it right: that nothing is done, and since when."""
    beats = dict(Beat.objects.filter(name__in=["tick", MAIL_STOPPED]).values_list("name", "at"))
    found = []
    if "tick" not in beats or now - beats["tick"] > LONGEST_SILENCE:
        since = _since(now - beats["tick"]) if "tick" in beats else "since it was set up"
        found.append(f"Lanemate has done nothing {since}: no readings looked at, no letters sent.")
    elif MAIL_STOPPED in beats:
        since = _since(now - beats[MAIL_STOPPED])
        found.append(f"No letter has left {since}. They wait, and none is lost.")
    return found


def _silence(*, now: datetime) -> list[str]:
    beat = Beat.objects.filter(name="tick").first()
    if beat is None:
        return ["No tick has run yet. Start a worker and beat, or: manage.py serve"]
    if now - beat.at > LONGEST_SILENCE:
        return [
            f"The last tick ran {_read(now - beat.at)} ago: nothing is sent or looked at. "
            "Check that beat and a worker are running."
        ]
    return []


def _clocks() -> list[str]:
    found = []
    drift = abs(clock.drift())
    if drift > LONGEST_DRIFT:
        found.append(
            f"The clocks of this machine and of the database differ by {drift.total_seconds():.0f} "
            "seconds. Set them right (NTP does it)."
        )
    if Beat.objects.filter(name=CLOCK_REFUSED).exists():
        found.append(
            "The clock has jumped, and ticks refuse to run; their log says from when to when. "
            "If it is right now, run: manage.py tick --accept-clock"
        )
    return found


def _mail_server() -> list[str]:
    stopped = Beat.objects.filter(name=MAIL_STOPPED).first()
    if stopped is None:
        return []
    last = (
        Letter.objects.filter(state=State.PENDING)
        .filter(failure__in=[Failure.SENDER, Failure.UNREACHED])
        .order_by("next_attempt_at", "pk")
        .values_list("outcome", flat=True)
        .first()
    )
    return [
        f"No letter is sent since {stopped.at:%Y-%m-%d %H:%M} UTC; nothing is lost. "
        f"{last or 'The mail server cannot be used.'}"
    ]


def _since(length: timedelta) -> str:
    return f"for {_read(length)}"


def _read(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
