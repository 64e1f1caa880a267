"""
One small function a letter: who is told what, and the key of the promise.

Each returns a `Message` for `outbox.promise`. Contexts are plain values without a language
(`words.keep`); what a reader may not see (a rank, the word "weak", another's score) is not in
them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import blake2b

from django.utils.translation import override

from coaching.domain import cadence
from coaching.domain.said import Dated, Said, said, said_many
from coaching.models import (
    Case,
    Clinic,
    Cohort,
    Helper,
    Letter,
    Look,
    Notice,
    Pair,
    Person,
    Session,
    Worksheet,
)
from coaching.notifications import answers, ics, words
from coaching.notifications.outbox import Message

LONGEST_NOTICE = Notice._meta.get_field("text").max_length
# What concerns a meeting as near as this does not wait for the next working morning.
AT_ONCE = timedelta(hours=36)


def _message(
    *,
    kind: str,
    key: str,
    recipient: Person,
    notice: Said,
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
        context=words.keep({"link": link, **context}, recipient.zone),
        next_attempt_at=not_before,
        expires_at=expires_at,
    )
    return Message(letter, notice_of(recipient, notice, link=link, key=key))


def notice_of(reader: Person, text: Said, *, link: str, key: str) -> Notice:
    """What somebody is told inside Lanemate, in the language they read today."""
    with override(reader.reading_language):
        told = str(words.tell(text))
    # Two of the longest names would not fit, and PostgreSQL would refuse the whole event.
    told = told if len(told) <= LONGEST_NOTICE else f"{told[: LONGEST_NOTICE - 1]}…"
    return Notice(person=reader, text=told, link=link, dedupe_key=key)


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
        "test_date": pair.test_date,
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
        notice=said("You and %(partner)s have been paired.", partner=pair.partner_of(reader).name),
        link=pair_link(pair),
        context={**_about(pair, reader), "cohort": pair.cohort.name},
    )


def reminder(
    pair: Pair,
    reader: Person,
    *,
    due: datetime,
    last: Look | None,
    sessions: int,
    steps: Sequence[str] = ("worksheet",),
    last_session: date | None = None,
    next_session: datetime | None = None,
    unanswered: Session | None = None,
    page: str = "empty",
    why: str = "",
) -> Message:
    """
    What is due for one side of a pair, until it passes; the text knows what happened last.

    steps : what is due (`domain.reminders.Step`), the most urgent first: it writes the letter
    page : how far this week's worksheet is (`domain.reminders.Page`)
    why : why the pair is at risk, in a sentence
    """
    local = due.astimezone(reader.zone).date()
    minute = cadence.quiet_minute(reader.public_id, reader.day_begins, reader.day_ends)
    not_before = cadence.occurrence(local, minute, reader.zone)
    if not_before < due:
        # Far to the east of the learner that morning has been; it is tomorrow's.
        local += timedelta(days=1)
        not_before = cadence.occurrence(local, minute, reader.zone)
    # The day is the learner's, the same for both sides wherever they are.
    today = due.astimezone(pair.learner.zone).date()
    first, *also = steps
    days_since = (local - last_session).days if last_session else None
    return _message(
        kind=Letter.Kind.REMINDER,
        key=f"rem:{pair.public_id}:{today}:{first}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        not_before=not_before,
        # A reminder that is days old helps nobody; the next one is on its way.
        expires_at=not_before + timedelta(days=2),
        notice=_reminded(first, pair, reader),
        link=f"{pair_link(pair)}worksheet/" if first == "worksheet" else pair_link(pair),
        context={
            **_about(pair, reader),
            "reason": said(
                "You get reminders until your pair reaches its target, and not a day longer."
            ),
            "step": first,
            "also": also,
            "steps": list(steps),
            "sessions": sessions,
            "last_session": last_session or "",
            "days_since": days_since,
            "next_session": next_session or "",
            "asked": unanswered.starts_at if unanswered else "",
            "answer": answers.path(unanswered, reader) if unanswered else "",
            "page": page,
            "worksheet": f"{pair_link(pair)}worksheet/",
            "why": why,
            "level": pair.read(last.level) if last else "",
            "at_target": bool(last and last.p_reached >= 0.8),
            "state": pair.state,
            "past_test_date": local > pair.test_date,
            "days_left": max((pair.test_date - local).days, 0),
        },
    )


def _reminded(step: str, pair: Pair, reader: Person) -> Said:
    """A reminder in one line, for inside Lanemate."""
    partner = pair.partner_of(reader).first_name
    match step:
        case "still_swimming":
            return said(
                "The test has been; you and %(partner)s go on until the target.", partner=partner
            )
        case "at_risk":
            return said("You and %(partner)s: one session this week helps most.", partner=partner)
        case "first_session":
            return said("Agree on a first session with %(partner)s.", partner=partner)
        case "test_soon":
            return said("The test of you and %(partner)s is near.", partner=partner)
        case "log_session":
            return said("Did your session with %(partner)s take place?", partner=partner)
        case "worksheet":
            return said("This week's page of you and %(partner)s waits for you.", partner=partner)
    return said("A note on you and %(partner)s.", partner=partner)


def _calendar_file(meeting: ics.Meeting, reader: Person, *, now: datetime) -> str:
    with override(reader.reading_language):
        return ics.file(meeting, now=now)


def session(
    session: Session, reader: Person, *, what: str, by: Person | None, now: datetime, why: str = ""
) -> Message:
    """
    A session for the reader's calendar: 'planned', 'moved' or 'withdrawn'.

    The calendar file is under "ics". It leaves at once when the session is near.
    """
    pair = session.pair
    organiser = session.logged_by or pair.learner
    cancelled = what == "withdrawn"
    meeting = ics.Meeting(
        uid=str(session.uid),
        sequence=session.sequence,
        starts_at=session.starts_at,
        minutes=session.minutes,
        place=session.place,
        link=pair_link(pair),
        organiser=organiser,
        attendees=(pair.learner, pair.coach),
        cancelled=cancelled,
    )
    partner = pair.partner_of(reader).first_name
    at = Dated(session.starts_at.astimezone(reader.zone), "moment")
    message = _message(
        kind=Letter.Kind.SESSION,
        key=f"ses:{session.uid}:{session.sequence}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        not_before=now if session.starts_at - now < AT_ONCE else None,
        expires_at=session.starts_at,
        notice={
            "planned": said("You and %(partner)s meet on %(at)s.", partner=partner, at=at),
            "moved": said(
                "Your session with %(partner)s is now on %(at)s.", partner=partner, at=at
            ),
            "withdrawn": said(
                "Your session with %(partner)s on %(at)s does not take place.",
                partner=partner,
                at=at,
            ),
        }[what],
        link=pair_link(pair),
        context={
            **_about(pair, reader),
            "reason": said(
                "You get this because a session of your pair was planned, moved or withdrawn."
            ),
            "what": what,
            "by": by.name if by and by.pk != reader.pk else "",
            "at": at,
            "zone": reader.time_zone,
            "minutes": session.minutes,
            "place": session.place,
            "why": why,
            "answer": "" if cancelled else answers.path(session, reader),
            "ics": _calendar_file(meeting, reader, now=now),
        },
    )
    # Who did it knows; the letter brings the file.
    return replace(message, notice=None) if by and by.pk == reader.pk else message


def clinic(
    clinic: Clinic, reader: Person, *, what: str, pair: Pair | None, now: datetime
) -> Message:
    """
    A clinic for the reader's calendar. Who else is invited stands nowhere: that they learn is
    theirs to tell.

    pair : the reader's own, for those who come to learn
    """
    meeting = ics.Meeting(
        uid=f"clinic-{clinic.public_id}",
        sequence=clinic.sequence,
        starts_at=clinic.starts_at,
        minutes=clinic.minutes,
        place=clinic.place,
        link="/me/",
        organiser=clinic.led_by,
        attendees=(reader,),
        cancelled=what == "withdrawn",
    )
    at = Dated(clinic.starts_at.astimezone(reader.zone), "moment")
    leads = reader.pk == clinic.led_by_id
    return _message(
        kind=Letter.Kind.SESSION,
        key=f"cli:{clinic.public_id}:{clinic.sequence}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=clinic.cohort,
        not_before=now if clinic.starts_at - now < AT_ONCE else None,
        expires_at=clinic.starts_at,
        notice=said("A clinic on %(metric)s on %(at)s.", metric=clinic.metric.name, at=at)
        if what == "planned"
        else said("The clinic on %(at)s does not take place.", at=at),
        link=pair_link(pair) if pair else "/me/",
        context={
            "reason": said("You get this because you are asked to lead a clinic.")
            if leads
            else said("You get this because a clinic was planned for your pair."),
            "what": "clinic" if what == "planned" else "clinic_withdrawn",
            "leads": leads,
            "leader": clinic.led_by.name,
            "metric": clinic.metric.name,
            "at": at,
            "zone": reader.time_zone,
            "minutes": clinic.minutes,
            "place": clinic.place,
            "note": clinic.note,
            "answer": "",
            "ics": _calendar_file(meeting, reader, now=now),
        },
    )


def case_link(case: Case) -> str:
    return f"/triage/{case.public_id}/"


def escalation(
    case: Case, reader: Person, *, why: str, urgent_at: datetime | None = None
) -> Message:
    """
    A stuck pair before somebody who can decide; at each level once.

    urgent_at : leave then, whatever the hour (for HR, the last one asked)
    """
    pair = case.pair
    return _message(
        kind=Letter.Kind.ESCALATION,
        key=f"esc:{pair.public_id}:{case.episode}:{case.level}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        not_before=urgent_at,
        notice=said(
            "%(coach)s and %(learner)s need your decision.",
            coach=pair.coach.name,
            learner=pair.learner.name,
        ),
        link=case_link(case),
        context={
            **_about(pair, reader),
            "reason": said(
                "You get this once for each time a pair gets stuck, because you are asked to "
                "decide for %(learner)s's team.",
                learner=pair.learner.name,
            ),
            "why": why,
            "cohort": pair.cohort.name,
            "level": case.level,
            "opened": case.opened_at.astimezone(reader.zone).date(),
            "answer_by": case.escalates_at or "",
        },
    )


def help_asked(pair: Pair, reader: Person, *, by: Person, note: str, now: datetime) -> Message:
    """Somebody of a pair asks their manager for help; nothing else happens by it."""
    today = now.astimezone(by.zone).date()
    return _message(
        kind=Letter.Kind.ESCALATION,
        key=f"hlp:{pair.public_id}:{today}:{by.public_id}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=said("%(name)s asks for your help with their pair.", name=by.name),
        link=pair_link(pair),
        context={
            **_about(pair, reader),
            "reason": said("You get this because somebody whose pair you manage asks for help."),
            "asked_by": by.name,
            "note": note,
            "cohort": pair.cohort.name,
        },
    )


def passed(pair: Pair, reader: Person) -> Message:
    return _message(
        kind=Letter.Kind.PASSED,
        key=f"pas:{pair.public_id}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=said(
            "Target reached: %(learner)s, %(metric)s.",
            learner=pair.learner.name,
            metric=pair.metric.name,
        ),
        link=pair_link(pair),
        context={
            **_about(pair, reader),
            "reason": said("You get this once, because your pair has reached its target."),
        },
    )


def decided(case: Case, reader: Person, **means: object) -> Message:
    """
    A decision in words both can bear: what happens now, why, and what it does not mean.

    means : what it brings: weeks, helper, clinic, coach, old_target, new_target
    """
    pair = case.pair
    return _message(
        kind=Letter.Kind.DECIDED,
        key=f"dec:{pair.public_id}:{case.episode}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=said("A decision about you and %(partner)s.", partner=pair.partner_of(reader).name),
        link=pair_link(pair),
        context={
            **_about(pair, reader),
            "reason": said(
                "You get this because somebody decided about a pair that you are half of."
            ),
            "decision": case.decision,
            "note": case.note,
            "decided_by": case.decided_by.name if case.decided_by else "",
            "weeks": 4,
            **means,
        },
    )


def reopened(pair: Pair, reader: Person, *, by: Person, note: str) -> Message:
    """A pass was looked at again after a correction, and the two go on."""
    return _message(
        kind=Letter.Kind.DECIDED,
        key=f"reo:{pair.public_id}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=said(
            "You and %(partner)s go on: readings were corrected.",
            partner=pair.partner_of(reader).name,
        ),
        link=pair_link(pair),
        context={
            **_about(pair, reader),
            "reason": said(
                "You get this because somebody decided about a pair that you are half of."
            ),
            "decision": "reopened",
            "note": note,
            "decided_by": by.name,
        },
    )


def pass_to_review(pair: Pair, reader: Person, *, note: str, now: datetime) -> Notice:
    """For a manager, inside Lanemate only: what a pass rests on has been corrected."""
    return notice_of(
        reader,
        said(
            "%(learner)s's pass rests on readings that were corrected. %(note)s",
            learner=pair.learner.name,
            note=note,
        ),
        link=pair_link(pair),
        key=f"rev:{pair.public_id}:{now.isoformat()}:{reader.public_id}",
    )


def page_written(worksheet: Worksheet, reader: Person, *, by: Person) -> Notice:
    """For the other one of the two, inside Lanemate only: this week's page was written."""
    pair = worksheet.pair
    return notice_of(
        reader,
        said("%(name)s has written this week's page.", name=by.first_name),
        link=f"{pair_link(pair)}worksheet/",
        key=f"wks:{pair.public_id}:{worksheet.week}:{reader.public_id}",
    )


def closed(cohort: Cohort, reader: Person, *, pairs: int, passed: int, is_manager: bool) -> Message:
    return _message(
        kind=Letter.Kind.CLOSED,
        key=f"clo:{cohort.public_id}:{reader.public_id}",
        recipient=reader,
        cohort=cohort,
        notice=said("The cohort “%(cohort)s” has closed.", cohort=cohort.name),
        link=f"/cohorts/{cohort.public_id}/" if is_manager else "/me/",
        context={
            "cohort": cohort.name,
            "pairs": pairs,
            "passed": passed,
            "is_manager": is_manager,
        },
    )


def correction(
    cohort: Cohort,
    reader: Person,
    *,
    launched_at: datetime,
    partners: list[str],
) -> Message:
    """A launch was taken back: whoever got one of these letters is told, once."""
    return _message(
        kind=Letter.Kind.CORRECTION,
        key=f"cor:{cohort.public_id}:{launched_at:%Y%m%d%H%M%S}:{reader.public_id}",
        recipient=reader,
        cohort=cohort,
        notice=said("A correction: we paired you too early. It is being planned again."),
        link="/me/",
        context={
            "cohort": cohort.name,
            "partners": partners,
            "reason": said("You get this once, because we wrote to you too early."),
        },
    )


def left(pair: Pair, reader: Person, *, waits: bool) -> Message:
    """A pair has ended before its target; nobody is told why, or by whom."""
    return _message(
        kind=Letter.Kind.LEFT,
        key=f"lft:{pair.public_id}:{reader.public_id}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=said(
            "You and %(partner)s are no longer a pair.", partner=pair.partner_of(reader).name
        ),
        link=pair_link(pair),
        context={
            **_about(pair, reader),
            "waits": waits,
            "reason": said("You get this once, because you were half of this pair."),
        },
    )


def proposal(cohort: Cohort, reader: Person, *, items: list[dict]) -> Message:
    """
    Coaches proposed for people who wait.

    items : [{"waiting": row number, "learner", "coach", "metric", "since": day}, ...]
    """
    named = ",".join(f"{item['waiting']}>{item['coach']}" for item in items)
    digest_of = blake2b(named.encode(), digest_size=8).hexdigest()
    notice = (
        said("A coach is free for %(learner)s: look at the proposal.", learner=items[0]["learner"])
        if len(items) == 1
        else said_many(
            "A coach is free for %(number)s person: look at the proposal.",
            "A coach is free for %(number)s people: look at the proposal.",
            len(items),
        )
    )
    return _message(
        kind=Letter.Kind.PROPOSAL,
        key=f"pro:{cohort.public_id}:{digest_of}:{reader.public_id}",
        recipient=reader,
        cohort=cohort,
        notice=notice,
        link=f"/cohorts/{cohort.public_id}/waiting/",
        context={
            "cohort": cohort.name,
            "items": items,
            "waiting": [item["waiting"] for item in items],
            "reason": said("You get this because you look after “%(cohort)s”.", cohort=cohort.name),
        },
    )


def helper(helper: Helper) -> Message:
    """Somebody who has reached the target is asked to help a pair that still swims."""
    pair, reader = helper.pair, helper.person
    return _message(
        kind=Letter.Kind.HELPER,
        key=f"aid:{pair.public_id}:{reader.public_id}:{helper.since:%Y%m%d%H%M%S}",
        recipient=reader,
        pair=pair,
        cohort=pair.cohort,
        notice=said(
            "You are asked to help %(learner)s and %(coach)s.",
            learner=pair.learner.name,
            coach=pair.coach.name,
        ),
        link=pair_link(pair),
        context={
            "learner": pair.learner.name,
            "learner_first": pair.learner.first_name,
            "coach": pair.coach.name,
            "metric": pair.metric.name,
            "target": pair.target_text,
            "reason": said("You get this once, because you said that you would help others."),
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
        notice=said("Your weekly digest is ready."),
        link="/",
        context={"week_of": local, **content},
    )
