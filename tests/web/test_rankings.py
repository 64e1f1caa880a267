"""The explorer: filters that live in the address, numbers that explain themselves, exports."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from coaching.models import Band, Event, Ranking, Reading, Standing, Team, Yardstick
from coaching.queries import rankings as queries
from coaching.services import rankings, scorecards
from coaching.web import exports
from tests import factories


def page(ranking: Ranking) -> str:
    return reverse("ranking", args=[ranking.public_id])


def names(text: str) -> list[str]:
    """The people of the table, from top to bottom."""
    return re.findall(r'<th scope="row"><a href="/people/[^>]+>([^<]+)</a>', text)


def fill(team: Team, metric, *, people: int, mara, now) -> Ranking:
    """A ranking of so many people with a few weeks each, some of them elsewhere."""
    monday = now.date()
    for number in range(people):
        person = factories.make_person(
            f"Agent {number:03}", team=team, site=("Leeds", "Riga")[number % 2],
            shift=("early", "late")[number % 3 == 0],
        )  # fmt: skip
        for week in (1, 2):
            factories.add_reading(
                person, metric, monday - timedelta(weeks=week), mean=3 + number % 7 / 5, n=30
            )
    card = scorecards.default_scorecard(team=team, by=mara, now=now)
    return rankings.run(scorecard=card, by=mara, now=now)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("", "Agent 00"), ("high", "Agent 23"), ("name", "Agent 00"), ("n", "Agent 07")],
)
def test_it_sorts_as_asked(ranked, mara_client, csat, sort, expected):
    Standing.objects.filter(ranking=ranked, person__name="Agent 07").update(n=9999)
    text = mara_client.get(page(ranked), {"metric": csat.key, "sort": sort}).text
    assert names(text)[0] == expected
    assert len(names(text)) == 24


def test_the_most_uncertain_come_first_when_asked(ranked, mara_client, csat):
    Standing.objects.filter(ranking=ranked, person__name="Agent 11").update(se=3.0)
    text = mara_client.get(page(ranked), {"metric": csat.key, "sort": "unsure"}).text
    assert names(text)[0] == "Agent 11"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"site": "Riga"}, {1, 3, 5, 7, 9, 11}),
        ({"shift": "late"}, {0, 3, 6, 9}),
        ({"site": "Riga", "shift": "late"}, {3, 9}),
        ({"q": "agent 00"}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}),
        ({"q": "nobody"}, set()),
        ({"band": "no such band", "sort": "no such order", "page": "99"}, set(range(12))),
    ],
)
def test_filters_live_in_the_address(team, csat, mara, mara_client, now, asked, expected):
    ranking = fill(team, csat, people=12, mara=mara, now=now)
    text = mara_client.get(page(ranking), asked).text
    assert {int(name[-3:]) for name in names(text)} == expected
    # The overview keeps its place, also when nobody is left.
    assert text.count('class="strip"') == 1
    # Another skill, and the export, keep them.
    for key in asked.keys() & {"site", "shift", "q"}:
        tab = re.search(rf'<a href="([^"]*metric={csat.key}[^"]*)"', text).group(1)
        assert f"{key}=" in tab
        assert f"{key}=" in re.search(r'action="([^"]*export[^"]*)"', text).group(1)


def test_a_name_is_found_in_any_case_with_its_accents(team, csat, mara, mara_client, now):
    factories.add_reading(factories.make_person("Łucja Żak", team=team), csat, now.date(), mean=4.0)
    ranking = fill(team, csat, people=8, mara=mara, now=now)
    assert names(mara_client.get(page(ranking), {"q": "łucja"}).text) == ["Łucja Żak"]


@pytest.mark.parametrize(
    ("by", "heading"), [("site", "Leeds"), ("peers", "Agent"), ("team", "Harbour")]
)
def test_groups_show_their_means(team, csat, mara, mara_client, now, by, heading):
    ranking = fill(team, csat, people=12, mara=mara, now=now)
    text = mara_client.get(page(ranking), {"metric": csat.key, "by": by}).text
    found = [
        (row, mean)
        for row, mean in re.findall(r'colspan="6">(\S+) .*?mean estimate ([\d.]+)', text, re.S)
    ]
    assert found[0][0] == heading
    mine = Standing.objects.filter(ranking=ranking, metric=csat)
    if by == "site":
        mine = mine.filter(person__site="Leeds")
    expected = sum(row.estimate for row in mine) / len(mine)
    assert found[0][1] == csat.read(expected)


def test_a_hundred_rows_a_page_that_keep_the_filters(team, csat, mara, mara_client, now):
    ranking = fill(team, csat, people=130, mara=mara, now=now)
    first = mara_client.get(page(ranking), {"sort": "name"}).text
    assert len(names(first)) == 100
    assert "130 of 130 people" in first
    onward = re.search(r'<a href="([^"]+)" rel="next"', first).group(1)
    assert "sort=name" in onward
    rest = names(mara_client.get(page(ranking) + onward.replace("&amp;", "&")).text)
    assert rest == [f"Agent {number:03}" for number in range(100, 130)]


@pytest.mark.parametrize("address", [{}, {"metric": "csat", "by": "team", "sort": "unsure"}])
def test_it_costs_the_same_for_2_and_200_people(
    team, csat, mara, mara_client, now, django_assert_max_num_queries, address
):
    costs = []
    for people in (2, 198):
        ranking = fill(team, csat, people=people, mara=mara, now=now)
        with django_assert_max_num_queries(30) as found:
            assert mara_client.get(page(ranking), address).status_code == 200
        costs.append(len(found))
    # Two people are too few to show: nothing is drawn of them, and nothing asked.
    assert costs[1] <= costs[0] + 5
    more = fill(team, csat, people=20, mara=mara, now=now)
    with django_assert_max_num_queries(costs[1]):
        mara_client.get(page(more), address)


def test_every_number_says_where_it_comes_from(ranked, mara_client, csat):
    text = mara_client.get(page(ranked), {"metric": csat.key}).text
    frame = Yardstick.objects.get(ranking=ranked)
    row = Standing.objects.filter(ranking=ranked, metric=csat).order_by("-p_low").first()
    k = frame.sigma2 / frame.tau2
    assert (f"k = {k:.0f}:" if k >= 10 else f"k = {k:.2g}:") in text
    assert f"{row.reliability:.2f}: the estimate is" in text
    assert "The chance of truly being in the worst quarter of the peers is" in text
    assert "Nine times in ten the true place lies between" in text
    assert "Weak, because the chance" in text
    assert "Overall is counted in spreads" in mara_client.get(page(ranked)).text


@pytest.mark.parametrize(
    ("band", "advice"),
    [
        (Band.CHECK, "Look at the export"),
        (Band.TOO_SMALL, "Compare among more people"),
        (Band.CANNOT_TELL, "Take in more weeks"),
    ],
)
def test_a_band_that_says_nothing_says_what_to_do(ranked, mara_client, csat, band, advice):
    Standing.objects.filter(ranking=ranked, metric=csat).update(band=band, reliability=0.3)
    assert advice in mara_client.get(page(ranked), {"metric": csat.key}).text


def test_groups_under_five_show_no_estimate_and_betray_no_order(team, csat, mara, mara_client, now):
    ranking = fill(team, csat, people=4, mara=mara, now=now)
    for address in ({"metric": csat.key}, {"metric": csat.key, "sort": "high"}, {"sort": "low"}):
        text = mara_client.get(page(ranking), address).text
        assert names(text) == [f"Agent {number:03}" for number in range(4)]
        assert text.count("Group too small to show") == 4
        assert "interval-dot" not in text
        assert "<figure" not in text
    table = export(mara_client, ranking, metric=csat.key)
    assert [row["Estimate"] for row in table] == [""] * 4
    assert {row["Band"] for row in table} == {"group too small to show"}


def test_the_overview_counts_everybody_between_borders_that_are_exact(ranked, csat):
    standings = ranked.standings.filter(metric=csat)
    counts = queries.histogram(standings, low=2.0, high=5.0, bins=30)
    assert sum(counts.values()) == 24
    for row in standings:
        assert counts[min(int((row.estimate - 2.0) * 10 + 1e-9), 29), row.band] >= 1
    frame = Yardstick.objects.get(ranking=ranked)
    (worst,) = queries.borders(ranked, csat, best=False)
    assert worst.value == pytest.approx(frame.low_cut, abs=1e-6)
    (best,) = queries.borders(ranked, csat, best=True)
    assert best.value > worst.value


def test_borders_change_sides_with_the_direction(team, mara, now):
    wait = factories.make_metric("wait", name="Wait", direction="lower")
    ranking = fill(team, wait, people=20, mara=mara, now=now)
    (worst,) = queries.borders(ranking, wait, best=False)
    (best,) = queries.borders(ranking, wait, best=True)
    assert worst.value == pytest.approx(Yardstick.objects.get().low_cut, abs=1e-6)
    assert best.value < worst.value


def export(client, ranking, *, form: str = "csv", **address) -> list[dict]:
    where = reverse("ranking-export", args=[ranking.public_id])
    answer = client.post(where, {"form": form}, query_params=address)
    content = b"".join(answer.streaming_content)
    if form == "csv":
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    else:
        sheet = load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
        lines = [list(row) for row in sheet.iter_rows(values_only=True)]
    heading, rows = lines[0], lines[1:-2]
    assert "not made for pay" in lines[-1][0]
    return [dict(zip(heading, row, strict=True)) for row in rows]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_one_sees_can_be_taken_along(ranked, mara_client, mara, csat, form):
    rows = export(mara_client, ranked, form=form, metric=csat.key, q="Agent 1", sort="name")
    assert [row["Name"] for row in rows] == [f"Agent {number}" for number in range(10, 20)]
    standing = Standing.objects.get(ranking=ranked, metric=csat, person__name="Agent 10")
    first = rows[0]
    assert float(first["Estimate"]) == pytest.approx(standing.estimate)
    assert float(first["90 % from"]) < standing.estimate < float(first["90 % to"])
    assert float(first["Chance worst part"]) == pytest.approx(standing.p_low)
    assert first["Band"] == standing.get_band_display()
    event = Event.objects.get(verb="ranking exported")
    assert (event.actor, event.team) == (mara, ranked.scorecard.team)
    assert event.details == {
        "metric": csat.key, "form": form, "people": 10,
        "filters": {"q": "Agent 1", "sort": "name"},
    }  # fmt: skip


def test_an_export_of_durations_is_in_their_units(team, mara, mara_client, now):
    talk = factories.make_metric("talk", name="Talk", kind="duration", direction="lower", unit="s")
    ranking = fill(team, talk, people=9, mara=mara, now=now)
    for row in export(mara_client, ranking, metric="talk"):
        assert 2 < float(row["90 % from"]) < float(row["Estimate"]) < float(row["90 % to"]) < 6


def test_an_export_is_as_private_as_the_page(ranked, otto_client, lea_client, mara_client):
    where = reverse("ranking-export", args=[ranked.public_id])
    for client in (otto_client, lea_client):
        assert client.post(where, {"form": "csv"}).status_code == 404
    assert mara_client.get(where).status_code == 405
    assert not Event.objects.filter(verb="ranking exported").exists()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_names_are_never_formulas(team, csat, mara, mara_client, now, form):
    bad = factories.make_person("=HYPERLINK(1)\x07", team=team, site="@SUM(A1)")
    factories.add_reading(bad, csat, now.date(), mean=3)
    ranking = fill(team, csat, people=8, mara=mara, now=now)
    row = next(row for row in export(mara_client, ranking, form=form) if "HYPER" in row["Name"])
    assert row["Name"] == "'=HYPERLINK(1)"
    assert row["Site"] == "'@SUM(A1)"


def test_a_sheet_has_an_end(ranked, mara_client, monkeypatch):
    monkeypatch.setattr(exports, "MOST_SHEET_ROWS", 20)
    where = reverse("ranking-export", args=[ranked.public_id])
    assert "Take the CSV" in mara_client.post(where, {"form": "xlsx"}, follow=True).text
    assert len(export(mara_client, ranked)) == 24


def test_teams_stand_without_links_to_people(ranked, team, mara_client):
    Ranking.objects.filter(pk=ranked.pk).update(subject="teams")
    for number, row in enumerate(Standing.objects.filter(ranking=ranked, metric=None)):
        row.team = factories.make_team(f"Crew {number:02}", parent=team)
        row.person = None
        row.save()
    text = mara_client.get(page(ranked), {"sort": "name"}).text
    assert names(text) == []
    assert "Crew 00" in text
    assert "24 of 24 teams" in text
    assert "Plan a cohort" not in text
    assert export(mara_client, ranked, q="crew 07")[0]["Name"] == "Crew 07"


def test_readings_of_one_mistake_do_not_press_the_others_together(ranked, mara_client, csat):
    row = Standing.objects.filter(ranking=ranked, metric=csat).first()
    Standing.objects.filter(pk=row.pk).update(estimate=5000.0, band=Band.CHECK)
    text = mara_client.get(page(ranked), {"metric": csat.key}).text
    ticks = re.findall(r'<text class="axis-text"[^>]*>([\d.]+)<', text)
    assert ticks
    assert all(float(tick) < 6 for tick in ticks)
    assert Reading.objects.exists()


def test_what_a_ranking_says_of_itself_is_said_in_its_readers_language(
    ranked, team, csat, mara, mara_client, now
):
    calls = factories.make_metric("calls", name="Calls")
    ranked.scorecard.weights.create(metric=calls, weight=1)
    ranking = rankings.run(scorecard=ranked.scorecard, by=mara, now=now)
    assert "Calls was left out: it has no readings" in mara_client.get(page(ranking)).text
    mara.reads = "de"
    mara.save()
    text = mara_client.get(page(ranking)).text
    assert "Calls zählt diesmal nicht" in text
    assert "was left out" not in text
    # Rankings from before have kept nothing but the English sentence.
    del ranking.settings["notes"]
    ranking.save()
    assert "Calls was left out" in mara_client.get(page(ranking)).text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_is_in_its_readers_language(ranked, mara, mara_client, csat, form):
    mara.reads = "de"
    mara.save()
    where = reverse("ranking-export", args=[ranked.public_id])
    answer = mara_client.post(where, {"form": form}, query_params={"metric": csat.key})
    content = b"".join(answer.streaming_content)
    if form == "csv":
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    else:
        sheet = load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
        lines = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert lines[0][-1] == "Einstufung"
    assert lines[1][-1] == "Schwach"
