"""The way to a launch in seven steps: where one is, what lies behind, and where to go on."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coaching.models import Cohort, Plan, Ranking, Scorecard
from coaching.queries import cohorts
from coaching.web import words

STEPS = {
    "population": _("Population"),
    "scorecard": _("Scorecard"),
    "bands": _("Bands"),
    "target": _("Target and test"),
    "plan": _("Plan"),
    "letters": _("Letters"),
    "launch": _("Launch"),
}
NUMBER = {key: number for number, key in enumerate(STEPS, 1)}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the strip; without a link it cannot be gone to yet."""

    name: str
    link: str
    done: bool
    here: bool


def steps(
    at: str,
    *,
    scorecard: Scorecard | None = None,
    ranking: Ranking | None = None,
    cohort: Cohort | None = None,
    plan: Plan | None = None,
) -> list[Step]:
    """What is known decides how far one can go; `at` is a key of STEPS."""
    if cohort:
        ranking = cohort.ranking
    if ranking:
        scorecard = ranking.scorecard
    # Pages before the draft keep it in their address, so that the strip leads back to it.
    back = f"?draft={cohort.public_id}" if cohort else ""
    links = {"population": reverse("rankings") + back}
    if scorecard:
        links["scorecard"] = reverse("scorecard", args=[scorecard.public_id]) + back
    if cohort:
        links |= {
            "bands": reverse("cohort", args=[cohort.public_id]),
            "target": reverse("cohort-target", args=[cohort.public_id]),
            "plan": reverse("cohort", args=[cohort.public_id]),
        }
    elif ranking:
        links |= {
            "bands": reverse("selection", args=[ranking.public_id]),
            "target": reverse("cohort-new", args=[ranking.public_id]),
        }
    if plan:
        links["plan"] = reverse("plan", args=[plan.public_id])
        if plan.matched:
            links["letters"] = reverse("plan-letters", args=[plan.public_id])
            links["launch"] = f"{links['plan']}#launch"
    reached = NUMBER[at]
    if cohort:
        reached = max(reached, NUMBER["letters" if plan and plan.matched else "plan"])
    elif ranking:
        reached = max(reached, NUMBER["bands"])
    return [
        Step(name, links.get(key, ""), NUMBER[key] < reached and key != at, key == at)
        for key, name in STEPS.items()
    ]


def draft_in(request: HttpRequest) -> tuple[Cohort | None, Plan | None]:
    """The draft that the address says one came from, if it is the reader's."""
    wanted = request.GET.get("draft", "")[:12]
    if not wanted or "\0" in wanted or request.person is None:
        return None, None
    rows = cohorts.drafts(cohorts.visible_to(request.person))
    cohort = rows.filter(public_id=wanted).first()
    return cohort, plan_of(cohort) if cohort else None


def plan_of(cohort: Cohort) -> Plan | None:
    """The newest plan of a cohort that came through `queries.cohorts.drafts`."""
    return next(iter(cohort.plans.all()), None)


@dataclass(frozen=True, slots=True)
class GoOn:
    """Where a draft was left: the step to go on with, and what there is to do."""

    number: int
    name: str
    words: str
    link: str


def go_on(cohort: Cohort) -> GoOn:
    """For a cohort that came through `queries.cohorts.drafts`."""
    plan = plan_of(cohort)
    link = reverse("cohort", args=[cohort.public_id])
    key, told = "plan", gettext("The people are chosen; make the plan")
    if not cohort.has_learners:
        key, told = "bands", gettext("Nobody is chosen as a learner yet")
    elif not cohort.has_coaches:
        key, told = "bands", gettext("Nobody is chosen as a coach yet")
    elif plan and plan.matched:
        pairs = words.capital(words.counted(plan.matched, gettext("pair,pairs")))
        key, told = "letters", gettext("%(pairs)s planned, nothing sent yet") % {"pairs": pairs}
        link = reverse("plan-letters", args=[plan.public_id])
    elif plan:
        told = gettext("The plan has no pair yet")
        link = reverse("plan", args=[plan.public_id])
    return GoOn(NUMBER[key], STEPS[key], told, link)
