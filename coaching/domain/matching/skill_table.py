"""The table of skill scores: nothing is stored, and all pairs are priced at a glance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coaching.domain.matching.glance import WIDEST, Glance, Tile
from coaching.domain.matching.problem import Ints
from coaching.domain.matching.scores import Scores
from coaching.domain.matching.table import (
    LEAST,
    MOST_GUESSED,
    MOST_TIGHT,
    NEAR,
    WIDE,
    Pairs,
    Table,
    joined_columns,
)

# How the first prices are found: heat at the start and at the end, and by how much a look may
# mistake how good a candidate is, in shares of the highest score.
COOLING = ((0.01, 0.002, 0.03), (0.004, 0.0005, 0.002))
SUITORS = 16  # learners whom a coach names


class SkillTable(Table):
    """A ``Table`` of ``Scores`` without points pair by pair; ``highest`` is a bound here."""

    def __init__(self, scores: Scores, **people: object) -> None:
        super().__init__(scores.block, **people | {"learners": scores.shape[0]})
        self.scores = scores
        self.glance = Glance(scores, self.capacity > 0)
        self.highest = scores.most
        self.gappy = bool(self.barred.size)
        self.asking = np.flatnonzero(self.demand)

    def prepare(self) -> None:
        self.weigh_seats()

    def first_candidates(
        self, best: int, random: int, rng: np.random.Generator
    ) -> tuple[Ints, Ints, Ints]:
        m = self.capacity.size
        self.weigh_seats()
        if not self.asking.size or not (self.capacity > 0).any():
            return joined_columns([])
        guess = self.guessed_prices(rng)
        if guess.any():
            pairs = self._promising(guess, best)
        else:
            pairs = Pairs(m, *self._listed(guess, best, COOLING[-1][-1] * self.highest))
        by_chance = np.repeat(self.asking, random), rng.integers(0, m, self.asking.size * random)
        pairs.join(*self._scored([by_chance]))
        return pairs.learner, pairs.coach, pairs.score

    def _promising(self, price: Ints, best: int) -> Pairs:
        """
        Return the ``best`` pairs of each learner and those of each coach's best bidders, at prices
        closer to the end, which are kept as ``center``.

        Both sides name whom they see: a coach whom no learner lists would stand idle, cost nothing
        and be everybody's next candidate.
        """
        n, m = self.demand.size, self.capacity.size
        wide = max(best, min(WIDE * best, MOST_GUESSED // n))
        pairs = Pairs(m, *joined_columns([]))
        for warm, cold, astray in COOLING:
            pairs.join(*self._listed(price, wide, astray * self.highest))
            pairs.join(*self._suitors(pairs.surplus_of(price, n)[1]))
            price = self.cooled(pairs, price, warm, cold)
            surplus, top = pairs.surplus_of(price, n)
            pairs.keep(surplus >= top[pairs.learner] - self.highest // NEAR)
        self.center = price
        suitors = self._suitors(top)
        pairs = pairs.only(pairs.best(price, best))
        pairs.join(*suitors)
        return pairs

    def _listed(self, price: Ints, count: int, astray: float) -> tuple[Ints, Ints, Ints]:
        """Return (learner, coach, score) of the best pairs that each learner sees."""
        return self._scored(
            [
                tile.candidates(np.arange(tile.rows.size), count)
                for tile in self._looks(price, noise=astray)
            ]
        )

    def _suitors(self, has: Ints) -> tuple[Ints, Ints, Ints]:
        """Return (learner, coach, score) of each coach's highest bidders, who have so much now."""
        bidders = self.asking[has[self.asking] > LEAST]
        mine = has[bidders]
        if not mine.size or int(mine.max()) - int(mine.min()) > WIDEST:
            return joined_columns([])
        found = []
        for tile in self.glance.bids(has - int(mine.min()), bidders):
            coach, learner = tile.candidates(np.arange(tile.rows.size), SUITORS)
            found.append((learner, coach))
        return self._scored(found)

    def _looks(self, price: Ints, *, noise: float = 0.0) -> Iterator[Tile]:
        return self.glance.sweep(price, self.asking, self.barred, noise=noise)

    def priced(
        self, price: Ints, marginal: Ints, add: int, astray: float
    ) -> tuple[Ints, tuple[Ints, Ints, Ints]]:
        lowest = self._lowest(price)
        if lowest is None:
            return super().priced(price, marginal, add, astray)
        top = np.zeros(self.demand.size, dtype=np.int64)
        near = self.highest // NEAR
        found = []
        for tile in self._looks(price - lowest):
            rows = tile.rows
            top[rows] = np.maximum(tile.top(price - lowest) + self.worth - lowest, 0)
            which = np.flatnonzero(top[rows] > marginal[rows] - near)
            if which.size:
                found.append(tile.candidates(which, add, astray))
            # Those who see something better are few towards the end, and hold up the proof.
            better = np.flatnonzero(top[rows] > marginal[rows])
            if 0 < better.size < rows.size // 8:
                found.append(tile.candidates(better, 8 * add, astray))
        return top, self._scored(found)

    def tight(self, price: Ints, top: Ints) -> tuple[Ints, Ints, Ints] | None:
        lowest = self._lowest(price)
        if lowest is None:
            return super().tight(price, top)
        found, count = [], 0
        for tile in self.glance.sweep(price - lowest, self.asking, self.barred):
            target = top[tile.rows] - self.worth + lowest
            place, coach, score = tile.pairs_from(np.arange(tile.rows.size), target.astype(float))
            fits = score - price[coach] + lowest == target[place]
            count += int(fits.sum())
            if count > MOST_TIGHT:
                return None
            found.append((tile.rows[place[fits]], coach[fits], score[fits]))
        learner, coach, score = joined_columns(found)
        order = np.lexsort((coach, learner))
        return learner[order], coach[order], score[order]

    def _lowest(self, price: Ints) -> int | None:
        """The lowest price of an open coach; None if prices lie too far apart to be glanced at."""
        paid = price[self.capacity > 0]
        if not paid.size or int(paid.max()) - int(paid.min()) > WIDEST:
            return None
        return int(paid.min())

    def _scored(self, found: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints, Ints]:
        """Add the scores to (learner, coach) pairs, and leave out what may not be."""
        if not found:
            return joined_columns([])
        learner, coach = (np.concatenate(column) for column in zip(*found, strict=True))
        m = self.capacity.size
        if self.barred.size:
            fine = ~np.isin(learner * m + coach, self.barred[:, 0] * m + self.barred[:, 1])
            learner, coach = learner[fine], coach[fine]
        return learner, coach, self.scores.pairs(learner, coach)
