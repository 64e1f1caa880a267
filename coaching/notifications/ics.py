"""Calendar files (RFC 5545) that go with a letter: a meeting, moved or withdrawn."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import icalendar
from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from coaching.models import Person

# Whoever looks over a shoulder at a calendar reads nothing about anybody's numbers.
TITLE = gettext_noop("Coaching session")
# How often a calendar is asked to read a feed again.
EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Meeting:
    """What calendars know of a session or a clinic: the same `uid` through every move."""

    uid: str
    sequence: int
    starts_at: datetime
    minutes: int
    place: str
    link: str
    organiser: Person
    attendees: tuple[Person, ...]
    cancelled: bool = False


def file(meeting: Meeting, *, now: datetime) -> str:
    """
    The text of an invitation (METHOD:REQUEST), or of its withdrawal (METHOD:CANCEL), in the
    active language.
    """
    calendar = _calendar("CANCEL" if meeting.cancelled else "REQUEST")
    event = _event(meeting, now=now)
    event.add("organizer", _address(meeting.organiser))
    for person in meeting.attendees:
        address = _address(person)
        address.params["role"] = icalendar.vText("REQ-PARTICIPANT")
        accepted = person.pk == meeting.organiser.pk
        address.params["partstat"] = icalendar.vText("ACCEPTED" if accepted else "NEEDS-ACTION")
        address.params["rsvp"] = icalendar.vText("FALSE" if accepted else "TRUE")
        event.add("attendee", address, encode=0)
    calendar.add_component(event)
    return calendar.to_ical().decode()


def feed(meetings: Iterable[Meeting], *, now: datetime) -> str:
    """
    The text of a calendar that others read again and again (METHOD:PUBLISH).

    It names nobody: whoever finds the link reads when somebody is busy, and no more.
    """
    calendar = _calendar("PUBLISH")
    calendar.add("name", "Lanemate")
    calendar.add("x-wr-calname", "Lanemate")
    calendar.add("refresh-interval", EVERY, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for meeting in meetings:
        calendar.add_component(_event(meeting, now=now))
    return calendar.to_ical().decode()


def _calendar(method: str) -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Lanemate//Coaching//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _event(meeting: Meeting, *, now: datetime) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{meeting.uid}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", now)
    # In UTC: right in every zone, and no zone rules have to travel along.
    event.add("dtstart", meeting.starts_at)
    event.add("dtend", meeting.starts_at + timedelta(minutes=meeting.minutes))
    event.add("summary", gettext(TITLE))
    event.add("description", f"{settings.SITE_URL}{meeting.link}")
    event.add("url", f"{settings.SITE_URL}{meeting.link}")
    event.add("status", "CANCELLED" if meeting.cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    if meeting.place:
        event.add("location", meeting.place)
    return event


def _address(person: Person) -> icalendar.vCalAddress:
    """Somebody without an address is named all the same, under the service's own."""
    own = settings.DEFAULT_FROM_EMAIL
    fallback = own[own.find("<") + 1 :].rstrip(">") if "<" in own else own
    address = icalendar.vCalAddress(f"mailto:{person.email or fallback}")
    address.params["cn"] = icalendar.vText(person.name)
    return address
