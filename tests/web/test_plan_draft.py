"""The page of a cohort that is being planned: its people, found and chosen again."""

from html import unescape

import pytest
from django.urls import reverse

from coaching.models import Member
from coaching.services import members


@pytest.fixture
def page(cohort, mara_client):
    def read(**asked) -> str:
        return unescape(mara_client.get(reverse("cohort", args=[cohort.public_id]), asked).text)

    return read


@pytest.fixture
def choose(cohort, mara_client):
    """Choose its people again; the page that follows."""

    def send(**given) -> str:
        address = reverse("cohort-reselect", args=[cohort.public_id])
        answer = mara_client.post(address, given, follow=True)
        cohort.refresh_from_db()
        return unescape(answer.text)

    return send


def test_one_side_at_a_time_and_a_search(cohort, page):
    learner = cohort.members.filter(side="learner").first().person
    coach = cohort.members.filter(side="coach").first().person
    out = "Leave {} out"
    assert out.format(learner) in page()
    assert out.format(coach) not in page()
    assert out.format(coach) in page(side="coach")
    found = page(side="coach", who=coach.name.upper())
    assert out.format(coach) in found
    assert found.count("Leave out …") == 1
    assert "Nobody of that name here" in page(who="nobody at all")
    # Whatever is no side shows the learners.
    assert out.format(learner) in page(side="elsewhere")


def test_another_policy_chooses_again_and_the_managers_own_stay(
    plan, cohort, page, choose, mara, now
):
    before = set(cohort.members.values_list("person", flat=True))
    own = cohort.ranking.standings.filter(metric=None).exclude(person__in=before).first().person
    members.add(cohort=cohort, person=own, side="coach", reason="Teaches it", by=mara, now=now)
    gone = cohort.members.filter(source="ranking", side="learner").first().person
    members.leave_out(cohort=cohort, person=gone, reason="On leave", by=mara, now=now)
    text = choose(policy="quota", q="25", quota="3")
    assert "Chosen again: " in text
    assert (cohort.policy, cohort.quota) == ("quota", 3)
    assert cohort.members.get(person=own).source == Member.Source.MANAGER
    assert cohort.members.get(person=gone).left_out
    plan.refresh_from_db()
    taught = cohort.members.filter(side="learner", left_out=False)
    assert plan.matched + plan.unpaired.count() == taught.count()
    assert "by the policy quota" in page()


@pytest.mark.parametrize(
    "wrong", [{"policy": "gut"}, {"policy": "quota", "q": "90"}, {"policy": "quota", "quota": "0"}]
)
def test_a_policy_that_makes_no_sense_chooses_nobody(cohort, choose, wrong):
    before = (cohort.policy, cohort.q, set(cohort.members.values_list("person", flat=True)))
    assert 'class="flash tone-stuck"' in choose(**wrong)
    after = (cohort.policy, cohort.q, set(cohort.members.values_list("person", flat=True)))
    assert after == before


def test_nobody_else_chooses_again(cohort, otto_client, otto):
    address = reverse("cohort-reselect", args=[cohort.public_id])
    assert otto_client.post(address, {"policy": "leaning"}).status_code == 404
    assert otto_client.get(address).status_code == 405
