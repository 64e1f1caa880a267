"""A calendar reads the sessions of one person under a link that only they can make."""

from datetime import timedelta

import icalendar
import pytest
from django.core import signing
from django.urls import reverse

from coaching.models import Clinic, Event, Session
from coaching.notifications import feeds
from coaching.services import departures, sessions
from coaching.services import feeds as services
from tests import factories
from tests.conftest import NOW

DAY = timedelta(days=1)


@pytest.fixture
def link(lea, pair) -> str:
    services.renew(person=lea, now=NOW)
    return feeds.path(lea)


@pytest.fixture
def planned(pair, lea) -> Session:
    return sessions.plan(pair=pair, starts_at=NOW + 2 * DAY, place="Room 3", by=lea, now=NOW)


def events(answer) -> list[icalendar.Event]:
    return icalendar.Calendar.from_ical(answer.content).walk("VEVENT")


def test_a_calendar_reads_the_sessions_without_signing_in(client, link, planned):
    answer = client.get(link)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Cache-Control"] == "private, max-age=900"
    (event,) = events(answer)
    assert event.decoded("dtstart") == planned.starts_at
    assert str(event["uid"]).startswith(str(planned.uid))
    assert str(event["location"]) == "Room 3"
    assert "METHOD:PUBLISH" in answer.text
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in answer.text


def test_it_names_nobody_and_no_skill(client, link, planned):
    text = client.get(link).text
    for secret in ("Lea", "Ivo", "Marković", "satisfaction", "ATTENDEE", "ORGANIZER", "@example"):
        assert secret not in text, secret


def test_a_session_that_is_moved_or_called_off_follows(client, link, planned, lea):
    sessions.move(session=planned, starts_at=NOW + 3 * DAY, by=lea, now=NOW)
    (event,) = events(client.get(link))
    assert event.decoded("dtstart") == NOW + 3 * DAY
    assert event["sequence"] == 1
    sessions.withdraw(session=planned, by=lea, why="", now=NOW)
    assert events(client.get(link)) == []


def test_a_clinic_stands_in_it_for_who_leads_and_who_comes(client, link, pair, mara, csat):
    clinic = Clinic.objects.create(
        cohort=pair.cohort, metric=csat, led_by=mara, starts_at=NOW + DAY, made_at=NOW
    )
    clinic.pairs.add(pair)
    services.renew(person=mara, now=NOW)
    for where in (link, feeds.path(mara)):
        (event,) = events(client.get(where))
        assert str(event["uid"]).startswith(f"clinic-{clinic.public_id}")
    Clinic.objects.update(withdrawn_at=NOW)
    assert events(client.get(link)) == []


def test_it_has_only_ones_own(client, link, team, csat, pair):
    other = factories.make_pair(
        factories.make_person(team=team), factories.make_person(team=team), metric=csat,
        cohort=pair.cohort, now=NOW,
    )  # fmt: skip
    sessions.plan(pair=other, starts_at=NOW + DAY, by=other.coach, now=NOW)
    assert events(client.get(link)) == []


@pytest.mark.parametrize("number", [1, 12])
def test_it_costs_the_same_for_any_number_of_sessions(
    client, link, pair, number, django_assert_num_queries
):
    for day in range(number):
        Session.objects.create(
            pair=pair, state="planned", starts_at=NOW + day * DAY, logged_by=pair.coach,
            logged_at=NOW,
        )  # fmt: skip
    with django_assert_num_queries(3):
        assert len(events(client.get(link))) == number


# -- whose it is ---------------------------------------------------------------------------


def test_a_new_link_ends_the_old_one(client, link, lea):
    services.renew(person=lea, now=NOW)
    assert client.get(link).status_code == 404
    assert client.get(feeds.path(lea)).status_code == 200


def test_a_link_that_is_taken_back_opens_nothing(client, link, lea):
    services.end(person=lea, now=NOW)
    assert client.get(link).status_code == 404
    services.end(person=lea, now=NOW)
    assert Event.objects.filter(verb="calendar link ended").count() == 1


def test_who_leaves_takes_the_link_along(client, link, lea, mara):
    departures.leaves(person=lea, by=mara, now=NOW)
    assert client.get(link).status_code == 404
    lea.refresh_from_db()
    assert lea.calendar_key == ""


def test_who_was_made_inactive_in_any_way_has_none(client, link, lea):
    type(lea).objects.filter(pk=lea.pk).update(active=False)
    assert client.get(link).status_code == 404


def test_a_forged_or_foreign_token_is_not_there(client, link, lea):
    forged = [
        "x",
        link.removeprefix("/calendar/").removesuffix(".ics")[:-2],
        signing.Signer(salt="other").sign_object([lea.public_id, lea.calendar_key]),
        signing.Signer(salt="lanemate.calendar").sign_object([lea.public_id, ""]),
        signing.Signer(salt="lanemate.calendar").sign_object("odd"),
        signing.Signer(salt="lanemate.calendar").sign_object({"a": 1}),
        "a" * 4000,
        "%00",
    ]
    for token in forged:
        assert client.get(f"/calendar/{token}.ics").status_code == 404, token


def test_an_empty_key_opens_nothing(client, lea, pair):
    assert feeds.path(lea) == ""
    token = signing.Signer(salt="lanemate.calendar").sign_object([lea.public_id, ""])
    assert client.get(f"/calendar/{token}.ics").status_code == 404


def test_it_is_only_read(client, link):
    assert client.post(link).status_code == 405
    assert client.head(link).status_code == 200


# -- where it is made ----------------------------------------------------------------------


def test_one_makes_it_among_the_preferences(lea, lea_client, client, settings):
    settings.SITE_URL = "https://lanemate.example"
    page = reverse("preferences")
    assert "Make my link" in lea_client.get(page).text
    answer = lea_client.post(reverse("calendar-renew"), follow=True)
    lea.refresh_from_db()
    assert f'value="https://lanemate.example{feeds.path(lea)}"' in answer.text
    assert f'href="webcal://lanemate.example{feeds.path(lea)}"' in answer.text
    answer = lea_client.post(reverse("calendar-end"), follow=True)
    assert "Make my link" in answer.text


def test_making_and_ending_need_a_login_and_a_button(client, lea_client, db):
    for name in ("calendar-renew", "calendar-end"):
        assert client.post(reverse(name)).status_code == 302
        assert lea_client.get(reverse(name)).status_code == 405
