"""From a file of customer segments to what sets the most satisfied apart."""

import re
from datetime import date, timedelta

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from coaching.models import Import, Person, Ranking, Scorecard
from coaching.services import imports, rankings, scorecards
from tests import factories

SEGMENTS = 24
FIRST = date(2027, 1, 4)


def export(segments: int = SEGMENTS) -> str:
    """
    Eight weeks of three metrics: waiting goes with satisfaction, orders do not.

    A row a segment and week, as a warehouse adds them up.
    """
    rng = np.random.default_rng(7)
    content = rng.normal(size=segments)
    lines = [
        "Customer segment,Region,Week,Surveys,CSAT mean,CSAT sd,Calls,Wait time mean,"
        "Wait time sd,Resolved"
    ]
    for at in range(segments):
        wait = np.exp(4.5 - 0.3 * content[at] + 0.05 * rng.normal())
        share = 0.7 + 0.05 * rng.normal()
        for week in range(8):
            csat = np.clip(3.6 + 0.4 * content[at] + 0.05 * rng.normal(), 1, 5)
            week_of = FIRST + timedelta(weeks=week)
            resolved = rng.binomial(200, share)
            lines.append(
                f"Segment {at:02},North,{week_of},60,{csat:.3f},0.9,200,"
                f"{wait * np.exp(0.02 * rng.normal()):.1f},60,{resolved}"
            )
    return "\n".join(lines)


def text_of(client: Client, address: str) -> str:
    """What a reader sees of a page, without tags."""
    answer = client.get(address)
    assert answer.status_code == 200
    bare = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", answer.text, flags=re.DOTALL)
    return " ".join(bare.split())


@pytest.fixture
def ranked(mara, team, now, tmp_path) -> Ranking:
    """The segments of Mara's team, imported without a browser and ranked."""
    file = tmp_path / "segments.csv"
    file.write_text(export())
    call_command("import_metrics", str(file), "--team", "Harbour")
    card = scorecards.default_scorecard(
        team=team, by=mara, now=now, subject=Scorecard.Subject.SEGMENTS
    )
    return rankings.run(scorecard=card, by=mara, now=now)


def test_a_manager_brings_in_segments_ranks_them_and_reads_what_drives_them(
    mara_client, mara, team, now
):
    # The file, dropped on the page.
    mara_client.post(
        reverse("import-new"),
        {"file": SimpleUploadedFile("segments.csv", export().encode()), "team": team.pk},
    )
    imports.work_off(now=now)
    source = Import.objects.get()
    page = text_of(mara_client, reverse("import", args=[source.public_id]))
    assert "The rows are about customer segments" in page
    assert "New segments 24" in page
    mara_client.post(reverse("import-confirm", args=[source.public_id]))
    imports.work_off(now=now)
    assert Person.objects.filter(kind=Person.Kind.SEGMENT, team=team).count() == SEGMENTS

    # A scorecard of segments, ranked.
    card = scorecards.default_scorecard(
        team=team, by=mara, now=now, subject=Scorecard.Subject.SEGMENTS
    )
    mara_client.post(reverse("rank-again", args=[card.public_id]))
    ranking = Ranking.objects.get()
    assert ranking.subject == "segments"
    where = reverse("ranking", args=[ranking.public_id])
    ranked = mara_client.get(where).text
    assert "Segment 00" in ranked
    assert reverse("drivers", args=[ranking.public_id]) in ranked
    assert reverse("cohort-new", args=[ranking.public_id]) not in ranked

    # What makes a satisfied segment so satisfied?
    drivers = reverse("drivers", args=[ranking.public_id])
    told = text_of(mara_client, f"{drivers}?by=csat")
    assert "24 segments" in told
    assert "Wait time separates the top from the bottom." in told
    assert "% shorter" in told
    assert re.search(r"Resolved higher is better .* no sign", told)


def test_segments_take_no_part_in_anything_else(mara_client, ranked):
    """No pages of people, no pairs, no letters."""
    segment = Person.objects.filter(kind=Person.Kind.SEGMENT).first()
    assert mara_client.get(reverse("person", args=[segment.public_id])).status_code == 404
    assert "Segment" not in mara_client.get(reverse("teams")).text
    answer = mara_client.get("/api/v1/people/").json()
    assert [row["name"] for row in answer["results"]] == ["Mara Lindqvist"]
    new = reverse("cohort-new", args=[ranked.public_id])
    posted = {"name": "Spring", "test_date": "2027-05-03", "target_form": "gap_top"}
    mara_client.post(new, posted)
    assert not ranked.cohorts.exists()


def test_teams_are_ranked_by_the_readings_of_their_people(mara, team, now, csat, mara_client):
    wait = factories.make_metric("wait", name="Wait time", kind="duration", direction="lower")
    for at in range(12):
        crew = factories.make_team(f"Crew {at:02}", parent=team)
        for _ in range(3):
            person = factories.make_person(team=crew)
            for week in range(1, 5):
                day = now.date() - timedelta(weeks=week)
                factories.add_reading(person, csat, day, mean=3 + 0.1 * at, n=80)
                factories.add_reading(person, wait, day, mean=90 - 4 * at, n=80, sd=30)
    card = scorecards.default_scorecard(
        team=team, by=mara, now=now, subject=Scorecard.Subject.TEAMS
    )
    ranking = rankings.run(scorecard=card, by=mara, now=now)
    told = text_of(mara_client, reverse("drivers", args=[ranking.public_id]))
    assert "12 teams" in told
    assert "Customer satisfaction and Wait time separate the top from the bottom." in told
    assert "third" in told
    standings = f"/api/v1/rankings/{ranking.public_id}/standings/?metric=csat&ordering=-z"
    best = mara_client.get(standings).json()["results"][0]
    assert (best["person"], best["of_team"]["name"]) == (None, "Crew 11")


def test_the_page_costs_the_same_for_any_number_of_segments(mara_client, ranked):
    address = reverse("drivers", args=[ranked.public_id])
    with CaptureQueriesContext(connection) as all_of_them:
        mara_client.get(address)
    keep = Person.objects.filter(kind=Person.Kind.SEGMENT).values("pk")[:10]
    ranked.standings.exclude(person__in=list(keep.values_list("pk", flat=True))).delete()
    with CaptureQueriesContext(connection) as ten:
        mara_client.get(address)
    assert len(all_of_them) == len(ten) <= 9
