"""
The server's person's view: search, filters, and nothing that rewrites history.

Whoever runs the server has to know that something was stored, sent or decided, not what it
says: neither letters and notes nor anybody's numbers are shown here.
"""

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from coaching import models
from coaching.queries import clock
from coaching.services import departures, people, seats


class Listed(admin.ModelAdmin):
    """Lists of any length: no second count of the whole table."""

    list_per_page = 50
    show_full_result_count = False


class ReadOnly(Listed):
    """Rows that services write: to be looked at, not changed by hand. Shows `fields` only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


# -- people and teams ----------------------------------------------------------------------


class PersonForm(forms.ModelForm):
    def clean_capacity(self) -> int:
        number = self.cleaned_data["capacity"]
        if number > seats.MOST_SEATS:
            raise forms.ValidationError(seats.OutOfRange.message)
        return number


@admin.register(models.Person)
class PersonAdmin(Listed):
    form = PersonForm
    list_display = ["name", "key", "email", "team", "role", "site", "access", "active"]
    list_filter = ["active", "kind", "access", "role", "site", "shift"]
    list_select_related = ["team"]
    search_fields = ["name", "key", "email", "team__name"]
    autocomplete_fields = ["team", "user"]
    readonly_fields = ["public_id"]
    # Half of a secret link: nobody's but the person's.
    exclude = ["calendar_key"]

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        # Who leaves is made inactive; letters and pairs of theirs are history.
        return False

    def save_model(self, request: HttpRequest, obj, form, change) -> None:
        """
        Whoever is made inactive here has left, and whoever gets other seats takes more or fewer
        learners, with everything that follows from it.
        """
        by, now = people.person_for(request.user), clock.now()
        number = obj.capacity
        moved = change and obj.active and "capacity" in form.changed_data
        if moved:
            obj.capacity = form.initial["capacity"]
        super().save_model(request, obj, form, change)
        if moved:
            seats.change(person=obj, seats=number, by=by, now=now)
        if not obj.active and "active" in form.changed_data:
            departures.leaves(person=obj, by=by, now=now)


@admin.register(models.Team)
class TeamAdmin(Listed):
    list_display = ["name", "parent", "manager"]
    list_select_related = ["parent", "manager"]
    search_fields = ["name", "manager__name"]
    autocomplete_fields = ["parent", "manager"]
    readonly_fields = ["public_id", "path"]


@admin.register(models.Leave)
class LeaveAdmin(ReadOnly):
    list_display = ["person", "first_day", "last_day", "noted_by", "noted_at"]
    list_select_related = ["person", "noted_by"]
    search_fields = ["person__name"]
    date_hierarchy = "first_day"


# -- figures -------------------------------------------------------------------------------


@admin.register(models.Metric)
class MetricAdmin(Listed):
    list_display = ["name", "key", "kind", "direction", "unit", "lower", "upper"]
    list_filter = ["kind", "direction"]
    search_fields = ["name", "key"]


@admin.register(models.Import)
class ImportAdmin(ReadOnly):
    # Neither the preview nor the problems: they are large, and somebody else's.
    fields = [
        "filename", "size", "state", "uploaded_by", "team", "problem_count", "rows_done",
        "rows_total", "created_at", "finished_at", "lease_until",
    ]  # fmt: skip
    list_display = ["filename", "state", "uploaded_by", "created_at", "problem_count"]
    list_filter = ["state", "created_at"]
    list_select_related = ["uploaded_by"]
    search_fields = ["filename", "uploaded_by__name"]
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        large = ("mapping", "preview", "problems", "sentences", "result")
        return super().get_queryset(request).defer(*large)


class ScorecardMetricInline(admin.TabularInline):
    model = models.ScorecardMetric
    extra = 0
    autocomplete_fields = ["metric"]


@admin.register(models.Scorecard)
class ScorecardAdmin(Listed):
    list_display = ["name", "team", "subject", "policy", "weeks"]
    list_filter = ["subject", "policy"]
    list_select_related = ["team"]
    search_fields = ["name", "team__name"]
    autocomplete_fields = ["team"]
    inlines = [ScorecardMetricInline]


@admin.register(models.Ranking)
class RankingAdmin(ReadOnly):
    fields = ["scorecard", "subject", "since", "until", "created_by", "created_at"]
    list_display = ["scorecard", "subject", "since", "until", "created_by", "created_at"]
    list_filter = ["subject"]
    list_select_related = ["scorecard", "created_by"]
    search_fields = ["scorecard__name"]
    date_hierarchy = "created_at"


# -- cohorts and pairs ---------------------------------------------------------------------


@admin.register(models.Cohort)
class CohortAdmin(ReadOnly):
    list_display = ["name", "team", "state", "test_date", "created_by", "launched_at", "closed_at"]
    list_filter = ["state"]
    list_select_related = ["team", "created_by"]
    search_fields = ["name", "team__name"]
    date_hierarchy = "created_at"


@admin.register(models.Plan)
class PlanAdmin(ReadOnly):
    fields = [
        "cohort", "name", "state", "matched", "revision", "step", "created_at", "solved_at",
        "queued_at", "launched_at",
    ]  # fmt: skip
    list_display = ["cohort", "name", "state", "matched", "created_at", "queued_at", "launched_at"]
    list_filter = ["state"]
    list_select_related = ["cohort"]
    search_fields = ["name", "cohort__name"]
    date_hierarchy = "created_at"


@admin.register(models.Pair)
class PairAdmin(ReadOnly):
    # Not how far anybody has come.
    fields = [
        "coach", "learner", "metric", "cohort", "slot", "state", "state_since", "started_at",
        "test_date", "passed_at", "ended_at", "ending", "ended_by", "follows", "clocks_from",
        "next_check_at", "next_reminder_at", "revision",
    ]  # fmt: skip
    list_display = ["coach", "learner", "metric", "cohort", "state", "state_since"]
    list_filter = ["state", "metric"]
    list_select_related = ["coach", "learner", "metric", "cohort"]
    search_fields = ["coach__name", "learner__name", "cohort__name", "public_id"]
    date_hierarchy = "started_at"


@admin.register(models.Case)
class CaseAdmin(ReadOnly):
    # Why somebody decided so is between them and the two.
    fields = [
        "pair", "episode", "clock", "level", "opened_at", "escalates_at", "decision",
        "decided_at", "decided_by",
    ]  # fmt: skip
    list_display = ["pair", "clock", "level", "opened_at", "escalates_at", "decision", "decided_by"]
    list_filter = ["clock", "decision"]
    list_select_related = ["pair__coach", "pair__learner", "pair__metric", "decided_by"]
    search_fields = ["pair__coach__name", "pair__learner__name"]
    date_hierarchy = "opened_at"


@admin.register(models.Waiting)
class WaitingAdmin(ReadOnly):
    fields = [
        "cohort", "learner", "metric", "why", "place", "by_lot", "since", "proposed_at",
        "settled_at", "outcome",
    ]  # fmt: skip
    list_display = [
        "learner",
        "cohort",
        "metric",
        "why",
        "place",
        "since",
        "proposed_at",
        "outcome",
    ]
    list_filter = ["why", "outcome"]
    list_select_related = ["learner", "cohort", "metric"]
    search_fields = ["learner__name", "cohort__name"]
    date_hierarchy = "since"


# -- letters and machinery -----------------------------------------------------------------


@admin.register(models.Letter)
class LetterAdmin(ReadOnly):
    # Neither text nor subject: who runs the server needs to know that it went, not what it said.
    fields = [
        "kind", "recipient", "state", "outcome", "failure", "attempts", "created_at",
        "next_attempt_at", "expires_at", "sent_at", "lease_until", "message_id", "dedupe_key",
    ]  # fmt: skip
    list_display = ["kind", "recipient", "state", "created_at", "sent_at", "attempts", "outcome"]
    list_filter = ["state", "failure", "kind", "created_at"]
    list_select_related = ["recipient"]
    search_fields = ["recipient__name", "recipient__email", "dedupe_key"]
    date_hierarchy = "created_at"


@admin.register(models.Bounce)
class BounceAdmin(ReadOnly):
    list_display = ["email", "times", "last_at", "suppressed_at"]
    list_filter = [("suppressed_at", admin.EmptyFieldListFilter)]
    search_fields = ["email"]
    date_hierarchy = "last_at"


@admin.register(models.Channel)
class ChannelAdmin(ReadOnly):
    # The address of a webhook may be secret itself.
    fields = ["person", "kind", "place", "active", "made_at", "failures", "last_error"]
    list_display = ["person", "kind", "place", "active", "failures", "last_error"]
    list_filter = ["kind", "active"]
    list_select_related = ["person"]
    search_fields = ["person__name"]


@admin.register(models.Push)
class PushAdmin(ReadOnly):
    fields = [
        "channel", "kind", "state", "attempts", "created_at", "next_attempt_at", "lease_until",
        "sent_at", "outcome",
    ]  # fmt: skip
    list_display = ["channel", "kind", "state", "created_at", "sent_at", "attempts", "outcome"]
    list_filter = ["state", "kind"]
    list_select_related = ["channel__person"]
    search_fields = ["channel__person__name"]
    date_hierarchy = "created_at"


@admin.register(models.Event)
class EventAdmin(ReadOnly):
    # Not the details: they hold what people wrote.
    fields = ["at", "actor", "verb", "subject_type", "subject_id", "team"]
    list_display = ["at", "actor", "verb", "subject_type", "subject_id", "team"]
    list_filter = ["subject_type", "at"]
    list_select_related = ["actor", "team"]
    search_fields = ["verb", "subject_id", "actor__name"]
    date_hierarchy = "at"


@admin.register(models.Beat)
class BeatAdmin(ReadOnly):
    list_display = ["name", "at"]
    search_fields = ["name"]
