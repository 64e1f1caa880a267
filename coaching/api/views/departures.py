"""Days away, leaving, and who stands by a pair."""

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.doors import ManagerRows, Rows, named
from coaching.api.permissions import IsManager, IsReader
from coaching.api.serializers.departures import (
    HelperShape,
    LeaveShape,
    NewHelper,
    NewLeave,
    PreviewShape,
    Willing,
)
from coaching.models import Letter, Pair, Person, Plan
from coaching.notifications import rendering
from coaching.queries import cohorts, helping, pairs, people
from coaching.services import departures, launches
from coaching.services import helping as helping_services

SLUG = {"type": OpenApiTypes.STR, "location": OpenApiParameter.PATH}
NUMBER = {"type": OpenApiTypes.INT, "location": OpenApiParameter.PATH}


class LaunchLetters(ManagerRows):
    """The letters that a plan would send."""

    queryset = Plan.objects.none()
    serializer_class = PreviewShape

    def visible(self, reader: Person) -> QuerySet[Plan]:
        return cohorts.plans_visible_to(reader)

    @extend_schema(responses=PreviewShape(many=True), filters=False)
    @action(detail=True)
    def letters(self, request: Request, id: str) -> Response:
        """What a launch at this moment would send, two letters a pair; none once it is launched."""
        plan = self.get_object()
        drafts = plan.draft_pairs.order_by("learner__name", "pk")
        if plan.state != Plan.State.DRAFT:
            drafts = drafts.none()
        page = self.paginate_queryset(drafts)
        letters: dict[str, list[Letter]] = {}
        for letter in launches.preview(plan, self.now, drafts=[one.public_id for one in page]):
            letter.rendered = rendering.render(letter)
            letters.setdefault(letter.pair.public_id, []).append(letter)
        told = [letter for draft in page for letter in letters[draft.public_id]]
        return self.get_paginated_response(PreviewShape(told, many=True).data)


class PairSides(Rows):
    """What the two of a pair, their helpers and managers do about it."""

    queryset = Pair.objects.none()
    serializer_class = HelperShape

    def visible(self, reader: Person) -> QuerySet[Pair]:
        return pairs.visible_to(reader)

    def _managed(self) -> Pair:
        pair = self.get_object()
        if not pairs.manages(self.reader, pair):
            raise Http404
        return pair

    @extend_schema(responses=HelperShape(many=True), filters=False)
    @action(detail=True)
    def helpers(self, request: Request, id: str) -> Response:
        """Who helps a pair now."""
        rows = self.get_object().helpers.filter(until=None).select_related("person")
        return self.page(rows.order_by("pk"), HelperShape)

    @extend_schema(request=NewHelper, responses={201: HelperShape})
    @helpers.mapping.post
    def ask_to_help(self, request: Request, id: str) -> Response:
        """Ask a graduate who would help to stand by a pair; both of the pair are told."""
        pair = self._managed()
        wanted = self.given(NewHelper)["person"]
        seen = [person.pk for person in helping.graduates_seen_by(self.reader, pair)]
        person = named(Person.objects.filter(pk__in=seen), wanted, "person")
        helper = helping_services.invite(pair=pair, person=person, by=self.reader, now=self.now)
        return Response(HelperShape(helper).data, status=201)

    @extend_schema(responses={204: None}, parameters=[OpenApiParameter("person", **SLUG)])
    @action(detail=True, methods=["delete"], url_path="helpers/<slug:person>")
    def helper(self, request: Request, id: str, person: str) -> Response:
        """Step back as a helper, or end it as a manager; nobody has to say why."""
        pair = self.get_object()
        rows = pair.helpers.filter(until=None, person__public_id=person)
        helper = rows.select_related("person", "pair__learner__team").first()
        mine = helper is not None and helper.person_id == self.reader.pk
        if helper is None or not (mine or pairs.manages(self.reader, pair)):
            raise Http404
        helping_services.stop(helper=helper, by=self.reader, now=self.now)
        return Response(status=204)

    @extend_schema(request=Willing, responses={204: None})
    @action(detail=True, methods=["post"], url_path="would-help", url_name="would-help")
    def would_help(self, request: Request, id: str) -> Response:
        """Say as its learner, having passed, whether you would help others."""
        pair = self.get_object()
        given = self.given(Willing)
        helping_services.offer(pair=pair, by=self.reader, now=self.now, **given)
        return Response(status=204)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def end(self, request: Request, id: str) -> Response:
        """End your pair. Nobody asks why; the learner is found another coach."""
        departures.end_pair(pair=self.get_object(), by=self.reader, now=self.now)
        return Response(status=204)


class PersonDays(Rows):
    """Days away of yourself and of people you manage."""

    queryset = Person.objects.none()
    serializer_class = LeaveShape

    def visible(self, reader: Person) -> QuerySet[Person]:
        return people.visible_to(reader).select_related("team")

    @extend_schema(responses=LeaveShape(many=True), filters=False)
    @action(detail=True)
    def leaves(self, request: Request, id: str) -> Response:
        """Newest first."""
        return self.page(self.get_object().leaves.order_by("-first_day", "-pk"), LeaveShape)

    @extend_schema(request=NewLeave, responses={201: LeaveShape})
    @leaves.mapping.post
    def note_leave(self, request: Request, id: str) -> Response:
        """
        Note days away: letters wait and clocks stand still. A coach who is away for more than 14
        days gives the learner free.
        """
        person = self.get_object()
        leave = departures.away(person=person, by=self.reader, now=self.now, **self.given(NewLeave))
        return Response(LeaveShape(leave).data, status=201)

    @extend_schema(responses={204: None}, parameters=[OpenApiParameter("number", **NUMBER)])
    @action(detail=True, methods=["delete"], url_path="leaves/<int:number>")
    def leave(self, request: Request, id: str, number: int) -> Response:
        """Back again, or not going: the leave ends yesterday, or has never been."""
        rows = self.get_object().leaves.select_related("person__team")
        leave = rows.filter(pk=number).first()
        if leave is None:
            raise Http404
        departures.back(leave=leave, by=self.reader, now=self.now)
        return Response(status=204)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"], permission_classes=[IsReader, IsManager])
    def left(self, request: Request, id: str) -> Response:
        """Somebody has left for good: everything they were part of goes on without them."""
        person = self.get_object()
        if person.pk == self.reader.pk:
            raise Http404
        departures.leaves(person=person, by=self.reader, now=self.now)
        return Response(status=204)
