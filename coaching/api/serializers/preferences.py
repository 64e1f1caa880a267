from rest_framework import serializers

from coaching.api.fields import PublicShape
from coaching.models import Channel, Letter, Person
from coaching.queries import preferences


class PreferencesShape(serializers.Serializer):
    """Which letters come by e-mail, and when."""

    off = serializers.ListField(
        child=serializers.ChoiceField(choices=Letter.Kind.choices),
        help_text="Kinds that do not come by e-mail.",
    )
    always = serializers.ListField(
        child=serializers.ChoiceField(choices=Letter.Kind.choices),
        help_text="Kinds that cannot be turned off.",
    )
    working_days = serializers.CharField(help_text="ISO weekdays, Monday 1.")
    day_begins = serializers.TimeField()
    day_ends = serializers.TimeField()
    time_zone = serializers.CharField()
    reads = serializers.CharField(
        help_text="Language of pages and letters: en, de; empty: the browser's, and for letters "
        "the server's."
    )
    paused_until = serializers.DateField(allow_null=True)
    next_letter = serializers.DateTimeField(
        allow_null=True, help_text="When a letter promised now would come."
    )
    next_digest = serializers.DateTimeField(allow_null=True)

    def to_representation(self, person: Person) -> dict:
        outlook = preferences.outlook(person, self.context["now"])
        return super().to_representation(
            {
                "off": sorted(preferences.turned_off(person)),
                "always": sorted(preferences.MANDATORY),
                "working_days": person.working_days,
                "day_begins": person.day_begins,
                "day_ends": person.day_ends,
                "time_zone": person.time_zone,
                "reads": person.reads,
                "paused_until": person.letters_paused_until,
                "next_letter": outlook.letter,
                "next_digest": outlook.digest,
            }
        )


class ChangedPreferences(serializers.Serializer):
    """What is not given stays as it is."""

    off = serializers.ListField(
        child=serializers.ChoiceField(choices=Letter.Kind.choices),
        required=False,
        help_text="All kinds that shall not come by e-mail.",
    )
    working_days = serializers.CharField(max_length=7, required=False)
    day_begins = serializers.TimeField(required=False)
    day_ends = serializers.TimeField(required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    reads = serializers.CharField(
        max_length=8,
        required=False,
        allow_blank=True,
        help_text="Language of pages and letters: en, de, or empty.",
    )
    paused_until = serializers.DateField(
        required=False, allow_null=True, help_text="No letters before this day; null ends a pause."
    )


class ChannelShape(PublicShape):
    address = serializers.CharField(source="place", help_text="Without what may be secret in it.")

    class Meta:
        model = Channel
        fields = (
            "id", "kind", "address", "leaves_out", "in_words", "active", "failures", "last_error",
            "made_at",
        )  # fmt: skip


class NewChannel(serializers.Serializer):
    kind = serializers.ChoiceField(choices=Channel.Kind.choices)
    url = serializers.CharField(max_length=500)


class MadeChannel(ChannelShape):
    class Meta(ChannelShape.Meta):
        fields = (*ChannelShape.Meta.fields, "secret")
        extra_kwargs = {"secret": {"help_text": "Signs what a webhook gets; told this once."}}


class Replayed(serializers.Serializer):
    again = serializers.IntegerField(help_text="How many are sent once more, under their old ids.")
