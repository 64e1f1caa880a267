"""
The manager's whole way, in an empty company: an export, its columns, what counts, who takes part,
the plan, its letters, the launch, three cases that need a decision, and the cohort that closes.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from coaching.domain import cadence
from tests.browser import pool
from tests.browser.conftest import run, serving

WAIT = 60_000
WEEKS_BEFORE = 8


@pytest.fixture(scope="module")
def var(tmp_path_factory) -> Path:
    """The folder of a company that has a manager, and nobody else yet."""
    var = tmp_path_factory.mktemp("pool")
    run(var, "-m", "tests.browser.pool", "found")
    return var


@pytest.fixture(scope="module")
def site(var) -> Iterator[str]:
    with serving(var, "serve") as address:
        yield address


def let_pass(var: Path, weeks: int, *, apart: int = 0) -> None:
    run(var, "-m", "tests.browser.pool", "pass", str(weeks), str(apart))


def headed(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


def import_an_export(page: Page) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Imports").click()
    page.get_by_role("link", name="Import a file").first.click()
    weeks = pool.weeks_until(cadence.week_of(timezone.now().date()), WEEKS_BEFORE)
    file = {"name": "site.csv", "mimeType": "text/csv", "buffer": pool.export(weeks)}
    page.set_input_files("input[type=file]", file)
    page.get_by_label(re.compile("Team")).select_option(label=pool.TEAM)
    page.get_by_role("button", name="Read the file").click()
    # What the columns mean is shown, and can be said better before anything is written.
    page.get_by_text("What the columns mean").click(timeout=WAIT)
    skill = page.locator("input[name$='-name'][value='Rating']")
    skill.fill("Customer satisfaction")
    page.get_by_role("button", name="Read the file this way").click()
    sample = page.get_by_role("table", name="A few readings as they would be stored")
    expect(sample.get_by_text("Customer satisfaction").first).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="Write these readings").click()
    expect(page.get_by_role("heading", name="Written")).to_be_visible(timeout=WAIT)


def rank(page: Page) -> None:
    """What counts is said first; then people are ranked, and one looks who would take part."""
    page.goto("/scorecards/new/")
    page.get_by_role("button", name="Propose a scorecard").click()
    page.get_by_label("Customer satisfaction").fill("2")
    page.get_by_role("button", name="Save the changes").click()
    expect(page.locator(".changes").first).to_contain_text("2")
    page.get_by_role("button", name="Rank now").click()
    headed(page, pool.TEAM)
    expect(page.locator("[data-row]").first).to_be_visible()


def select(page: Page) -> None:
    page.get_by_role("link", name="Who would take part?").click()
    headed(page, "Who takes part?")
    expect(page.locator(".offer-chosen")).to_contain_text(re.compile("learner", re.I))
    page.locator(".offer-chosen").get_by_role("link", name="Plan a cohort").click()
    page.get_by_label("Name").fill("Winter")
    page.get_by_role("button", name="Select the people").click()
    headed(page, "Winter")
    expect(page.locator(".lead-line")).to_contain_text(
        re.compile("learners and .* coaches selected")
    )


def plan(page: Page) -> int:
    """Make it and change it; returns how many pairs it has."""
    page.get_by_role("button", name="Make the plan").click()
    headed(page, "The plan")
    # Forbidding the first pair gives its learner somebody else, at once.
    first = page.locator("[data-row]").first
    name = first.get_attribute("data-row")
    coach = first.locator("td[data-label=Coach] a").inner_text()
    first.get_by_role("button", name="Forbid").click()
    expect(page.locator(".plan-last")).to_contain_text("kept apart")
    other = page.locator(f'[data-row^="{name.split(".")[0]}."] td[data-label=Coach] a')
    expect(other).not_to_have_text(coach)
    pairs = page.locator("[data-row]").count()
    assert pairs > 3
    return pairs


def read_the_letters(page: Page, pairs: int) -> None:
    page.get_by_role("link", name="Read the letters").click()
    headed(page, "Letters of the launch")
    expect(page.locator("tbody tr")).to_have_count(2 * pairs)
    page.locator("tbody td a").first.click()
    expect(page.get_by_text("Not sent")).to_be_visible()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("Swimmer")
    page.get_by_role("link", name="Letters", exact=True).last.click()
    page.get_by_role("link", name="Go to the launch").click()


def launch(page: Page, pairs: int) -> None:
    page.locator("#launch form button").click()
    expect(page.locator(".big-number")).to_contain_text(f"0 of {pairs} passed")
    expect(page.get_by_role("button", name="Take the launch back")).to_be_visible()


def decide(page: Page, way: str, button: str, *, coach: bool = False) -> None:
    """Decide about the first case that waits."""
    page.goto("/triage/")
    page.get_by_role("link", name="Look and decide").first.click()
    offer = page.locator(f"#{way}")
    expect(offer.locator(".costs dd").first).not_to_be_empty()
    offer.get_by_text("Choose this").click()
    if coach:
        offer.get_by_label("Another coach").check()
        offer.get_by_label(re.compile("^Coach")).select_option(index=1)
    why = f"Their shifts never met: {way}."
    offer.get_by_label("Why?").fill(why)
    offer.get_by_role("button", name=button).click()
    expect(page.locator("main")).to_contain_text(why)


def test_from_an_export_to_the_closed_cohort(visit, var):
    page = visit("mara").page
    import_an_export(page)
    rank(page)
    select(page)
    pairs = plan(page)
    read_the_letters(page, pairs)
    launch(page, pairs)
    board = page.url

    # Three of them find no time to meet; each is put before the manager, who has three ways.
    let_pass(var, 2, apart=3)
    page.goto("/triage/")
    expect(page.get_by_role("link", name="Look and decide")).to_have_count(3)
    decide(page, "everything", "Give them everything")
    decide(page, "redirect", "Go another way", coach=True)
    decide(page, "accept", "End it, openly")
    page.goto("/triage/")
    expect(page.locator(".lead-line")).to_contain_text("Nobody is stuck")
    page.goto(board)
    expect(page.locator(".lead-line")).to_contain_text("It closes when everybody has passed")

    let_pass(var, 9)
    page.goto(board)
    expect(page.locator(".lead-line")).to_contain_text("Closed on")
    expect(page.locator(".steps [aria-current]")).to_have_text("Everybody passed")
    # All but the one that was ended openly have reached their target.
    expect(page.locator(".big-number")).to_contain_text(f"{pairs - 1} of {pairs} passed")
    page.goto("/")
    expect(page.locator("main")).to_contain_text("Winter")
