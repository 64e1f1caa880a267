"""What people come for, clicked through from beginning to end."""

import csv
import io
import re
from datetime import date, timedelta

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE


def export_of_a_new_site() -> bytes:
    """Eight weeks of 40 agents; four of them clearly struggle and four clearly shine."""
    rng = np.random.default_rng(5)
    sheet = io.StringIO()
    rows = csv.writer(sheet)
    rows.writerow(["Agent", "Date", "Rating", "Resolved"])
    # Whole weeks of the past, wherever today lies.
    monday = date(2026, 9, 7)
    for agent in range(40):
        level = 2.6 if agent < 4 else 4.4 if agent >= 36 else 3.6
        for call in range(160):
            day = monday + timedelta(days=int(call % 56))
            rating = 1 + rng.binomial(4, (level - 1) / 4)
            solved = rng.random() < 0.3 + level / 10
            rows.writerow([f"Swimmer {agent:02}", day.isoformat(), rating, "NY"[int(solved)]])
    return sheet.getvalue().encode()


def test_a_manager_goes_from_an_export_to_a_launch(visit):
    visitor = visit("hr")
    page = visitor.page

    page.goto("/imports/new/")
    page.set_input_files(
        "input[type=file]",
        {"name": "site.csv", "mimeType": "text/csv", "buffer": export_of_a_new_site()},
    )
    page.get_by_label(re.compile("Team")).select_option(label="Halifax")
    page.locator("main form button[type=submit]").click()
    page.get_by_role("button", name="Write these readings").click(timeout=60_000)
    expect(page.get_by_role("heading", name="Written")).to_be_visible(timeout=60_000)

    page.goto("/rankings/")
    page.get_by_label("Rank a team").select_option(label="Halifax")
    page.get_by_role("button", name="Rank now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Halifax")
    page.get_by_role("link", name="Plan a cohort").click()
    page.get_by_label("Name").fill("Winter in Halifax")
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Winter in Halifax")
    page.get_by_role("button", name=re.compile("plan", re.I)).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("plan")

    # Forbidding the first pair gives its learner somebody else, at once.
    first = page.locator("main table").first.locator("tbody tr").first
    pair = first.inner_text().splitlines()[0]
    first.get_by_role("button", name="Forbid").click()
    expect(page.locator(".plan-last")).to_contain_text("kept apart")
    expect(page.locator("main table").first).to_contain_text(pair)

    page.get_by_role("button", name=re.compile("^Launch")).click()
    expect(page.locator("main")).to_contain_text(re.compile("0 of [0-9]+ passed"))
    assert not visitor.complaints


@pytest.mark.parametrize("size", [PHONE])
def test_a_learner_logs_a_session_on_a_phone(visit, size):
    visitor = visit("lea", size=size)
    page = visitor.page
    assert page.url.endswith("/me/")
    expect(page.locator("main")).to_contain_text("Ivo Marković")
    # Who, on what, how far, and the one thing to do: without scrolling.
    assert page.locator(".water .btn").first.bounding_box()["y"] < size[1]
    page.get_by_text("Log a session you had").click()
    page.get_by_label("What did you agree on?").fill("Summarise before closing.")
    page.get_by_role("button", name="Log this session").click()
    expect(page.locator("main")).to_contain_text("Summarise before closing.")
    text = page.locator("body").inner_text().lower()
    assert "weak" not in text.split()
    assert "rank" not in text.split()
    assert not visitor.complaints


def test_a_manager_decides_a_case_and_lets_a_week_pass(visit):
    visitor = visit("mara")
    page = visitor.page
    page.locator("main").get_by_role("link", name=re.compile(" and ")).first.click()
    page.locator("#everything summary").first.click()
    page.locator("#everything").get_by_label("Why?").fill("Both were away for training.")
    page.get_by_role("button", name="Give them everything").click()
    expect(page.locator("main")).to_contain_text("Both were away for training.")
    before = page.locator("text=today is").inner_text()
    page.get_by_role("button", name="Let a week pass").click()
    page.wait_for_load_state()
    expect(page.locator("text=today is")).not_to_have_text(before, timeout=60_000)
    assert not visitor.complaints
