from django.apps import AppConfig


class CoachingConfig(AppConfig):
    name = "coaching"
    verbose_name = "Lanemate"

    def ready(self) -> None:
        from coaching import checks  # noqa: F401 (registers the system checks)
