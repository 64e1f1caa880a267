from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Visit(models.Model):
    """
    A manager or HR opened a page about somebody: once a day for each looker and kind of page.

    The person reads it under "my data".
    """

    class What(models.TextChoices):
        PERSON = "person", _("Your page with skills and pairs")
        PAIR = "pair", _("The page of a pair of yours")
        WORKSHEET = "worksheet", _("The weekly pages of a pair of yours")
        LETTER = "letter", _("A letter to you")

    subject = models.ForeignKey("coaching.Person", models.CASCADE, related_name="visits")
    looker = models.ForeignKey("coaching.Person", models.CASCADE, related_name="visits_made")
    what = models.CharField(max_length=9, choices=What)
    # The day in UTC, and the first moment of it.
    day = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "looker", "what", "day"], name="visit_once_a_day"
            ),
            models.CheckConstraint(
                condition=~Q(subject=F("looker")), name="visit_is_somebody_else_s"
            ),
        ]
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.looker} looked at {self.subject}, {self.day}"
