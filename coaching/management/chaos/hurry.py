"""
The Celery application, with a beat of as many seconds as CHAOS_TICK says.

    celery -A coaching.management.chaos.hurry beat
"""

import os

from config.celery import app

if "CHAOS_TICK" in os.environ:
    app.conf.beat_schedule["tick"]["schedule"] = float(os.environ["CHAOS_TICK"])
