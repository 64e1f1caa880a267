"""The way to a launch can be left at any step, and gone on with."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Cohort, Event, HandRaise, Member, Pair, Plan
from coaching.queries import cohorts as queries
from coaching.services import cohorts, drafts, launches, plans
from coaching.services.membership import NotADraft
from coaching.web import steps
from tests import factories


def fresh(cohort: Cohort) -> Cohort:
    return queries.drafts(Cohort.objects.filter(pk=cohort.pk)).get()


def strip(text: str) -> str:
    return text.split('aria-label="Steps to a launch"')[1].split("</nav>")[0]


# -- one strip on all pages ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("rankings", "Population"), ("scorecard", "Scorecard"), ("ranking", "Bands"),
        ("selection", "Bands"), ("cohort-new", "Target and test"),
        ("cohort", "Bands"), ("cohort-target", "Target and test"), ("plan", "Plan"),
        ("plan-wishes", "Plan"), ("plan-letters", "Letters"),
    ],
)  # fmt: skip
def test_every_page_of_the_way_says_where_one_is(plan, mara_client, name, step):
    cohort = plan.cohort
    of = {"scorecard": cohort.ranking.scorecard, "ranking": cohort.ranking,
          "selection": cohort.ranking, "cohort-new": cohort.ranking, "cohort": cohort,
          "cohort-target": cohort, "plan": plan, "plan-wishes": plan,
          "plan-letters": plan}.get(name)  # fmt: skip
    address = reverse(name, args=[of.public_id] if of else [])
    shown = strip(mara_client.get(address).text)
    assert shown.count("<li") == 7
    assert shown.count('aria-current="step"') == 1
    here = shown.split('aria-current="step"')[1].split("</li>")[0]
    assert step in here


def test_from_a_draft_every_step_links_back_and_forth(plan, mara_client):
    cohort = plan.cohort
    shown = strip(mara_client.get(reverse("plan-letters", args=[plan.public_id])).text)
    for name, row in (("cohort", cohort), ("cohort-target", cohort), ("plan", plan)):
        assert reverse(name, args=[row.public_id]) in shown
    back = f"{reverse('scorecard', args=[cohort.ranking.scorecard.public_id])}?draft="
    assert back + cohort.public_id in shown
    shown = strip(mara_client.get(back + cohort.public_id).text)
    assert reverse("plan-letters", args=[plan.public_id]) in shown
    assert "You are planning" in shown


@pytest.mark.parametrize("draft", ["nonsense", "\0", "x" * 300, ""])
def test_a_draft_that_is_none_leads_nowhere(plan, mara_client, draft):
    text = mara_client.get(reverse("rankings"), {"draft": draft}).text
    assert "You are planning" not in text


def test_a_draft_of_others_leads_nowhere(plan, otto_client):
    answer = otto_client.get(reverse("rankings"), {"draft": plan.cohort.public_id})
    assert plan.cohort.name not in answer.text


def test_steps_that_cannot_be_gone_to_yet_have_no_link(ranked):
    links = {step.name: bool(step.link) for step in steps.steps("bands", ranking=ranked)}
    assert [name for name, linked in links.items() if not linked] == ["Plan", "Letters", "Launch"]
    assert [step.name for step in steps.steps("population") if step.link] == ["Population"]


# -- where it was left ---------------------------------------------------------------------


def test_a_draft_says_how_to_go_on(cohort, mara, now):
    def at() -> tuple[int, str]:
        found = steps.go_on(fresh(cohort))
        return found.number, found.words

    assert at() == (5, "The people are chosen; make the plan")
    plan = plans.draft(cohort=cohort, by=mara, now=now)
    number, said = at()
    assert (number, said.endswith("planned, nothing sent yet")) == (6, True)
    Plan.objects.filter(pk=plan.pk).update(matched=0)
    assert at() == (5, "The plan has no pair yet")
    cohort.members.filter(side=Member.Side.COACH).update(left_out=True)
    assert at() == (3, "Nobody is chosen as a coach yet")


def test_home_and_the_list_of_cohorts_lead_on(plan, mara_client, otto_client):
    link = reverse("plan-letters", args=[plan.public_id])
    for name in ("home", "cohorts"):
        text = mara_client.get(reverse(name)).text
        assert "Go on with step 6" in text
        assert link in text
        assert link not in otto_client.get(reverse(name)).text


def test_drafts_cost_the_same_for_any_number(
    team, mara, csat, now, mara_client, django_assert_max_num_queries
):
    def cost(name: str) -> int:
        with django_assert_max_num_queries(45) as found:
            assert mara_client.get(reverse(name)).status_code == 200
        return len(found)

    def draft(number: int) -> None:
        for _ in range(number):
            cohort = factories.make_cohort(team, csat, now=now, state="draft")
            Plan.objects.create(cohort=cohort, created_at=now, matched=3)

    draft(2)
    few = {name: cost(name) for name in ("home", "cohorts")}
    draft(40)
    assert {name: cost(name) for name in few} == few
    text = mara_client.get(reverse("cohorts")).text
    assert "And twelve older drafts" in text


# -- target and test -----------------------------------------------------------------------


def test_target_and_test_are_changed_until_the_launch(plan, mara, mara_client, now):
    cohort = plan.cohort
    address = reverse("cohort-target", args=[cohort.public_id])
    day = (now + timedelta(weeks=10)).date()
    wanted = {"name": "Late spring", "test_date": day, "target_form": "middle"}
    answer = mara_client.post(address, wanted, follow=True)
    assert "Saved." in answer.text
    cohort.refresh_from_db()
    assert (cohort.name, cohort.test_date, cohort.target_form) == ("Late spring", day, "middle")
    assert Event.objects.get(verb="cohort changed").details == {
        "changed": ["name", "target_form", "test_date"]
    }
    assert "Nothing was different." in mara_client.post(address, wanted, follow=True).text
    assert Event.objects.filter(verb="cohort changed").count() == 1
    launches.launch(plan=plan, by=mara, now=now)
    assert Pair.objects.first().test_date == day
    assert mara_client.get(address).status_code == 404
    with pytest.raises(NotADraft):
        drafts.change(cohort=cohort, by=mara, now=now, **wanted)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"name": " "}, "This field is required."), ({"name": "x" * 121}, "at most 120"),
        ({"test_date": "2027-03-02"}, cohorts.TooSoon.message),
        ({"test_date": "2035-01-01"}, cohorts.TooFar.message),
        ({"test_date": "soon"}, "Enter a valid date."), ({"target_form": "easy"}, "valid choice"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_on_the_form(cohort, mara_client, now, bad, said):
    given = {"name": "Late", "test_date": (now + timedelta(weeks=9)).date(),
             "target_form": "gap_top", **bad}  # fmt: skip
    answer = mara_client.post(reverse("cohort-target", args=[cohort.public_id]), given)
    assert said in answer.text
    cohort.refresh_from_db()
    assert cohort.name == "Spring"


# -- discarding ----------------------------------------------------------------------------


def test_a_draft_is_discarded_with_its_plans(plan, mara_client, lea, csat, now):
    hand = HandRaise.objects.create(person=lea, metric=csat, raised_at=now)
    cohort = plan.cohort
    answer = mara_client.post(reverse("cohort-discard", args=[cohort.public_id]), follow=True)
    assert "The draft “Spring” is discarded." in answer.text
    assert not Cohort.objects.exists()
    assert not Plan.objects.exists()
    assert cohort.ranking.__class__.objects.filter(pk=cohort.ranking.pk).exists()
    hand.refresh_from_db()
    assert hand.lowered_at is None
    assert "discarded the draft Spring" in mara_client.get(reverse("trail")).text
    again = mara_client.post(reverse("cohort-discard", args=[cohort.public_id]))
    assert again.status_code == 404


def test_what_was_launched_is_not_discarded(plan, mara, mara_client, now):
    cohort = plan.cohort
    launches.launch(plan=plan, by=mara, now=now)
    address = reverse("cohort-discard", args=[cohort.public_id])
    assert NotADraft.message in mara_client.post(address, follow=True).text
    launches.undo(cohort=cohort, by=mara, now=now)
    assert drafts.WasLaunched.message in mara_client.post(address, follow=True).text
    assert Cohort.objects.filter(pk=cohort.pk).exists()


def test_drafts_are_their_managers(cohort, lea_client, ivo_client, otto_client, client):
    for name in ("cohort-target", "cohort-discard"):
        address = reverse(name, args=[cohort.public_id])
        for one in (lea_client, ivo_client, otto_client):
            assert one.post(address).status_code == 404
        assert client.post(address).status_code == 302
    assert Cohort.objects.filter(pk=cohort.pk).exists()


def test_a_link_discards_nothing(cohort, mara_client):
    assert mara_client.get(reverse("cohort-discard", args=[cohort.public_id])).status_code == 405
