"""The Celery application. It holds no state of its own: the database is the queue."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("lanemate")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
