from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from coaching import engine
from coaching.api.doors import ManagerRows, named
from coaching.api.serializers.plans import (
    FloorShape,
    Launch,
    MemberChange,
    NewRule,
    PlanName,
    PlanShape,
    PlansSideBySide,
    PriceShape,
    PricesShape,
    Seats,
    StepShape,
    Swap,
    WishChange,
    compared,
    gathered,
)
from coaching.models import DraftPair, Member, Person, Plan
from coaching.queries import access, cohorts, people
from coaching.queries import plans as queries
from coaching.services import launches, plans
from coaching.services.plans import comparison, what_if

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The plan's ETag as you last saw it; with another one nothing is changed (412).",
)
SLUG = {"type": OpenApiTypes.STR, "location": OpenApiParameter.PATH}


def etag_of(plan: Plan) -> str:
    return f'"{plan.revision}"'


class Plans(ManagerRows):
    """
    Draft pairs under rules, always the optimum of what is asked for.

    The revision, also told as ETag, grows with each change. A change with If-Match is made
    only if nobody else was quicker.
    """

    queryset = Plan.objects.none()
    serializer_class = PlanShape

    def visible(self, reader: Person) -> QuerySet[Plan]:
        return cohorts.plans_visible_to(reader)

    @extend_schema(responses=PlanShape)
    def retrieve(self, request: Request, id: str) -> Response:
        """Every pair and every omission, with its reason."""
        return self._told(self.get_object())

    def _told(self, plan: Plan) -> Response:
        return Response(PlanShape(gathered(plan)).data, headers={"ETag": etag_of(plan)})

    def _change(self, change: Callable[..., Plan], asks: type | None = None) -> Response:
        """
        Make a change under the revision that If-Match names, if it names one.

        change : called with the plan, who asks and when, and with what the body says
        asks : the shape of the body
        """
        with transaction.atomic():
            plan = self.get_object()
            given = self.given(asks) if asks else {}
            asked = self._asked_revisions()
            # Locked, so that the revision cannot move between this look and the change.
            locked = Plan.objects.select_for_update().only("revision").get(pk=plan.pk)
            if asked and "*" not in asked and etag_of(locked) not in asked:
                raise plans.ChangedMeanwhile(plans.who_was_quicker(plan))
            solved = change(plan=plan, by=self.reader, now=self.now, **given)
            if solved.queued_at is not None:
                engine.wake()
        return self._told(solved)

    def _asked_revisions(self) -> list[str]:
        return parse_etags(self.request.headers.get("If-Match", ""))

    def _member(self, plan: Plan, public_id: str, field: str) -> Person:
        """Somebody of the plan's cohort."""
        return named(
            Person.objects.filter(pk__in=plan.cohort.members.values("person")), public_id, field
        )

    @extend_schema(request=NewRule, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def rules(self, request: Request, id: str) -> Response:
        """Pin two people together or keep them apart, and solve again."""

        def add(*, plan: Plan, kind: str, learner: str, coach: str, **by_whom) -> Plan:
            return plans.add_rule(
                plan=plan,
                kind=kind,
                learner=self._member(plan, learner, "learner"),
                coach=self._member(plan, coach, "coach"),
                **by_whom,
            )

        return self._change(add, NewRule)

    @extend_schema(
        responses=PlanShape,
        parameters=[
            IF_MATCH,
            OpenApiParameter("learner", **SLUG),
            OpenApiParameter("coach", **SLUG),
        ],
    )
    @action(
        detail=True,
        methods=["delete"],
        url_path="rules/<slug:learner>/<slug:coach>",
        url_name="rule",
    )
    def drop_rule(self, request: Request, id: str, learner: str, coach: str) -> Response:
        """Take the rule about these two people away, and solve again."""

        def drop(*, plan: Plan, **by_whom) -> Plan:
            rule = (
                plan.rules.filter(learner__public_id=learner, coach__public_id=coach)
                .select_related("plan__cohort__team", "learner", "coach")
                .first()
            )
            if rule is None:
                raise Http404
            return plans.drop_rule(rule=rule, **by_whom)

        return self._change(drop)

    @extend_schema(request=Seats, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def seats(self, request: Request, id: str) -> Response:
        """Give a coach so many learners at a time in this plan, and solve again."""

        def change(*, plan: Plan, coach: str, seats: int, **by_whom) -> Plan:
            return plans.set_capacity(
                plan=plan, coach=self._member(plan, coach, "coach"), seats=seats, **by_whom
            )

        return self._change(change, Seats)

    @extend_schema(request=MemberChange, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def members(self, request: Request, id: str) -> Response:
        """Leave somebody out or take somebody in, and solve again."""

        def move(
            *, plan: Plan, person: str, change: str, reason: str, side: str = "", **by_whom
        ) -> Plan:
            members = cohorts.members_of(plan.cohort)
            member = members.filter(person__public_id=person).first()
            who = member.person if member else named(
                people.visible_to(self.reader), person, "person"
            )  # fmt: skip
            if change == "out":
                return plans.leave_out(plan=plan, person=who, reason=reason, **by_whom)
            side = side or (member.side if member else "")
            return plans.take_in(plan=plan, person=who, side=side, reason=reason, **by_whom)

        return self._change(move, MemberChange)

    @extend_schema(request=None, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def solve(self, request: Request, id: str) -> Response:
        """Solve again, after people, numbers or seats changed."""
        return self._change(plans.solve)

    @extend_schema(request=PlanName, responses=PlanShape)
    def partial_update(self, request: Request, id: str) -> Response:
        """Call the plan something else; nothing is solved."""
        plan = plans.rename(
            plan=self.get_object(), by=self.reader, now=self.now, **self.given(PlanName)
        )
        return self._told(plan)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Throw a draft away; never the cohort's last one."""
        plans.drop(plan=self.get_object(), by=self.reader, now=self.now)
        return Response(status=204)

    @extend_schema(request=WishChange, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["patch"])
    def wishes(self, request: Request, id: str) -> Response:
        """Change preferences, weights, floor, lot or who gets several coaches, and solve again."""
        return self._change(plans.wish, WishChange)

    @extend_schema(request=Swap, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def swap(self, request: Request, id: str) -> Response:
        """Let the learners of two pairs exchange their coaches; both become pins."""

        def exchange(*, plan: Plan, one: str, other: str, **by_whom) -> Plan:
            mine, theirs = self._pairs(plan, one, other)
            return plans.swap(plan=plan, one=mine, other=theirs, **by_whom)

        return self._change(exchange, Swap)

    @extend_schema(request=Swap, responses=PriceShape)
    @action(detail=True, methods=["post"], url_path="swap/price", url_name="swap-price")
    def swap_price(self, request: Request, id: str) -> Response:
        """What an exchange would cost; nothing is changed."""
        plan, given = self.get_object(), self.given(Swap)
        price = what_if.swap_price(plan, *self._pairs(plan, given["one"], given["other"]))
        return Response(PriceShape(price).data)

    def _pairs(self, plan: Plan, *ids: str) -> list[DraftPair]:
        rows = queries.drafts_of(plan, ids)
        return [named(rows, one, field) for one, field in zip(ids, ("one", "other"), strict=True)]

    @extend_schema(request=NewRule, responses=PriceShape)
    @action(detail=True, methods=["post"], url_path="rules/price", url_name="rule-price")
    def rule_price(self, request: Request, id: str) -> Response:
        """What a rule would cost; nothing is changed."""
        plan, given = self.get_object(), self.given(NewRule)
        price = what_if.rule_price(
            plan,
            kind=given["kind"],
            learner=self._member(plan, given["learner"], "learner"),
            coach=self._member(plan, given["coach"], "coach"),
        )
        return Response(PriceShape(price).data)

    @extend_schema(request=None, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, id: str) -> Response:
        """Back to the wishes of the step before, rules too."""
        return self._change(plans.undo)

    @extend_schema(request=None, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def redo(self, request: Request, id: str) -> Response:
        """Make the step that was undone again."""
        return self._change(plans.redo)

    @extend_schema(request=PlanName, responses={201: PlanShape})
    @action(detail=True, methods=["post"])
    def copy(self, request: Request, id: str) -> Response:
        """Another plan for the same cohort with the same wishes and rules."""
        made = plans.copy(
            plan=self.get_object(), by=self.reader, now=self.now, **self.given(PlanName)
        )
        told = self._told(access.found_or_404(self.get_queryset(), made.public_id))
        told.status_code = 201
        told["Location"] = reverse("api:plan-detail", kwargs={"id": made.public_id})
        return told

    @extend_schema(responses=StepShape(many=True))
    @action(detail=True, pagination_class=None)
    def steps(self, request: Request, id: str) -> Response:
        """Every change of the plan, what came of it and who moved, the first one first."""
        plan = self.get_object()
        steps = list(queries.steps_of(plan))
        for step in steps:
            step.here = step.number == plan.step
        return Response(StepShape(steps, many=True).data)

    @extend_schema(responses=PricesShape, parameters=[OpenApiParameter("learner", **SLUG)])
    @action(detail=True, url_path="prices/<slug:learner>", url_name="prices")
    def prices(self, request: Request, id: str, learner: str) -> Response:
        """Every coach for one learner, and what insisting on them would cost the whole plan."""
        plan = self.get_object()
        members = queries.members_taking_part(plan).filter(side=Member.Side.LEARNER)
        person = access.found_or_404(
            Person.objects.filter(pk__in=members.values("person")), learner
        )
        return Response(PricesShape(what_if.prices(plan, person)).data)

    @extend_schema(responses=FloorShape(many=True))
    @action(detail=True, pagination_class=None)
    def floors(self, request: Request, id: str) -> Response:
        """What about ten floors would cost."""
        return Response(FloorShape(what_if.floors(self.get_object()), many=True).data)

    @extend_schema(responses=PlansSideBySide, parameters=[OpenApiParameter("other", **SLUG)])
    @action(detail=True, url_path="compare/<slug:other>", url_name="compare")
    def compare(self, request: Request, id: str, other: str) -> Response:
        """Two plans of one cohort side by side."""
        plan = self.get_object()
        siblings = self.get_queryset().filter(cohort=plan.cohort_id)
        told = comparison.side_by_side(plan, access.found_or_404(siblings, other))
        return Response(PlansSideBySide(compared(told)).data)

    @extend_schema(request=Launch, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def launch(self, request: Request, id: str) -> Response:
        """
        Turn the plan into live pairs, once, and tell both sides of each.

        Say which revision you have looked at, by If-Match or `revision`: nothing is launched
        unseen.
        """
        plan = self.get_object()
        launches.launch(plan=plan, by=self.reader, now=self.now, revision=self._seen_revision())
        return self._told(self.get_object())

    def _seen_revision(self) -> int:
        asked = [tag.strip('"') for tag in self._asked_revisions()]
        given = self.given(Launch).get("revision")
        if given is not None:
            asked.append(str(given))
        if not asked:
            raise ValidationError(
                {"revision": ["Say which revision of the plan you have looked at."]}
            )
        # One revision can be the current one; anything else is not, and none is negative or so
        # long that Python would not read it.
        seen = asked[0]
        return int(seen) if len(set(asked)) == 1 and seen.isdecimal() and len(seen) < 19 else -1
