"""Celery's doors to the services."""

from celery import group, shared_task

from coaching.queries import clock
from coaching.services import clocks, plans, ticks


@shared_task
def tick() -> None:
    """Do what is due, and have as many senders and solvers start as it is worth."""
    clocks.vouch(now=clock.now())
    ticks.tick(now=clock.now(), but={ticks.LETTERS, ticks.PLANS})
    for _ in range(ticks.senders_wanted(now=clock.now())):
        # One that waited a minute is replaced by those of the next tick.
        pump.apply_async(expires=60)
    solvers = ticks.solvers_wanted(now=clock.now())
    if solvers:
        group(solve_parts.s() for _ in range(solvers)).apply_async(expires=60)


@shared_task
def pump() -> None:
    ticks.pump(now=clock.now())


@shared_task
def solve_parts() -> None:
    plans.work_off(now=clock.now())
