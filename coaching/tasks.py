"""Celery's doors to the services."""

from celery import shared_task

from coaching.queries import clock
from coaching.services import ticks


@shared_task
def tick() -> None:
    ticks.tick(now=clock.now())
