"""The pages on which a plan is reworked: what they show, what they ask, what a change says."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from coaching.models import Member, Person, Plan, Rule
from coaching.services import plans
from tests import factories

TABS = ["plan", "plan-unpaired", "plan-coaches", "plan-people", "plan-wishes", "plan-steps"]


@pytest.fixture
def page(plan, mara_client):
    """The text of one of the plan's pages."""

    def read(name: str = "plan", /, *more: str, **asked) -> str:
        address = reverse(name, args=[plan.public_id, *more])
        return unescape(mara_client.get(address, asked).text)

    return read


@pytest.fixture
def post(plan, mara_client):
    """Press something on the plan's pages; the text of the page that follows."""

    def send(name: str, /, *more, **given) -> str:
        address = reverse(name, args=[plan.public_id, *more])
        answer = mara_client.post(address, given, follow=True)
        assert answer.status_code == 200
        plan.refresh_from_db()
        return unescape(answer.text)

    return send


@pytest.fixture
def scarce(plan, mara, now) -> Plan:
    """One coach with one seat is left: everybody else waits."""
    for coach in Person.objects.filter(member__cohort=plan.cohort, member__side="coach"):
        plans.set_capacity(plan=plan, coach=coach, seats=0, by=mara, now=now)
    plans.set_capacity(plan=plan, coach=coach, seats=1, by=mara, now=now)
    assert plan.matched == 1
    assert plan.unpaired.filter(scarce=True).count() >= 2
    return plan


def values(text: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]*)"', text)


# -- what is shown -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*TABS, "plan-compare", "plan-swap"])
def test_it_is_there_for_the_manager_and_for_nobody_else(
    plan, mara_client, otto_client, otto, name
):
    address = reverse(name, args=[plan.public_id])
    assert mara_client.get(address).status_code == 200
    assert otto_client.get(address).status_code == 404


@pytest.mark.parametrize(
    "name",
    ["plan-undo", "plan-redo", "rule-add", "seats-change", "member-out", "member-in", "plan-wish",
     "plan-lot", "plan-wants", "plan-copy", "plan-rename", "plan-drop", "plan-solve", "plan-swap"],
)  # fmt: skip
def test_nobody_else_changes_it(plan, otto_client, otto, name):
    before = (plan.revision, plan.name)
    assert (
        otto_client.post(reverse(name, args=[plan.public_id]), {"name": "Mine"}).status_code == 404
    )
    plan.refresh_from_db()
    assert (plan.revision, plan.name) == before


@pytest.mark.parametrize("what", ["name", "skill", "pinned", "few", "free", "nothing"])
def test_pairs_are_found(plan, page, mara, csat, now, what):
    draft = plan.draft_pairs.select_related("learner", "coach").first()
    plans.add_rule(
        plan=plan, kind=Rule.Kind.PIN, learner=draft.learner, coach=draft.coach, by=mara, now=now
    )
    asked, found = {
        "name": ({"q": draft.learner.name.upper()}, plan.draft_pairs.filter(learner=draft.learner)),
        "skill": ({"skill": csat.key}, plan.draft_pairs.all()),
        "pinned": ({"show": "pinned"}, plan.draft_pairs.filter(pinned=True)),
        "few": ({"show": "few"}, plan.draft_pairs.filter(feasible_coaches__lt=3)),
        "free": ({"show": "free"}, plan.draft_pairs.filter(pinned=False, runner_up_cost=0)),
        "nothing": ({"skill": "no-such-skill"}, plan.draft_pairs.none()),
    }[what]
    text = page(**asked)
    assert text.count("data-row=") == found.count()
    if not found.exists():
        assert "No pair fits these filters" in text


@pytest.mark.parametrize("number", [2, 20])
@pytest.mark.parametrize("name", [*TABS, "plan-compare"])
def test_a_page_costs_the_same_for_any_number_of_people(
    plan, mara_client, team, csat, mara, now, django_assert_max_num_queries, name, number
):
    for side in (Member.Side.LEARNER, Member.Side.COACH):
        for _ in range(number):
            person = factories.make_person(team=team)
            plan.cohort.members.create(person=person, side=side)
            if side == Member.Side.COACH:
                learner = factories.make_person(team=team)
                plan.draft_pairs.create(
                    learner=learner, coach=person, metric=csat, score=500, feasible_coaches=2
                )
                plan.unpaired.create(
                    learner=person, reason="No seat.", scarce=True, contested=[learner.public_id]
                )
    plans.copy(plan=plan, name="Other", by=mara, now=now)
    with django_assert_max_num_queries(30):
        mara_client.get(reverse(name, args=[plan.public_id]))


@pytest.mark.parametrize("number", [2, 20])
def test_a_price_costs_the_same_queries_for_any_number_of_coaches(
    plan, mara_client, team, ranked, django_assert_max_num_queries, number
):
    learner = plan.draft_pairs.first().learner
    for _ in range(number):
        plan.cohort.members.create(person=factories.make_person(team=team), side="coach")
    with django_assert_max_num_queries(38):
        mara_client.get(reverse("plan-learner", args=[plan.public_id, learner.public_id]))


def test_a_launched_plan_shows_no_buttons(plan, page, mara, now):
    plan.state, plan.launched_at = Plan.State.LAUNCHED, now
    plan.save()
    for name in TABS:
        text = page(name).split('<main id="content"')[1]
        assert "Solve with these wishes" not in text
        # The wishes stay in their form, so that they can be read, but cannot be sent.
        assert 'method="post"' not in text or name == "plan-wishes", name


def test_a_plan_that_is_being_solved_says_so(plan, page, now):
    plan.queued_at = now
    plan.save()
    plan.parts.create(number=1, revision=plan.revision, learners=[], answer={})
    plan.parts.create(number=2, revision=plan.revision, learners=[])
    text = page()
    assert "data-waiting" in text
    assert "One part of 2 done." in text.replace("one part", "One part")


@pytest.mark.parametrize("side", ["learner", "coach"])
def test_an_empty_side_says_what_to_do(plan, page, mara, now, side):
    plan.cohort.members.filter(side=side).delete()
    plans.solve(plan=plan, by=mara, now=now)
    text = page()
    assert f"Nobody is a {side} in this plan" in text
    page("plan-unpaired")
    page("plan-coaches")


# -- changes -------------------------------------------------------------------------------------


def test_pinning_and_unpinning_in_the_table(plan, page, post):
    draft = plan.draft_pairs.first()
    both = f"{draft.learner.public_id}:{draft.coach.public_id}"
    assert f"pin:{both}" in values(page(), "rule")
    text = post("rule-add", rule=f"pin:{both}")
    assert f"{draft.coach} and {draft.learner} are pinned together." in text
    assert plan.rules.get().kind == Rule.Kind.PIN
    assert f"drop:{both}" in values(text, "rule")
    post("rule-add", rule=f"drop:{both}")
    assert not plan.rules.exists()


@pytest.mark.parametrize("rule", ["", "pin", "pin:x", "marry:a:b", "pin::", "drop:a:b:c"])
def test_a_rule_that_makes_no_sense_changes_nothing(plan, mara_client, rule):
    before = plan.revision
    answer = mara_client.post(reverse("rule-add", args=[plan.public_id]), {"rule": rule})
    assert answer.status_code in (302, 404)
    plan.refresh_from_db()
    assert plan.revision == before


def test_a_forbidden_pair_says_what_it_cost_and_undo_brings_it_back(plan, page, post):
    draft = plan.draft_pairs.select_related("learner", "coach").first()
    total = plan.total
    text = post("rule-add", rule=f"forbid:{draft.learner.public_id}:{draft.coach.public_id}")
    assert not plan.draft_pairs.filter(learner=draft.learner, coach=draft.coach).exists()
    assert "kept apart" in text
    change = plan.total - total
    assert re.search(r"falls by|rises by|as good as before|fewer matched", text)
    if change:
        assert f"{abs(change):,}" in text
    # What moved, and why.
    last = plan.steps.get(number=plan.step)
    assert last.moves
    assert last.moves[0]["why"] in text
    assert "Undo: " + last.what in text
    text = post("plan-undo")
    assert plan.total == total
    assert plan.draft_pairs.filter(learner=draft.learner, coach=draft.coach).exists()
    assert "Redo: " + last.what in text
    post("plan-redo")
    assert not plan.draft_pairs.filter(learner=draft.learner, coach=draft.coach).exists()


def test_nothing_to_undo_is_said(post):
    assert "nothing to undo" in post("plan-undo").lower()


def test_every_other_coach_has_a_price_before_it_is_insisted_on(plan, page, post):
    draft = plan.draft_pairs.filter(runner_up__isnull=False).first()
    text = page("plan-learner", draft.learner.public_id)
    assert "Insist on this coach" in text
    offered = [value for value in values(text, "rule") if value.startswith("pin:")]
    coaches = plan.cohort.members.filter(side="coach").count()
    assert 1 < len(offered) <= coaches
    assert "The plan's choice" in text
    wanted = next(one for one in offered if not one.endswith(draft.coach.public_id))
    post("rule-add", rule=wanted)
    coach = wanted.rsplit(":", 1)[1]
    assert plan.draft_pairs.get(learner=draft.learner).coach.public_id == coach


def test_the_price_told_is_the_price_paid(plan, post, mara_client):
    from coaching.services.plans import what_if

    learner = plan.draft_pairs.first().learner
    before = plan.total
    offer = next(one for one in what_if.prices(plan, learner).offers if not one.here)
    address = reverse("plan-learner", args=[plan.public_id, learner.public_id])
    assert offer.coach.name in mara_client.get(address).text
    post("rule-add", rule=f"pin:{learner.public_id}:{offer.coach.public_id}")
    assert before - plan.total == offer.lost_score


def test_two_learners_swap_after_the_price(plan, page, post):
    pairs = list(plan.draft_pairs.select_related("learner", "coach"))
    one = pairs[0]
    other = next(pair for pair in pairs if pair.coach_id != one.coach_id)
    text = page("plan-swap", pair=one.public_id)
    assert f"{one.learner} has {one.coach}" in text
    assert other.public_id in text
    text = page("plan-swap", pair=[one.public_id, other.public_id])
    assert "The whole cohort loses" in text
    post("plan-swap", pair=[one.public_id, other.public_id])
    assert plan.draft_pairs.get(learner=one.learner).coach == other.coach
    assert plan.draft_pairs.get(learner=other.learner).coach == one.coach
    assert plan.rules.filter(kind=Rule.Kind.PIN).count() == 2
    # The rows are new ones now; the old ones are not swapped a second time.
    assert "The plan has changed since" in post("plan-swap", pair=[one.public_id, other.public_id])


def test_somebody_is_left_out_of_this_plan_for_a_reason(plan, page, post):
    learner = plan.draft_pairs.first().learner
    text = page("member-out", person=learner.public_id)
    assert f"Leave {learner} out?" in text
    text = post("member-out", person=learner.public_id, reason="")
    assert "Say why" in text
    assert plan.draft_pairs.filter(learner=learner).exists()
    post("member-out", person=learner.public_id, reason="On leave until May")
    assert not plan.draft_pairs.filter(learner=learner).exists()
    assert plan.cohort.members.filter(person=learner, left_out=False).exists()
    assert "On leave until May" in page("plan-people")
    post("member-in", person=learner.public_id, reason="Back early")
    assert plan.draft_pairs.filter(learner=learner).exists()


def test_somebody_of_the_ranking_is_found_and_taken_in(plan, page, post):
    inside = set(plan.cohort.members.values_list("person__public_id", flat=True))
    text = page("plan-people", find="agent 1").split("Your rules")[0]
    found = [one for one in values(text, "person") if one]
    assert found
    assert not set(found) & inside
    text = post("member-in", person=found[0], side="coach", reason="Teaches it already")
    member = plan.cohort.members.get(person__public_id=found[0])
    assert (member.side, member.source, member.note) == ("coach", "manager", "Teaches it already")
    assert "takes part as a coach" in text


def test_who_waits_is_told_why_and_one_more_seat_helps(scarce, page, post):
    text = page("plan-unpaired")
    assert "Draw who waits by lot" in text
    assert "nothing but chance" in text
    waiting = scarce.unpaired.count()
    assert f"{waiting}" in text
    coach = re.search(r'name="coach" value="(\w+)"', text)[1]
    seats = re.search(r'name="seats" value="(\d+)"', text)[1]
    text = post("seats-change", coach=coach, seats=seats)
    assert scarce.unpaired.count() < waiting
    assert "One more matched." in text


def test_the_lot_is_drawn_once_for_a_cohort(scarce, page, post):
    text = post("plan-lot", lot="draw")
    scarce.refresh_from_db()
    number = scarce.lot
    assert number is not None
    assert f"Drawn by lot, number {number}." in text
    assert "in the lot" in page("plan-unpaired")
    post("plan-lot", lot="")
    scarce.refresh_from_db()
    assert scarce.lot is None
    # Nobody draws until they like it.
    post("plan-lot", lot="draw")
    scarce.refresh_from_db()
    assert scarce.lot == number


def test_wishes_are_kept_and_shown(plan, page, post, csat):
    given = {f"points-{key}": "0" for key in plans.PREFERENCES}
    text = post(
        "plan-wish", **{**given, "points-language": "120", f"weight-{csat.key}": "2", "floor": "40"}
    )
    assert "Solved with your wishes." in text
    assert (plan.preferences["language"], plan.floor) == (120, 40)
    assert plan.weights == {csat.key: 2.0}
    text = page("plan-wishes")
    assert 'value="120"' in text
    assert 'value="40"' in text


@pytest.mark.parametrize(
    "wrong", [{"floor": "-1"}, {"floor": "2000"}, {"points-site": "many"}, {"points-site": "-3"}]
)
def test_a_wish_that_makes_no_sense_is_refused_in_words(plan, mara_client, wrong, csat):
    before = plan.revision
    answer = mara_client.post(
        reverse("plan-wish", args=[plan.public_id]),
        {f"weight-{csat.key}": "1", **wrong},
        follow=True,
    )
    assert 'class="flash tone-stuck"' in answer.text
    plan.refresh_from_db()
    assert plan.revision == before


def test_at_least_one_skill_counts(plan, post, csat):
    assert "At least one skill" in post("plan-wish", **{f"weight-{csat.key}": "0"})
    assert plan.weights == {}


def test_what_each_floor_would_give(plan, page):
    assert "What would each floor give?" in page("plan-wishes")
    text = page("plan-wishes", curve="1")
    assert "What each floor gives" in text
    assert f"{plan.matched}" in text


# -- saved plans ---------------------------------------------------------------------------------


def test_a_copy_is_changed_and_compared(plan, page, post, mara_client):
    draft = plan.draft_pairs.select_related("learner", "coach").first()
    text = post("plan-copy", name="Without that pair")
    copy = plan.cohort.plans.get(name="Without that pair")
    assert "This is the copy" in text
    rule = f"forbid:{draft.learner.public_id}:{draft.coach.public_id}"
    mara_client.post(reverse("rule-add", args=[copy.public_id]), {"rule": rule})
    assert plan.draft_pairs.filter(learner=draft.learner, coach=draft.coach).exists()
    text = page("plan-compare", **{"with": copy.public_id})
    assert "Who differs" in text
    assert draft.learner.name in text.split("Who differs")[1]
    copy.refresh_from_db()
    assert f"{copy.total:,}" in text
    assert f"{plan.total:,}" in text


def test_a_plan_is_renamed_and_deleted_but_not_the_last(plan, post, mara, now):
    post("plan-rename", name="First try")
    assert plan.name == "First try"
    assert "only plan" in post("plan-drop")
    other = plans.copy(plan=plan, name="Second try", by=mara, now=now)
    address = reverse("plan-drop", args=[other.public_id])
    assert address
    post("plan-rename", name="")
    assert plan.name == "First try"


def test_deleting_a_plan_leads_to_the_other(plan, mara_client, mara, now):
    other = plans.copy(plan=plan, name="Second try", by=mara, now=now)
    answer = mara_client.post(reverse("plan-drop", args=[other.public_id]))
    assert answer.url == reverse("plan", args=[plan.public_id])
    assert not Plan.objects.filter(pk=other.pk).exists()


# -- two managers --------------------------------------------------------------------------------


def test_a_change_of_a_plan_that_somebody_else_changed_is_not_made(plan, page, post, hanna, now):
    seen = values(page(), "seen")[0]
    first, second = plan.draft_pairs.select_related("learner", "coach")[:2]
    plans.add_rule(
        plan=plan, kind=Rule.Kind.PIN, learner=first.learner, coach=first.coach, by=hanna,
        now=now + timedelta(minutes=1),
    )  # fmt: skip
    rule = f"forbid:{second.learner.public_id}:{second.coach.public_id}"
    text = post("rule-add", rule=rule, seen=seen)
    assert "Your change was not made" in text
    assert "Hanna Reuter meanwhile" in text
    assert f"{first.coach} and {first.learner} pinned together" in text
    assert not plan.rules.filter(kind=Rule.Kind.FORBID).exists()
    # What is on the page now is the plan as it is, so the same change works.
    post("rule-add", rule=rule, seen=values(text, "seen")[0])
    assert plan.rules.filter(kind=Rule.Kind.FORBID).exists()


def test_an_undo_of_somebody_else_is_told(plan, page, post, hanna, now):
    draft = plan.draft_pairs.first()
    post("rule-add", rule=f"pin:{draft.learner.public_id}:{draft.coach.public_id}")
    seen = values(page(), "seen")[0]
    plans.undo(plan=plan, by=hanna, now=now)
    text = post("plan-lot", lot="draw", seen=seen)
    assert "Somebody took back" in text
    assert plan.lot is None


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/plans/", "//elsewhere.example", "/admin/", "/plans/", ""]
)
def test_a_form_leads_back_to_the_plan_only(plan, mara_client, back):
    answer = mara_client.post(reverse("plan-solve", args=[plan.public_id]), {"back": back})
    assert answer.url == reverse("plan", args=[plan.public_id])


def test_a_form_leads_back_to_where_it_stood(plan, mara_client):
    back = reverse("plan-coaches", args=[plan.public_id]) + "?q=agent&page=1"
    answer = mara_client.post(reverse("plan-solve", args=[plan.public_id]), {"back": back})
    assert answer.url == back
