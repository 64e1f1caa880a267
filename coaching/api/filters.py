"""What lists can be asked for. A value that cannot be read is refused, not dropped."""

import django_filters as filters
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from coaching.api.problems import BadParameters
from coaching.models import Band, Case, Cohort, Letter, Pair, Person, Reading, Standing

OVERALL = "overall"


class Filters(DjangoFilterBackend):
    def filter_queryset(self, request: Request, queryset: QuerySet, view) -> QuerySet:
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise BadParameters(_plain(filterset.errors))
        return filterset.qs


def _plain(errors) -> dict[str, list[str]]:
    return {field: [str(message) for message in messages] for field, messages in errors.items()}


class PersonFilter(filters.FilterSet):
    team = filters.CharFilter(field_name="team__public_id", max_length=12)
    active = filters.BooleanFilter()
    search = filters.CharFilter(field_name="name", lookup_expr="icontains", max_length=80)

    class Meta:
        model = Person
        fields = ("team", "active", "search")


class ReadingFilter(filters.FilterSet):
    person = filters.CharFilter(field_name="person__public_id", max_length=12)
    metric = filters.CharFilter(field_name="metric__key", max_length=60)
    since = filters.DateFilter(field_name="period", lookup_expr="gte")
    until = filters.DateFilter(field_name="period", lookup_expr="lte")

    class Meta:
        model = Reading
        fields = ("person", "metric", "since", "until")


class StandingFilter(filters.FilterSet):
    metric = filters.CharFilter(
        method="of_metric", max_length=60, help_text="A metric's key, or “overall”."
    )
    band = filters.ChoiceFilter(choices=Band)
    team = filters.CharFilter(field_name="person__team__public_id", max_length=12)
    search = filters.CharFilter(field_name="person__name", lookup_expr="icontains", max_length=80)
    ordering = filters.OrderingFilter(
        fields=(
            ("p_low", "p_low"),
            ("p_high", "p_high"),
            ("z", "z"),
            ("reliability", "reliability"),
            ("person__name", "name"),
        )
    )

    class Meta:
        model = Standing
        fields = ("metric", "band", "team", "search")

    def of_metric(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        if value == OVERALL:
            return queryset.filter(metric=None)
        return queryset.filter(metric__key=value)

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        rows = super().filter_queryset(queryset)
        return rows.order_by(*rows.query.order_by, "pk")


class CohortFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=Cohort.State)
    team = filters.CharFilter(field_name="team__public_id", max_length=12)

    class Meta:
        model = Cohort
        fields = ("state", "team")


class PairFilter(filters.FilterSet):
    cohort = filters.CharFilter(field_name="cohort__public_id", max_length=12)
    state = filters.ChoiceFilter(choices=Pair.State)
    metric = filters.CharFilter(field_name="metric__key", max_length=60)

    class Meta:
        model = Pair
        fields = ("cohort", "state", "metric")


class CaseFilter(filters.FilterSet):
    open = filters.BooleanFilter(field_name="decided_at", lookup_expr="isnull")
    cohort = filters.CharFilter(field_name="pair__cohort__public_id", max_length=12)

    class Meta:
        model = Case
        fields = ("open", "cohort")


class LetterFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=Letter.Kind)
    pair = filters.CharFilter(field_name="pair__public_id", max_length=12)

    class Meta:
        model = Letter
        fields = ("kind", "pair")


class RankingFilter(filters.FilterSet):
    scorecard = filters.CharFilter(field_name="scorecard__public_id", max_length=12)
    team = filters.CharFilter(field_name="scorecard__team__public_id", max_length=12)
