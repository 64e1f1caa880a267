from rest_framework import serializers

from coaching.api.fields import Known, PersonRef, PublicShape, TeamRef
from coaching.api.parsers import loaded
from coaching.models import Import
from coaching.queries import teams


class ImportShape(PublicShape):
    team = TeamRef()
    uploaded_by = PersonRef()
    is_waiting = serializers.BooleanField(help_text="A worker has something to do with it.")

    class Meta:
        model = Import
        fields = (
            "id", "filename", "size", "state", "is_waiting", "team", "uploaded_by",
            "good_rows_only", "problem_count", "refusal", "rows_done", "rows_total",
            "created_at", "finished_at",
        )  # fmt: skip


class ImportDetail(ImportShape):
    class Meta(ImportShape.Meta):
        fields = (*ImportShape.Meta.fields, "mapping", "preview", "problems", "result")


class JSONText(serializers.JSONField):
    """JSON in a field of a form, under the same rules as a JSON body."""

    def to_internal_value(self, value: object) -> object:
        return loaded(value) if isinstance(value, str) else value


class Upload(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True)
    team = Known(
        teams.managed_by, required=False, help_text="Where people join who are new in the file."
    )
    mapping = JSONText(
        required=False, help_text="What the columns mean, as an earlier import told it."
    )


class Confirmation(serializers.Serializer):
    good_rows_only = serializers.BooleanField(
        default=False, help_text="Write the good rows although some have problems."
    )
