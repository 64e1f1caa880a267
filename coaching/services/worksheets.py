"""One page a week: the learner writes first, then the coach."""

from datetime import date, datetime

from django.db import transaction

from coaching.domain import cadence
from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Pair, Person, Worksheet
from coaching.notifications import messages, outbox
from coaching.services import audit

LONGEST = 4000


class NotYours(CoachingError):
    message = said("This page belongs to the two of the pair; you can read it.")


class NoSuchWeek(CoachingError):
    message = said("There is a page for each week from the start of the pair to this one.")


class LearnerFirst(CoachingError):
    message = said(
        "The learner writes first. You are told as soon as there is something to answer."
    )


class NothingWritten(CoachingError):
    message = said("Write at least a sentence.")


class TooLong(CoachingError):
    message = said(
        "Keep each part under %(longest)s characters: it is one page.", longest=f"{LONGEST:,}"
    )


class NotSwimming(CoachingError):
    message = said("This pair is not active any more; its pages stay as they are.")


@transaction.atomic
def write(
    *,
    pair: Pair,
    week: date,
    by: Person,
    now: datetime,
    went: str | None = None,
    will_try: str | None = None,
    coach_does: str | None = None,
) -> Worksheet:
    """
    Write one's own part of a week's page; None leaves a part as it is.

    week : any day of it. Writing again replaces what one wrote; the other one is told once.

    :raises NotYours, NotSwimming, NoSuchWeek, TooLong, NothingWritten:
    :raises LearnerFirst: when the coach comes before the learner
    """
    if by.pk not in (pair.learner_id, pair.coach_id):
        raise NotYours
    learns = by.pk == pair.learner_id
    week = cadence.week_of(week)
    zone = pair.learner.zone
    first = cadence.week_of(pair.started_at.astimezone(zone).date())
    if not first <= week <= cadence.week_of(now.astimezone(by.zone).date()):
        raise NoSuchWeek
    own = {"went": went, "will_try": will_try} if learns else {"coach_does": coach_does}
    parts = {name: text.strip() for name, text in own.items() if text is not None}
    if any(len(text) > LONGEST for text in parts.values()):
        raise TooLong
    # Nobody ends the pair, and nobody else writes the page, until we are done.
    if not Pair.objects.active().select_for_update().filter(pk=pair.pk).exists():
        raise NotSwimming
    sheet = Worksheet.objects.filter(pair=pair, week=week).first()
    sheet = sheet or Worksheet(pair=pair, week=week)
    if not learns and sheet.learner_at is None:
        raise LearnerFirst
    for name, text in parts.items():
        setattr(sheet, name, text)
    if not any(getattr(sheet, name) for name in own):
        raise NothingWritten
    # When each first wrote stays; it is what the reminders go by.
    if learns:
        sheet.learner_at = sheet.learner_at or now
    else:
        sheet.coach_at = sheet.coach_at or now
    sheet.save()
    sheet.pair = pair
    outbox.tell([messages.page_written(sheet, pair.partner_of(by), by=by)], now=now)
    audit.record(
        "session page written", pair, by=by, now=now, team=pair.learner.team, week=str(week)
    )
    return sheet
