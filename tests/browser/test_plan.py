"""
The plan of a crowd, 500 learners and 200 coaches, reworked in a real browser: filters, keys,
prices before a change, undo, swaps and a comparison. How long each step took is printed (-s).
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, SMALLEST, STILL, Keyboard, Visitor, run, serving
from tests.browser.crowd import COACHES, LEARNERS, LONG
from tests.browser.test_every_page import RULES

WAIT = 30_000
ROUNDS = 3


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[str]:
    """The address of a server whose database holds nothing but the crowd."""
    var = tmp_path_factory.mktemp("crowd")
    run(var, "-m", "tests.browser.crowd", str(LEARNERS), str(COACHES))
    with serving(var, "serve") as address:
        yield address


@pytest.fixture
def come(visit):
    """Mara before the plan of her crowd."""

    def come(**options) -> Visitor:
        visitor = visit(**options)
        visitor.page.set_default_timeout(WAIT)
        expect.set_options(timeout=WAIT)
        visitor.sign_in("mara")
        visitor.page.goto("/cohorts/")
        visitor.page.get_by_role("link", name="Crowd").first.click()
        visitor.page.get_by_role("link", name="Open the plan").click()
        expect(visitor.page.locator("[data-row]").first).to_be_visible()
        visitor.page.wait_for_load_state()
        return visitor

    return come


@contextmanager
def told(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what}: {1000 * (time.perf_counter() - start):.0f} ms")


# Notes what Event Timing says of each press, and when something first looked busy after it.
STOPWATCH = """
window.presses = {};
window.busy = {};
let last = 0;
for (const kind of ["pointerdown", "click", "keydown", "change"]) {
  addEventListener(kind, () => (last = performance.now()), true);
}
new PerformanceObserver((list) => {
  for (const { interactionId: id, duration } of list.getEntries()) {
    if (id) presses[id] = Math.max(presses[id] ?? 0, duration);
  }
}).observe({ type: "event", durationThreshold: 16 });
new MutationObserver((changes) => {
  const late = performance.now() - last;
  if (changes.some(({ target }) => target.matches(".is-loading"))) busy[last] ??= late;
}).observe(document, { subtree: true, attributeFilter: ["class"] });
"""
# The first answer to a press, in milliseconds; what takes longer feels like waiting.
AT_ONCE = 100


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


def test_a_pair_is_pinned_and_let_go_by_keys_in_place(come):
    visitor = come(**STILL)
    page = visitor.page
    page.evaluate("window.stays = true")
    # Down the page, so that it can move either way.
    for _ in range(9):
        page.keyboard.press("j")
    row = page.locator("[data-row]").nth(8)
    name = row.get_attribute("data-row")
    pinned = page.locator(f'[data-row="{name}"]').get_by_text("Pinned", exact=True)
    before = row.bounding_box()["y"]
    with told("pin by key"):
        page.keyboard.press("p")
        expect(pinned).to_be_visible()
    # What is told above it does not push it away.
    assert abs(row.bounding_box()["y"] - before) < 2
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


def test_it_is_reworked_by_keyboard_alone(visit):
    keys = Keyboard(visit(**STILL).page)
    page = keys.page
    page.set_default_timeout(WAIT)
    page.goto("/login/")
    keys.sign_in("mara")
    keys.follow("Cohorts")
    keys.follow("Crowd")
    keys.follow("Open the plan")
    expect(page.locator("[data-row]").first).to_be_visible()
    names = page.locator("[data-row] th a").all_inner_texts()
    last = page.locator(".plan-last")

    def done(words: str) -> None:
        expect(last).to_contain_text(words)
        expect(page.locator(".is-loading")).to_have_count(0)

    for name in (names[0], names[5]):
        keys.tab_to(f"Choose {name} ")
        keys.press("Space")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The whole cohort loses")
    keys.tab_to("Swap them")
    keys.press("Enter")
    done("exchanged coaches")
    expect(dialog).to_be_hidden()
    # The focus is not lost: one goes on from there.
    assert keys.focused.startswith("Choose ")
    keys.tab_to("Pin ")
    name = keys.focused.removeprefix("Pin ").split(" to ")[0]
    keys.press("Enter")
    done("pinned together")
    # The same key takes it back.
    assert keys.focused == f"Unpin {name}"
    keys.press("Enter")
    done("no longer pinned together")
    assert keys.focused.startswith(f"Pin {name} ")
    keys.tab_to("Forbid ")
    keys.press("Enter")
    done("kept apart")
    for _ in ("forbid", "unpin", "pin", "swap"):
        undo(page)


def test_whatever_is_pressed_shows_at_once(come):
    """Nobody wonders whether a press was felt, also when its answer has to come from the server."""
    page = come().page
    page.evaluate(STOPWATCH)
    row = page.locator("[data-row]").nth(1)
    name = row.locator("th a").inner_text()
    dialog = page.get_by_role("dialog")

    def pin() -> None:
        row.get_by_role("button", name=f"Pin {name}").click()
        expect(page.locator(".plan-last")).to_contain_text("pinned together")

    def unpin() -> None:
        undo(page)

    def look_at_the_pair() -> None:
        row.get_by_role("link", name="Another coach?").click()
        expect(dialog).to_be_visible()

    def close() -> None:
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_be_hidden()

    def filter_by_skill() -> None:
        page.locator("#skill").press("ArrowDown")
        page.wait_for_url(re.compile("skill=."))

    def show_all() -> None:
        page.locator("#skill").press("ArrowUp")
        page.wait_for_url(lambda url: "skill=" not in url)

    felt, shown, waits = {}, {}, (pin, unpin, look_at_the_pair, filter_by_skill, show_all)
    for act in (pin, unpin, look_at_the_pair, close, filter_by_skill, show_all) * ROUNDS:
        page.evaluate("window.presses = {}; window.busy = {}")
        act()
        expect(page.locator(".is-loading")).to_have_count(0)
        page.wait_for_timeout(100)
        # Faster than Event Timing cares to tell is fast enough.
        presses, busy = page.evaluate("[Object.values(presses), Object.values(busy)]")
        felt.setdefault(act.__name__, []).append(max(presses, default=0))
        if act in waits:
            assert busy, f"{act.__name__}: nothing says that the answer is on its way"
            shown.setdefault(act.__name__, []).append(min(busy))
    for what, times in (("first picture", felt), ("busy", shown)):
        for act, each in times.items():
            print(f"{act}, {what}: {', '.join(f'{one:.0f}' for one in each)} ms")
            # The machine may have something else to do now and then.
            assert min(each) < AT_ONCE, f"{act}, {what}: {each} ms"
    # The stopwatch itself runs.
    assert any(map(max, felt.values()))


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


@pytest.mark.parametrize(("scheme", "size"), [("light", SMALLEST), ("dark", DESK)])
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
