from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.doors import ManagerRows, named
from coaching.api.problems import Stale
from coaching.api.serializers.plans import (
    Launch,
    MemberChange,
    NewRule,
    PlanShape,
    Seats,
    gathered,
)
from coaching.models import Person, Plan
from coaching.queries import cohorts, people
from coaching.services import cohorts as cohort_services
from coaching.services import plans

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
                raise Stale
            solved = change(plan=plan, by=self.reader, now=self.now, **given)
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
            *, plan: Plan, person: str, change: str, note: str, side: str = "", **by_whom
        ) -> Plan:
            members = cohorts.members_of(plan.cohort)
            member = members.filter(person__public_id=person).first()
            who = member.person if member else named(
                people.visible_to(self.reader), person, "person"
            )  # fmt: skip
            if change == "out":
                return plans.leave_out(plan=plan, person=who, note=note, **by_whom)
            side = side or (member.side if member else "")
            return plans.take_in(plan=plan, person=who, side=side, note=note, **by_whom)

        return self._change(move, MemberChange)

    @extend_schema(request=None, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def solve(self, request: Request, id: str) -> Response:
        """Solve again, after people, numbers or seats changed."""
        return self._change(plans.solve)

    @extend_schema(request=Launch, responses=PlanShape, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def launch(self, request: Request, id: str) -> Response:
        """
        Turn the plan into live pairs, once, and tell both sides of each.

        Say which revision you have looked at, by If-Match or `revision`: nothing is launched
        unseen.
        """
        plan = self.get_object()
        cohort_services.launch(
            plan=plan, by=self.reader, now=self.now, revision=self._seen_revision()
        )
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
        # One revision can be the current one; anything else is not, and none is negative.
        return int(asked[0]) if len(set(asked)) == 1 and asked[0].isdecimal() else -1
