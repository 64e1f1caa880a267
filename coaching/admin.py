"""The server's person's view: search, filters, and nothing that rewrites history."""

from django.contrib import admin

from coaching import models
from coaching.queries import clock
from coaching.services import departures, people


class ReadOnly(admin.ModelAdmin):
    """Rows that services write: to be looked at, not changed by hand."""

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(models.Person)
class PersonAdmin(admin.ModelAdmin):
    list_display = ["name", "key", "email", "team", "role", "site", "access", "active"]
    list_filter = ["active", "access", "role", "site", "shift"]
    list_select_related = ["team"]
    search_fields = ["name", "key", "email"]
    autocomplete_fields = ["team", "user"]
    # Half of a secret link: nobody's but the person's.
    exclude = ["calendar_key"]

    def save_model(self, request, obj, form, change) -> None:
        """Whoever is made inactive here has left, with everything that follows from it."""
        super().save_model(request, obj, form, change)
        if not obj.active and "active" in form.changed_data:
            departures.leaves(person=obj, by=people.person_for(request.user), now=clock.now())


@admin.register(models.Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ["name", "parent", "manager"]
    list_select_related = ["parent", "manager"]
    search_fields = ["name"]
    autocomplete_fields = ["parent", "manager"]


@admin.register(models.Metric)
class MetricAdmin(admin.ModelAdmin):
    list_display = ["name", "key", "kind", "direction", "unit", "lower", "upper"]
    list_filter = ["kind", "direction"]
    search_fields = ["name", "key"]


@admin.register(models.Import)
class ImportAdmin(ReadOnly):
    list_display = ["filename", "state", "uploaded_by", "created_at", "problem_count"]
    list_filter = ["state", "created_at"]
    list_select_related = ["uploaded_by"]
    search_fields = ["filename"]
    date_hierarchy = "created_at"


class ScorecardMetricInline(admin.TabularInline):
    model = models.ScorecardMetric
    extra = 0
    autocomplete_fields = ["metric"]


@admin.register(models.Scorecard)
class ScorecardAdmin(admin.ModelAdmin):
    list_display = ["name", "team", "policy", "weeks"]
    list_filter = ["policy"]
    list_select_related = ["team"]
    search_fields = ["name"]
    autocomplete_fields = ["team"]
    inlines = [ScorecardMetricInline]


@admin.register(models.Cohort)
class CohortAdmin(ReadOnly):
    list_display = ["name", "team", "state", "test_date", "launched_at", "closed_at"]
    list_filter = ["state"]
    list_select_related = ["team"]
    search_fields = ["name", "team__name"]


@admin.register(models.Pair)
class PairAdmin(ReadOnly):
    list_display = ["coach", "learner", "metric", "cohort", "state", "state_since"]
    list_filter = ["state", "metric"]
    list_select_related = ["coach", "learner", "metric", "cohort"]
    search_fields = ["coach__name", "learner__name"]


@admin.register(models.Letter)
class LetterAdmin(ReadOnly):
    # Neither text nor subject: who runs the server needs to know that it went, not what it said.
    fields = [
        "kind", "recipient", "state", "outcome", "attempts", "created_at", "next_attempt_at",
        "expires_at", "sent_at", "lease_until", "message_id", "dedupe_key",
    ]  # fmt: skip
    list_display = ["kind", "recipient", "state", "created_at", "sent_at", "attempts", "outcome"]
    list_filter = ["state", "kind", "created_at"]
    list_select_related = ["recipient"]
    search_fields = ["recipient__name", "recipient__email", "dedupe_key"]
    date_hierarchy = "created_at"


@admin.register(models.Event)
class EventAdmin(ReadOnly):
    list_display = ["at", "actor", "verb", "subject_type", "subject_id"]
    list_filter = ["verb", "subject_type"]
    list_select_related = ["actor"]
    search_fields = ["subject_id", "actor__name"]
    date_hierarchy = "at"


@admin.register(models.Beat)
class BeatAdmin(ReadOnly):
    list_display = ["name", "at"]
