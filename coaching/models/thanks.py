from django.db import models


class Thanks(models.Model):
    """A sentence from a learner to the coach; the coach keeps it, whatever becomes of the pair."""

    pair = models.ForeignKey("coaching.Pair", models.CASCADE, related_name="thanks")
    text = models.CharField(max_length=300)
    # The day where the learner is: one sentence a day is plenty, and a second press is harmless.
    day = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "day"], name="thanks_once_a_day"),
            models.CheckConstraint(condition=~models.Q(text=""), name="thanks_say_something"),
        ]
        ordering = ["-at", "-pk"]
        verbose_name_plural = "thanks"

    def __str__(self) -> str:
        return self.text
