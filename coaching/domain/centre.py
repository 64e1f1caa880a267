"""
A simulated contact centre: people with true skills, and the weeks they work.

Everything follows from a seed. The true skills are known here and nowhere
else, so the product can be watched doing its work on numbers whose truth is
known.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

CORRELATION = 0.3


@dataclass(frozen=True, slots=True)
class Skill:
    """
    One metric of the centre, on its working scale (logarithm for durations and rates).

    spread : between people, one standard deviation
    noise : of one observation; for `mean` in its units (0: what a few steps give by
        themselves), for `duration` relative
    volume : observations in a full week
    """

    key: str
    name: str
    kind: str
    direction: str
    unit: str
    level: float
    spread: float
    noise: float
    volume: float
    lower: float | None = None
    upper: float | None = None

    @property
    def sign(self) -> int:
        return 1 if self.direction == "higher" else -1


SKILLS = (
    Skill("csat", "Customer satisfaction", "mean", "higher", "", 3.9, 0.24, 0, 12, 1, 5),
    Skill("quality", "Quality review", "mean", "higher", "points", 81, 4.5, 7.0, 3, 0, 100),
    Skill("resolution", "Solved at first contact", "proportion", "higher", "", 0.72, 0.07, 0, 45),
    Skill("adherence", "Kept to schedule", "proportion", "higher", "", 0.88, 0.04, 0, 20),
    Skill("complaints", "Complaints", "rate", "lower", "a call", math.log(0.05), 0.35, 0, 45),
    Skill("handle-time", "Handle time", "duration", "lower", "s", math.log(365), 0.13, 0.6, 45),
)

SITES = (
    ("Leeds", "Europe/London", "English"),
    ("Porto", "Europe/Lisbon", "Portuguese"),
    ("Gdańsk", "Europe/Warsaw", "Polish"),
    ("Halifax", "America/Halifax", "English"),
)
TOPICS = ("Billing", "Broadband", "Mobile", "Moving house", "Retention")
SHIFTS = ("Early", "Day", "Late")

FIRST_NAMES = (
    "Aaliyah Adam Agnieszka Alba Aleksander Amara Amélie Ana Andrzej Anneke Anton Aoife Arjun "
    "Asha Aurélie Beatriz Benedikt Björn Bruno Caio Carmen Catarina Chidi Clara Dagmar Daniel "
    "Diogo Dorota Duarte Eilidh Elif Elżbieta Emeka Emil Esra Ewa Farah Fatima Filipa Finn "
    "Francisco Gabriel Gareth Grażyna Greta Hamza Hana Helena Henrique Ifeoma Ines Isla Jakub "
    "Jasper Joana João Jonas Kacper Kasia Kwame Lars Leila Leonor Liam Lorenzo Lucía Magda "
    "Malik Mariam Marta Mateusz Matilde Mehmet Mia Milan Mireille Nadia Niamh Nina Noor "
    "Oluwaseun Omar Paweł Petra Priya Rafał Ravi Rosa Rui Samira Sanjay Sigrid Siobhán Sofia "
    "Sunita Svenja Tariq Teresa Tiago Tomasz Ugo Vera Viktor Wanda Xiomara Yara Yusuf Zofia "
    "Zuzanna"
).split()
LAST_NAMES = (
    "Abara Adeyemi Ahmed Almeida Andersen Azevedo Baptista Barros Begum Bianchi Boateng "
    "Brennan Brzezińska Campbell Cardoso Carvalho Chaudhry Christodoulou Costa Czarnecki "
    "Dąbrowski Davies Dogan Domínguez Duda Egan Eriksen Fernandes Fitzgerald Fonseca Fraser "
    "Gallagher Garnett Gomes Grabowska Haddad Hansen Hashimoto Hughes Iqbal Ivanova Jabłoński "
    "Jansen Jennings Kaczmarek Kamińska Kaur Khan Kowalczyk Krüger Lewandowska Lindholm Lopes "
    "MacDonald Machado Marques Mazur McAllister Mendes Mensah Montgomery-Whitfield Morgan "
    "Moura Müller Nkemelu Novak Nowakowska Nunes O’Connell Okafor Olszewska Osei Patel Pawlak "
    "Pereira Pinto Popescu Quigley Ramos Rashid Reid Ribeiro Rodrigues Rosenthal Sadowski "
    "Santos Schmidt Sharma Silva Sokołowska Sousa Stewart Sutherland Szymańska Tavares "
    "Teixeira Thompson van-der-Merwe Vieira Walsh Wójcik Wright Yilmaz Zając Zielińska"
).split()


@dataclass(frozen=True, slots=True)
class Agent:
    key: str
    name: str
    team: str
    site: str
    time_zone: str
    language: str
    shift: str
    part_time: bool
    started_on: date


@dataclass(frozen=True, slots=True)
class TeamPlan:
    name: str
    site: str
    lead: str


@dataclass(frozen=True)
class Centre:
    """
    truth : array (people, skills), true level on each skill's working scale
    hours : array (people,), 1 for a full week
    """

    seed: int
    teams: tuple[TeamPlan, ...]
    agents: tuple[Agent, ...]
    truth: np.ndarray
    hours: np.ndarray


def build(*, seed: int, today: date, team_size: int = 12) -> Centre:
    """Hire everybody: 20 teams (five at each of four sites) of `team_size` people."""
    rng = np.random.default_rng(seed)
    names = _names(rng, count=len(SITES) * len(TOPICS) * (team_size + 1))
    teams, agents = [], []
    for site, zone, language in SITES:
        for topic in TOPICS:
            team = TeamPlan(f"{topic} {site}", site, names.pop())
            teams.append(team)
            for _ in range(team_size):
                agents.append(
                    Agent(
                        key=f"A{1001 + len(agents)}",
                        name=names.pop(),
                        team=team.name,
                        site=site,
                        time_zone=zone,
                        language=language,
                        shift=SHIFTS[rng.choice(3, p=[0.35, 0.45, 0.2])],
                        part_time=bool(rng.random() < 0.2),
                        started_on=today - timedelta(days=int(rng.gamma(2, 500)) + 200),
                    )
                )
    count = len(agents)
    shared = rng.normal(size=(count, 1))
    own = rng.normal(size=(count, len(SKILLS)))
    ability = math.sqrt(CORRELATION) * shared + math.sqrt(1 - CORRELATION) * own
    truth = np.array([skill.level for skill in SKILLS]) + ability * np.array(
        [skill.sign * skill.spread for skill in SKILLS]
    )
    hours = np.where([agent.part_time for agent in agents], 0.55, 1.0)
    return Centre(seed, tuple(teams), tuple(agents), truth, hours)


def _names(rng: np.random.Generator, *, count: int) -> list[str]:
    chosen = rng.choice(len(FIRST_NAMES) * len(LAST_NAMES), size=count, replace=False)
    return [
        f"{FIRST_NAMES[i % len(FIRST_NAMES)]} {LAST_NAMES[i // len(FIRST_NAMES)].replace('-', ' ')}"
        if "van-der" in LAST_NAMES[i // len(FIRST_NAMES)]
        else f"{FIRST_NAMES[i % len(FIRST_NAMES)]} {LAST_NAMES[i // len(FIRST_NAMES)]}"
        for i in chosen
    ]


def week(
    centre: Centre, number: int, *, gains: np.ndarray | None = None
) -> list[tuple[int, int, float, float, float]]:
    """
    What happens in week `number`: rows (person, skill, n, sum, sum of squares).

    gains : array (people, skills), what coaching has added to the truth by now

    The same centre and week give the same rows, whatever was asked before.
    About one person in fifteen is away.
    """
    rng = np.random.default_rng([centre.seed, number])
    count = len(centre.agents)
    truth = centre.truth if gains is None else centre.truth + gains
    present = rng.random(count) > 1 / 15
    rows = []
    for index, skill in enumerate(SKILLS):
        n = rng.poisson(skill.volume * centre.hours)
        level = truth[:, index]
        # Weeks differ by more than chance: a person has good and bad ones.
        level = level + rng.normal(scale=0.25 * skill.spread, size=count)
        if skill.kind == "proportion":
            total = rng.binomial(n, np.clip(level, 0.02, 0.99)).astype(float)
            squares = total
        elif skill.kind == "rate":
            total = rng.poisson(n * np.exp(level)).astype(float)
            squares = total
        elif skill.kind == "duration":
            total, squares = _sums_of_durations(rng, n, np.exp(level), skill.noise)
        else:
            total, squares = _sums_of_scores(rng, n, level, skill)
        for person in np.flatnonzero(present & (n > 0)):
            rows.append(
                (int(person), index, float(n[person]), float(total[person]), float(squares[person]))
            )
    return rows


def _sums_of_durations(
    rng: np.random.Generator, n: np.ndarray, mean: np.ndarray, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Gamma-distributed times in whole seconds; their sum and sum of squares a person."""
    owner = np.repeat(np.arange(len(n)), n)
    shape = 1 / noise**2
    times = np.maximum(np.round(rng.gamma(shape, mean[owner] / shape)), 5)
    return np.bincount(owner, times, len(n)), np.bincount(owner, times**2, len(n))


def _sums_of_scores(
    rng: np.random.Generator, n: np.ndarray, level: np.ndarray, skill: Skill
) -> tuple[np.ndarray, np.ndarray]:
    """Whole scores between the bounds; their sum and sum of squares a person."""
    owner = np.repeat(np.arange(len(n)), n)
    level = np.clip(level, skill.lower, skill.upper)[owner]
    if skill.noise:
        scores = np.clip(np.round(rng.normal(level, skill.noise)), skill.lower, skill.upper)
    else:
        # A few steps between the bounds: drawn so that their mean is the level itself.
        steps = skill.upper - skill.lower
        scores = skill.lower + rng.binomial(int(steps), (level - skill.lower) / steps)
    return np.bincount(owner, scores, len(n)), np.bincount(owner, scores**2, len(n))


# How a learner takes to coaching: where on the way the true level stands after so many weeks.
QUICK, STEADY, STALLED = "quick", "steady", "stalled"


def pace_of(centre_seed: int, person_key: str) -> str:
    """Half of all learners are quick, most others steady; the rest first get nowhere."""
    draw = np.random.default_rng([centre_seed, *person_key.encode()]).random()
    return QUICK if draw < 0.5 else STEADY if draw < 0.93 else STALLED


def way_gone(pace: str, weeks: float) -> float:
    """
    The part of the way to the target that the true level has gone, `weeks` after the start.

    Everybody ends well beyond the target, so that everybody can pass.

    >>> way_gone(STALLED, 5)
    0.0
    """
    delay, length = {QUICK: (0, 3), STEADY: (0, 7), STALLED: (9, 4)}[pace]
    return 1.6 * min(max((weeks - delay) / length, 0.0), 1.0)
