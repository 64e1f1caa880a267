"""Is everything at work? Asked by load balancers, compose, the status page and managers' home."""

from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count

from coaching.domain.said import Said, said, said_many
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
            return [said("The database is not up to date. Run: manage.py migrate")]
        return [*_silence(now=now), *_clocks(), *_mail_server()]
    except DatabaseError as error:
        return [said("The database cannot be reached: %(error)s", error=error)]


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
        since = _since(now - beats["tick"]) if "tick" in beats else said("since it was set up")
        found.append(
            said(
                "Lanemate has done nothing %(since)s: no readings looked at, no letters sent.",
                since=since,
            )
        )
    elif MAIL_STOPPED in beats:
        since = _since(now - beats[MAIL_STOPPED])
        found.append(
            said("No letter has left %(since)s. They wait, and none is lost.", since=since)
        )
    return found


def _silence(*, now: datetime) -> list[str]:
    beat = Beat.objects.filter(name="tick").first()
    if beat is None:
        return [said("No tick has run yet. Start a worker and beat, or: manage.py serve")]
    if now - beat.at > LONGEST_SILENCE:
        return [
            said(
                "The last tick ran %(ago)s: nothing is sent or looked at. Check that beat and a "
                "worker are running.",
                ago=_ago(now - beat.at),
            )
        ]
    return []


def _clocks() -> list[str]:
    found = []
    drift = abs(clock.drift())
    if drift > LONGEST_DRIFT:
        found.append(
            said(
                "The clocks of this machine and of the database differ by %(seconds)s seconds. "
                "Set them right (NTP does it).",
                seconds=f"{drift.total_seconds():.0f}",
            )
        )
    if Beat.objects.filter(name=CLOCK_REFUSED).exists():
        found.append(
            said(
                "The clock has jumped, and ticks refuse to run; their log says from when to when. "
                "If it is right now, run: manage.py tick --accept-clock"
            )
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
        said(
            "No letter is sent since %(since)s UTC; nothing is lost. %(why)s",
            since=f"{stopped.at:%Y-%m-%d %H:%M}",
            why=_last_word(last or ""),
        )
    ]


def _last_word(outcome: str) -> str:
    """
    What is kept of the newest try, as it can be said in another language.

    >>> _last_word("Tried again later: 451 Greylisted"), _last_word("")
    ('Tried again later: 451 Greylisted', 'The mail server cannot be used.')
    """
    for sentence in ("The mail server cannot be used: %(detail)s", "Tried again later: %(detail)s"):
        start = sentence.partition("%")[0]
        if outcome.startswith(start):
            return said(sentence, detail=outcome.removeprefix(start))
    return outcome or said("The mail server cannot be used.")


def _since(length: timedelta) -> Said:
    unit, number = _read(length)
    match unit:
        case "minutes":
            return said_many("for %(number)s minute", "for %(number)s minutes", number)
        case "hours":
            return said_many("for %(number)s hour", "for %(number)s hours", number)
    return said_many("for %(number)s day", "for %(number)s days", number)


def _ago(length: timedelta) -> Said:
    unit, number = _read(length)
    match unit:
        case "minutes":
            return said_many("%(number)s minute ago", "%(number)s minutes ago", number)
        case "hours":
            return said_many("%(number)s hour ago", "%(number)s hours ago", number)
    return said_many("%(number)s day ago", "%(number)s days ago", number)


def _read(length: timedelta) -> tuple[str, int]:
    minutes = int(length.total_seconds() // 60)
    if minutes < 120:
        return "minutes", minutes
    return ("hours", minutes // 60) if minutes < 48 * 60 else ("days", minutes // (24 * 60))
