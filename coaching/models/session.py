from django.db import models


class Session(models.Model):
    """A meeting of a pair that took place."""

    pair = models.ForeignKey("coaching.Pair", models.CASCADE, related_name="sessions")
    held_on = models.DateField()
    note = models.CharField(max_length=500, blank=True)
    logged_by = models.ForeignKey("coaching.Person", models.SET_NULL, null=True)
    logged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "held_on"], name="session_once_a_day"),
        ]
        ordering = ["held_on", "pk"]

    def __str__(self) -> str:
        return f"{self.pair}, {self.held_on}"
