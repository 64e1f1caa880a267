from rest_framework import serializers

from coaching.api.fields import PersonRef, PublicShape, Shape, TeamRef
from coaching.models import Event, Letter, Notice


class LetterShape(PublicShape):
    recipient = PersonRef()
    pair = serializers.SlugRelatedField(slug_field="public_id", read_only=True)
    cohort = serializers.SlugRelatedField(slug_field="public_id", read_only=True)
    state = serializers.SerializerMethodField()

    class Meta:
        model = Letter
        fields = (
            "id", "kind", "recipient", "pair", "cohort", "state", "created_at",
            "next_attempt_at", "sent_at", "attempts", "outcome", "failure",
        )  # fmt: skip

    def get_state(self, letter: Letter) -> str:
        return Letter.State(letter.state).name.lower()


class Rendering(serializers.Serializer):
    subject = serializers.CharField()
    text = serializers.CharField()
    html = serializers.CharField()


class LetterDetail(LetterShape):
    rendered = Rendering(help_text="The same as what is sent.")

    class Meta(LetterShape.Meta):
        fields = (*LetterShape.Meta.fields, "rendered")


class NoticeShape(Shape):
    class Meta:
        model = Notice
        fields = ("text", "link", "at", "read_at")


class ReadUntil(serializers.Serializer):
    until = serializers.DateTimeField(
        required=False, help_text="Notices up to this moment; all of them without it."
    )


class MarkedRead(serializers.Serializer):
    marked = serializers.IntegerField()


class EventShape(Shape):
    actor = PersonRef(allow_null=True)
    team = TeamRef(allow_null=True)

    class Meta:
        model = Event
        fields = ("at", "actor", "verb", "subject_type", "subject_id", "team", "details")
