"""`manage.py chaos` in small: real workers are killed, and every letter is accounted for."""

import pytest

from coaching.management.chaos import items

SMALL = items.Size(
    letters=45, kills=2, seeds=1, each_step=1, ticks=6, pairs=1, lease=3, ways=("dies",),
    workers=3, tickers=3,
)  # fmt: skip


@pytest.mark.django_db(transaction=True)
# R11 is about seconds, and belongs to the command.
@pytest.mark.parametrize("name", [name for name in items.ITEMS if name != "R11"])
def test_it_holds(name):
    found = items.ITEMS[name].run(SMALL)
    assert found.held, found.figures
