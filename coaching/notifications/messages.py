"""
One small function a letter: who is told what, and the key of the promise.

Each returns a `Message` for `outbox.promise`. Contexts are plain values; what
a reader may not see (a rank, the word "weak", another's score) is not in them.
"""

from datetime import date, datetime, timedelta

from coaching.domain import cadence
from coaching.models import Case, Cohort, Letter, Look, Notice, Pair, Person
from coaching.notifications.outbox import Message

LONGEST_NOTICE = Notice._meta.get_field("text").max_length


def _message(
    *,
    kind: str,
    key: str,
    recipient: Person,
    notice: str,
    link: str,
    context: dict,
    pair: Pair | None = None,
    cohort: Cohort | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
) -> Message:
    letter = Letter(
        dedupe_key=key,
        kind=kind,
        recipient=recipient,
        pair=pair,
        cohort=cohort,
        context={"link": link, **context},
        next_attempt_at=not_before,
        expires_at=expires_at,
    )
    # Two of the longest names would not fit, and PostgreSQL would refuse the whole event.
    text = notice if len(notice) <= LONGEST_NOTICE else f"{notice[: LONGEST_NOTICE - 1]}…"
    return Message(letter, Notice(person=recipient, text=text, link=link, dedupe_key=key))


def day(value: date) -> str:
    """A date as letters write it: '4 January 2027'."""
    return f"{value.day} {value:%B %Y}"


def _about(pair: Pair, reader: Person) -> dict:
    """What both sides may know of a pair."""
    return {
        "side": "learner" if reader.pk == pair.learner_id else "coach",
        "partner": pair.partner_of(reader).name,
        "partner_first": pair.partner_of(reader).first_name,
        "learner": pair.learner.name,
        "learner_first": pair.learner.first_name,
        "coach": pair.coach.name,
        "metric": pair.metric.name,
        "baseline": pair.baseline_text,
        "target": pair.target_text,
        "test_date": day(pair.test_date),
    }


def pair_link(pair: Pair) -> str:
    return f"/pairs/{pair.public_id}/"


def invitation(pair: Pair, reader: Person) -> Message:
    return _message(
        kind=Letter.Kind.INVITATION,
        key=f"inv:{pair.public_id}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=f"You and {pair.partner_of(reader).name} have been paired.",
        link=pair_link(pair),
        context={**_about(pair, reader), "cohort": pair.cohort.name},
    )


def reminder(
    pair: Pair, reader: Person, *, due: datetime, last: Look | None, sessions: int
) -> Message:
    """The weekly note until the pair passes; the text knows what happened last."""
    local = due.astimezone(reader.zone).date()
    minute = cadence.quiet_minute(reader.public_id)
    not_before = cadence.occurrence(local, minute, reader.zone)
    if not_before < due:
        # Far to the east of the learner that morning has been; it is tomorrow's.
        local += timedelta(days=1)
        not_before = cadence.occurrence(local, minute, reader.zone)
    # The week is the learner's, the same for both sides wherever they are.
    week = cadence.week_name(due.astimezone(pair.learner.zone).date())
    return _message(
        kind=Letter.Kind.REMINDER,
        key=f"rem:{pair.public_id}:{week}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        # A reminder that is days old helps nobody; the next one is on its way.
        not_before=not_before,
        expires_at=not_before + timedelta(days=3),
        notice=f"Your weekly note on you and {pair.partner_of(reader).first_name}.",
        link=pair_link(pair),
        context={
            **_about(pair, reader),
            "sessions": sessions,
            "level": pair.read(last.level) if last else "",
            "at_target": bool(last and last.p_reached >= 0.8),
            "state": pair.state,
            "past_test_date": local > pair.test_date,
            "days_left": max((pair.test_date - local).days, 0),
        },
    )


def escalation(case: Case, reader: Person, *, why: str) -> Message:
    pair = case.pair
    return _message(
        kind=Letter.Kind.ESCALATION,
        key=f"esc:{pair.public_id}:{case.episode}:1:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=f"{pair.coach.name} and {pair.learner.name} need your decision.",
        link=pair_link(pair),
        context={**_about(pair, reader), "why": why, "cohort": pair.cohort.name},
    )


def passed(pair: Pair, reader: Person) -> Message:
    return _message(
        kind=Letter.Kind.PASSED,
        key=f"pas:{pair.public_id}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=f"Target reached: {pair.learner.name}, {pair.metric.name}.",
        link=pair_link(pair),
        context=_about(pair, reader),
    )


def decided(case: Case, reader: Person) -> Message:
    pair = case.pair
    return _message(
        kind=Letter.Kind.DECIDED,
        key=f"dec:{pair.public_id}:{case.episode}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=f"A decision about you and {pair.partner_of(reader).name}.",
        link=pair_link(pair),
        context={
            **_about(pair, reader),
            "decision": case.decision,
            "note": case.note,
            "decided_by": case.decided_by.name if case.decided_by else "",
        },
    )


def closed(cohort: Cohort, reader: Person, *, pairs: int, passed: int, is_manager: bool) -> Message:
    return _message(
        kind=Letter.Kind.CLOSED,
        key=f"clo:{cohort.public_id}:{reader.public_id}",
        recipient=reader,
        cohort=cohort,
        notice=f"The cohort “{cohort.name}” has closed.",
        link=f"/cohorts/{cohort.public_id}/" if is_manager else "/me/",
        context={
            "cohort": cohort.name,
            "pairs": pairs,
            "passed": passed,
            "is_manager": is_manager,
        },
    )


def digest(reader: Person, *, due: datetime, content: dict) -> Message:
    local = due.astimezone(reader.zone).date()
    return _message(
        kind=Letter.Kind.DIGEST,
        key=f"dig:{reader.public_id}:{cadence.week_name(local)}",
        recipient=reader,
        not_before=due,
        # By then the next digest tells it.
        expires_at=due + timedelta(days=7),
        notice="Your weekly digest is ready.",
        link="/",
        context={"week_of": day(local), **content},
    )
