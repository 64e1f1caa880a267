"""What every page keeps to: no inline code, a fixed number of queries, words that fit."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Case, HandRaise, Letter, Pair, Session
from coaching.services import cohorts, launches, people, sessions
from tests import factories

INLINE = [
    re.compile(r"<[^>]+\sstyle=", re.I),
    re.compile(r"<style[\s>]", re.I),
    re.compile(r"<script(?![^>]*\ssrc=)", re.I),
    re.compile(r"<[^>]+\son[a-z]+=", re.I),
    re.compile(r"javascript:", re.I),
    re.compile(r"""(?:src|href)=["'](?:https?:)?//""", re.I),
]


PLAN = """plan plan-unpaired plan-coaches plan-people plan-wishes plan-steps plan-compare
    plan-swap""".split()


@pytest.fixture
def addresses(plan, pair, mara, now) -> list[str]:
    letter = Letter.objects.create(
        dedupe_key="x",
        kind=Letter.Kind.PASSED,
        recipient=pair.learner,
        pair=pair,
        context={"link": "/", "side": "learner", "metric": "Satisfaction"},
        created_at=now,
        next_attempt_at=now,
    )
    case = Case.objects.create(pair=pair, episode=1, clock="outcome", opened_at=now)
    return [
        "/login/",
        "/nowhere/",
        *map(
            reverse,
            """home me skills hands letters undelivered trail imports import-new rankings cohorts
            teams""".split(),
        ),
        reverse("pair", args=[pair.public_id]),
        reverse("worksheet", args=[pair.public_id]),
        reverse("triage"),
        reverse("case", args=[case.public_id]),
        reverse("cohort", args=[pair.cohort.public_id]),
        reverse("cohort", args=[plan.cohort.public_id]),
        *(reverse(name, args=[plan.public_id]) for name in PLAN),
        reverse("plan-learner", args=[plan.public_id, plan.draft_pairs.first().learner.public_id]),
        reverse("ranking", args=[plan.cohort.ranking.public_id]),
        reverse("selection", args=[plan.cohort.ranking.public_id]),
        reverse("drivers", args=[plan.cohort.ranking.public_id]),
        reverse("scorecard", args=[plan.cohort.ranking.scorecard.public_id]),
        reverse("cohort-new", args=[plan.cohort.ranking.public_id]),
        reverse("person", args=[plan.draft_pairs.first().learner.public_id]),
        reverse("letter", args=[letter.public_id]),
    ]


def test_no_page_has_inline_styles_scripts_or_foreign_files(addresses, mara_client):
    for address in addresses:
        text = mara_client.get(address, follow=True).text
        for pattern in INLINE:
            assert not pattern.search(text), (address, pattern.pattern)


def test_every_page_has_one_heading_a_title_and_a_way_to_skip(addresses, mara_client):
    for address in addresses:
        text = mara_client.get(address, follow=True).text
        assert len(re.findall(r"<h1[\s>]", text)) == 1, address
        assert len(re.findall(r'id="content"', text)) == 1, address
        assert re.search(r"<title>[^<]+ · Lanemate</title>", text), address


def test_ids_on_a_page_are_unique(addresses, pair, mara_client, lea_client):
    own = [(lea_client, reverse("me")), (lea_client, reverse("pair", args=[pair.public_id]))]
    for client, address in [*((mara_client, address) for address in addresses), *own]:
        ids = re.findall(r'\sid="([^"]+)"', client.get(address, follow=True).text)
        assert len(ids) == len(set(ids)), (address, sorted(i for i in ids if ids.count(i) > 1))


@pytest.mark.parametrize("name", ["home", "cohorts", "teams", "letters", "me"])
def test_a_list_costs_the_same_for_any_number_of_pairs(
    name, make_pairs, mara_client, django_assert_max_num_queries
):
    def cost() -> int:
        with django_assert_max_num_queries(40) as queries:
            assert mara_client.get(reverse(name)).status_code == 200
        return len(queries)

    make_pairs(2)
    few = cost()
    make_pairs(20)
    assert cost() == few


def test_the_board_costs_the_same_for_any_number_of_pairs(
    make_pairs, mara_client, django_assert_max_num_queries
):
    costs = []
    for number in (2, 20):
        cohort = make_pairs(number)[0].cohort
        with django_assert_max_num_queries(20) as queries:
            answer = mara_client.get(reverse("cohort", args=[cohort.public_id]))
        assert answer.text.count("sheet-link") == number
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_the_plan_and_the_ranking_cost_a_fixed_number(
    plan, mara_client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(25):
        mara_client.get(reverse("plan", args=[plan.public_id]))
    with django_assert_max_num_queries(20):
        mara_client.get(reverse("ranking", args=[plan.cohort.ranking.public_id]))


def test_the_board_puts_who_is_stuck_first(make_pairs, mara_client, now):
    pairs = make_pairs(3)
    Pair.objects.filter(pk=pairs[2].pk).update(state=Pair.State.STUCK)
    text = mara_client.get(reverse("cohort", args=[pairs[0].cohort.public_id])).text
    places = [text.index(pair.learner.name) for pair in pairs]
    assert places[2] < min(places[:2])


def test_home_names_what_needs_the_manager(pair, mara_client, lea, csat, now):
    assert "Nothing needs you today." in mara_client.get("/").text
    Pair.objects.filter(pk=pair.pk).update(state=Pair.State.STUCK)
    Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
    people.raise_hand(person=pair.coach, metric=csat, note="Closing calls", now=now)
    text = mara_client.get("/").text
    assert "Two things need you." in text
    assert "Ivo Marković and Lea Brandt" in text
    assert "“Closing calls”" in text


def test_home_of_an_empty_house_shows_the_way(mara_client):
    text = mara_client.get("/").text
    assert "Import an export" in text
    assert reverse("import-new") in text


def test_a_learner_logs_a_session(pair, lea_client, now):
    address = reverse("session-log", args=[pair.public_id])
    answer = lea_client.post(
        address, {"held_on": now.date(), "note": "Two calls", "from": "me"}, follow=True
    )
    assert "Noted. Thank you." in answer.text
    assert answer.redirect_chain[-1][0] == "/me/"
    assert Session.objects.get().note == "Two calls"


def test_a_session_in_the_future_is_refused_in_words(pair, lea_client, now):
    tomorrow = now.date() + timedelta(days=1)
    answer = lea_client.post(
        reverse("session-log", args=[pair.public_id]), {"held_on": tomorrow}, follow=True
    )
    assert sessions.NotYet.message in answer.text
    assert not Session.objects.exists()


def test_a_hand_goes_up_and_down(lea, lea_client, csat):
    lea_client.post(reverse("hand-raise"), {"metric": csat.pk, "note": "Please"})
    hand = HandRaise.objects.get(person=lea)
    assert "“Please”" in lea_client.get("/me/").text
    lea_client.post(reverse("hand-lower", args=[hand.pk]))
    hand.refresh_from_db()
    assert hand.lowered_at is not None


def test_nobody_lowers_the_hand_of_another(lea, csat, now, mara_client):
    hand = people.raise_hand(person=lea, metric=csat, note="", now=now)
    assert mara_client.post(reverse("hand-lower", args=[hand.pk])).status_code == 404


def test_a_case_is_decided_by_the_manager_with_a_reason(pair, mara_client, lea_client, now):
    Pair.objects.filter(pk=pair.pk).update(state=Pair.State.STUCK)
    case = Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
    address = reverse("case-decide", args=[case.public_id])
    wanted = {"decision": "everything", "weeks": 4, "note": "Holidays were in between."}
    assert lea_client.post(address, wanted).status_code == 404
    mara_client.post(address, {**wanted, "note": ""})
    case.refresh_from_db()
    assert case.decided_at is None
    mara_client.post(address, wanted)
    case.refresh_from_db()
    assert case.decision == "everything"


def test_launching_twice_flashes_a_refusal(plan, mara_client):
    address = reverse("plan-launch", args=[plan.public_id])
    first = mara_client.post(address, {"revision": plan.revision}, follow=True)
    assert "Launched." in first.text
    second = mara_client.post(address, {"revision": plan.revision}, follow=True)
    assert launches.AlreadyLaunched.message in second.text
    assert Pair.objects.count() == plan.matched


def test_a_plan_that_changed_unseen_is_not_launched(plan, mara_client):
    answer = mara_client.post(
        reverse("plan-launch", args=[plan.public_id]), {"revision": plan.revision + 1}, follow=True
    )
    assert launches.NotReady.message in answer.text
    assert not Pair.objects.exists()


def test_forbidding_a_pair_says_what_it_costs(plan, mara_client):
    draft = plan.draft_pairs.first()
    answer = mara_client.post(
        reverse("rule-add", args=[plan.public_id]),
        {
            "kind": "forbid",
            "learner": draft.learner.public_id,
            "coach": draft.coach.public_id,
        },
        follow=True,
    )
    assert f"{draft.coach.name} and {draft.learner.name} are kept apart." in answer.text
    assert not plan.draft_pairs.filter(learner=draft.learner, coach=draft.coach).exists()
    rule = plan.rules.get()
    mara_client.post(reverse("rule-drop", args=[plan.public_id, rule.pk]))
    assert plan.draft_pairs.filter(learner=draft.learner, coach=draft.coach).exists()


def test_somebody_outside_the_cohort_cannot_be_ruled_in(plan, otto, mara_client):
    draft = plan.draft_pairs.first()
    answer = mara_client.post(
        reverse("rule-add", args=[plan.public_id]),
        {"kind": "pin", "learner": draft.learner.public_id, "coach": otto.public_id},
    )
    assert answer.status_code == 404


def test_from_a_ranking_to_a_draft_plan(ranked, mara_client, now):
    answer = mara_client.post(
        reverse("cohort-new", args=[ranked.public_id]),
        {
            "name": "Summer",
            "test_date": (now + timedelta(weeks=8)).date(),
            "target_form": "gap_top",
        },
        follow=True,
    )
    assert "Make the plan" in answer.text
    cohort = ranked.cohorts.get()
    answer = mara_client.post(reverse("plan-new", args=[cohort.public_id]), follow=True)
    assert answer.redirect_chain[-1][0] == reverse("plan", args=[cohort.plans.get().public_id])


def test_a_test_date_too_soon_is_refused_on_the_form(ranked, mara_client, now):
    answer = mara_client.post(
        reverse("cohort-new", args=[ranked.public_id]),
        {
            "name": "Summer",
            "test_date": (now + timedelta(weeks=1)).date(),
            "target_form": "gap_top",
        },
    )
    assert cohorts.TooSoon.message in answer.text
    assert 'value="Summer"' in answer.text


def test_the_ranking_is_filtered_by_name_and_band(ranked, mara_client):
    address = reverse("ranking", args=[ranked.public_id])
    one = mara_client.get(address, {"q": "agent 00", "metric": "csat"}).text
    assert one.count('class="interval-dot"') == 1
    weak = mara_client.get(address, {"band": "weak"}).text
    expected = ranked.standings.filter(metric=None, band="weak").count()
    assert weak.count('class="interval-dot"') == expected > 0


def test_a_ranking_that_labels_nobody_says_why(team, mara, csat, now, mara_client):
    for number in range(8):
        person = factories.make_person(f"Same {number}", team=team)
        for week in range(1, 13):
            factories.add_reading(
                person, csat, now.date() - timedelta(weeks=week), mean=4.0 + 0.001 * (number % 2)
            )
    answer = mara_client.post(reverse("rank-team"), {"team": team.pk}, follow=True)
    answer = mara_client.get(answer.redirect_chain[-1][0], {"metric": "csat"})
    assert (
        "Nobody is labelled on Customer satisfaction: the eight people differ by no more than "
        "chance would make them." in answer.text
    )


def test_ranking_without_readings_is_refused_in_words(team, mara_client):
    answer = mara_client.post(reverse("rank-team"), {"team": team.pk}, follow=True)
    assert "There are no readings" in answer.text


def test_a_manager_ranks_only_own_teams(other_team, mara_client):
    mara_client.post(reverse("rank-team"), {"team": other_team.pk})
    assert not other_team.scorecards.exists()


def test_what_is_sent_is_compressed_where_the_browser_takes_it(db, client):
    for accepted, encoding in (("", None), ("gzip, br", "gzip")):
        answer = client.get("/login/", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == encoding
