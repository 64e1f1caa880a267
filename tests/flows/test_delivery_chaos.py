"""`manage.py chaos` in small: real workers are killed, and every letter is accounted for."""

import pytest

from coaching.management.chaos import broker, items
from coaching.management.chaos.stage import Size

SMALL = Size(
    letters=45, kills=2, seeds=1, each_step=1, ticks=6, pairs=1, lease=3, wipes=1, turn=3, tick=1,
    rounds=1, absent=False, ways=("dies",), workers=3, tickers=3,
)  # fmt: skip


@pytest.mark.django_db(transaction=True)
# R11 is about seconds, and belongs to the command.
@pytest.mark.parametrize("name", [name for name in items.ITEMS if name != "R11"])
def test_it_holds(name):
    try:
        found = items.ITEMS[name].run(SMALL)
    except broker.NotInstalled as missing:
        pytest.skip(str(missing))
    assert found.held, found.figures
