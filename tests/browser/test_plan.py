"""
The plan of a crowd, 500 learners and 200 coaches, reworked in a real browser: filters, keys,
prices before a change, undo, swaps and a comparison. How long each step took is printed (-s).
"""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, ROOT, Visitor, free_port
from tests.browser.crowd import COACHES, LEARNERS, LONG
from tests.browser.test_every_page import RULES

WAIT = 30_000


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[str]:
    """The address of a server whose database holds nothing but the crowd."""
    var = tmp_path_factory.mktemp("crowd")
    ours = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL")
    env = {key: value for key, value in os.environ.items() if key not in ours}
    env["LANEMATE_VAR"] = str(var)
    subprocess.run(
        [sys.executable, "-m", "tests.browser.crowd", str(LEARNERS), str(COACHES)],
        cwd=ROOT, env=env, check=True, timeout=600,
    )  # fmt: skip
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None, "The server ended by itself."
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=2)
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@pytest.fixture
def come(browser, site):
    visitors: list[Visitor] = []

    def come(**options) -> Visitor:
        visitor = Visitor(browser, site, **options)
        visitors.append(visitor)
        visitor.page.set_default_timeout(WAIT)
        expect.set_options(timeout=WAIT)
        visitor.sign_in("mara")
        visitor.page.goto("/cohorts/")
        visitor.page.get_by_role("link", name="Crowd").first.click()
        visitor.page.get_by_role("link", name="Open the plan").click()
        expect(visitor.page.locator("[data-row]").first).to_be_visible()
        return visitor

    yield come
    for visitor in visitors:
        visitor.context.close()


@contextmanager
def told(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what}: {1000 * (time.perf_counter() - start):.0f} ms")


def figure(page: Page, name: str) -> int:
    text = page.locator(".plan-bar dl > div", has_text=name).locator("dd").inner_text()
    return int(re.match(r"[\d,]+", text)[0].replace(",", ""))


def undo(page: Page) -> None:
    before = page.locator(".plan-last").inner_text()
    page.locator(".plan-undo button").first.click()
    expect(page.locator(".plan-last")).not_to_have_text(before)
    expect(page.locator(".is-loading")).to_have_count(0)


def test_it_opens_filters_and_turns_pages(come):
    visitor = come()
    page = visitor.page
    with told("open the plan"):
        page.reload()
        expect(page.locator("[data-row]").first).to_be_visible()
    assert page.locator("[data-row]").count() == 50
    assert figure(page, "Learners with a coach") > 400
    page.evaluate("window.stays = true")
    with told("filter by name"):
        page.locator("#q").press_sequentially("keller", delay=20)
        expect(page.locator(".results-line")).to_contain_text(" of ")
        expect(page.locator(".is-loading")).to_have_count(0)
    for row in page.locator("[data-row]").all():
        assert "keller" in row.inner_text().lower()
    page.locator("#q").fill("")
    with told("sort"):
        page.locator("#sort").select_option("weakest")
        page.wait_for_url(re.compile("sort=weakest"))
        expect(page.locator(".is-loading")).to_have_count(0)
    scores = [int(text.replace(",", "")) for text in page.locator("td strong").all_inner_texts()
              if re.fullmatch(r"[\d,]+", text)]  # fmt: skip
    assert scores == sorted(scores)
    assert page.evaluate("window.stays") is True
    page.get_by_role("link", name="Further").click()
    page.wait_for_url(re.compile("page=2"))
    assert "sort=weakest" in page.url
    assert not visitor.complaints


def test_a_pair_is_pinned_and_let_go_by_keys_in_place(come):
    visitor = come()
    page = visitor.page
    page.evaluate("window.stays = true")
    for _ in range(3):
        page.keyboard.press("j")
    row = page.locator("[data-row]").nth(2)
    name = row.get_attribute("data-row")
    pinned = page.locator(f'[data-row="{name}"]').get_by_text("Pinned", exact=True)
    with told("pin by key"):
        page.keyboard.press("p")
        expect(pinned).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="pinned together")).to_be_visible()
    # No reload, and the focus is where it was: the next key works on the same pair.
    assert page.evaluate("window.stays") is True
    assert page.evaluate("document.activeElement.closest('[data-row]').dataset.row") == name
    with told("undo by key"):
        page.keyboard.press("u")
        expect(pinned).to_have_count(0)
    with told("redo by key"):
        page.keyboard.press("r")
        expect(pinned).to_be_visible()
    page.keyboard.press("p")
    expect(pinned).to_have_count(0)
    assert not visitor.complaints


def test_the_cost_is_seen_before_another_coach_is_insisted_on(come):
    visitor = come()
    page = visitor.page
    total = figure(page, "Total score")
    page.keyboard.press("j")
    with told("prices of all coaches"):
        page.keyboard.press("c")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("The plan's choice")).to_be_visible()
    price = dialog.locator("tbody tr").nth(1)
    cost = price.locator("td").nth(1).locator("span").first.inner_text()
    coach = price.locator("th a").inner_text()
    with told("insist"):
        price.get_by_role("button", name="Insist").click()
        expect(dialog).to_be_hidden()
    expect(page.locator(".plan-last")).to_contain_text(f"{coach} and")
    lost = int(re.sub(r"\D", "", cost) or 0)
    assert figure(page, "Total score") == total - lost
    with told("undo"):
        undo(page)
    assert figure(page, "Total score") == total
    assert not visitor.complaints


def test_two_ticked_rows_ask_for_the_price_of_a_swap(come):
    visitor = come()
    page = visitor.page
    rows = page.locator("[data-row]")
    one = rows.nth(0).locator("th a").inner_text()
    other = rows.nth(5).locator("th a").inner_text()
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.locator(".swap-bar")).to_be_visible()
    with told("price of a swap"):
        rows.nth(5).locator("[name=pair]").check()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("The whole cohort loses")
    expect(dialog).to_contain_text(one)
    expect(dialog).to_contain_text(other)
    with told("swap"):
        dialog.get_by_role("button", name="Swap them").click()
        expect(dialog).to_be_hidden()
    expect(page.locator(".plan-last")).to_contain_text("exchanged coaches")
    undo(page)
    assert not visitor.complaints


def test_somebody_is_left_out_with_a_reason_in_a_panel(come):
    visitor = come()
    page = visitor.page
    learners = page.locator(".plan-bar dl > div").first.inner_text()
    page.locator("[data-row]").first.get_by_role("link", name="Leave out").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why?").fill("On leave until May")
    dialog.get_by_role("button", name="Leave").click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".plan-last")).to_contain_text("On leave until May")
    assert page.locator(".plan-bar dl > div").first.inner_text() != learners
    undo(page)
    assert not visitor.complaints


def test_a_copy_with_a_floor_is_compared(come):
    visitor = come()
    page = visitor.page
    page.get_by_text("Plans …").click()
    page.get_by_label("Save a copy as").fill("With a floor")
    with told("save a copy"):
        page.get_by_role("button", name="Save a copy").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("With a floor")
    page.get_by_role("navigation", name="Parts of the plan").get_by_text("Wishes").click()
    with told("what each floor would give"):
        page.get_by_role("link", name="What would each floor give?").click()
        expect(page.locator(".curve")).to_be_visible()
    page.get_by_label("No pair below", exact=True).fill("900")
    with told("solve with a floor"):
        page.get_by_role("button", name="Solve with these wishes").click()
        expect(page.locator(".plan-last")).to_contain_text("900")
    assert figure(page, "Weakest match") >= 900
    with told("compare"):
        page.get_by_role("link", name="Compare").click()
        expect(page.get_by_role("heading", name="With a floor against")).to_be_visible()
    expect(page.locator("table", has_text="Who differs")).to_be_visible()
    page.get_by_text("Plans …").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The plan")
    assert not visitor.complaints


def test_the_lot_and_one_more_seat(come):
    visitor = come()
    page = visitor.page
    page.get_by_role("link", name="See why, and what would free a place").click()
    matched = figure(page, "Learners with a coach")
    with told("one more seat"):
        page.get_by_role("button", name=re.compile("one more seat")).first.click()
        expect(page.get_by_role("status").filter(has_text="One more matched")).to_be_visible()
    assert figure(page, "Learners with a coach") == matched + 1
    with told("draw by lot"):
        page.get_by_role("button", name="Draw who waits by lot").click()
        expect(page.get_by_text("in the lot").first).to_be_visible()
    undo(page)
    undo(page)
    assert figure(page, "Learners with a coach") == matched
    assert not visitor.complaints


@pytest.mark.parametrize(("scheme", "size"), [("light", (360, 740)), ("dark", DESK)])
def test_every_part_of_it_is_accessible_and_fits(come, scheme, size):
    visitor = come(scheme=scheme, size=size)
    page = visitor.page
    home = page.url
    first = page.locator("[data-row] a[data-panel-link]").first.get_attribute("href")
    paths = [
        f"{home}?q={LONG[:14]}", f"{home}unpaired/", f"{home}coaches/?q=keller",
        f"{home}wishes/?curve=1", f"{home}people/?find=ada", f"{home}steps/", f"{home}compare/",
        first,
    ]  # fmt: skip
    faults = []
    for path in paths:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > size[0]:
            faults.append(f"{path} is {width} px wide on a screen of {size[0]} px")
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
        for violation in found.response["violations"]:
            where = violation["nodes"][0]["html"][:150]
            faults.append(f"{path}: {violation['help']}: {where}")
    page.goto(f"{home}?q=keller")
    page.locator("[data-row] a[data-panel-link]").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("The plan's choice")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    faults += [f"panel: {violation['help']}" for violation in found.response["violations"]]
    assert not faults, "\n".join(sorted(set(faults)))
    assert not visitor.complaints


def test_it_is_reworked_without_javascript(come):
    visitor = come(java_script_enabled=False)
    page = visitor.page
    page.locator("#q").fill("keller")
    page.get_by_role("button", name="Show", exact=True).click()
    row = page.locator("[data-row]").first
    name = row.get_attribute("data-row")
    row.get_by_role("button", name="Pin", exact=False).first.click()
    # Back where it was, with the filter kept.
    pinned = page.locator(f'[data-row="{name}"]').get_by_text("Pinned", exact=True)
    assert "q=keller" in page.url
    expect(pinned).to_be_visible()
    page.locator(".plan-undo button").first.click()
    expect(pinned).to_have_count(0)
    page.locator(f'[data-row="{name}"] a', has_text="Another coach?").click()
    expect(page.get_by_text("What the cohort loses").first).to_be_visible()
    page.get_by_role("link", name="Back to the plan").click()
    assert "q=keller" in page.url
    page.locator("[name=pair]").first.check()
    page.get_by_role("button", name="What would the swap cost?").click()
    page.get_by_role("link", name=re.compile("What would a swap")).first.click()
    expect(page.get_by_text("The whole cohort loses")).to_be_visible()
