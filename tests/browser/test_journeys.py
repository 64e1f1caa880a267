"""What people of the contact centre come for, clicked through from beginning to end."""

import json
import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import SMALLEST, STILL, Keyboard


def fits_and_is_kind(page: Page) -> None:
    """Nothing runs out of a small screen, and nobody is called weak."""
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALLEST[0], page.url
    assert "weak" not in page.locator("body").inner_text().lower().split(), page.url


def test_a_learner_lives_through_a_week_on_a_phone(visit):
    page = visit("lea", size=SMALLEST, has_touch=True, is_mobile=True).page
    assert page.url.endswith("/me/")
    expect(page.locator("main")).to_contain_text("Ivo Marković")
    # Who, on what, how far, and the one thing to do: without scrolling.
    assert page.locator(".water .btn").first.bounding_box()["y"] < SMALLEST[1]
    fits_and_is_kind(page)

    page.get_by_role("link", name="Why the two of you").click()
    expect(page.get_by_role("heading", name="The answer")).to_be_visible()
    fits_and_is_kind(page)

    page.goto("/me/")
    page.get_by_text("Log a session you had").click()
    page.get_by_label("What did you agree on?").fill("Summarise before closing.")
    page.get_by_role("button", name="Log this session").click()
    expect(page.locator("main")).to_contain_text("Summarise before closing.")

    page.locator("section[aria-labelledby=page] a").first.click()
    page.get_by_label("What went how?").fill("Openings went well, closings did not.")
    page.get_by_label("What will I try next?").fill("One question before I close.")
    page.get_by_role("button", name=re.compile("^Write it")).click()
    expect(page.locator("main")).to_contain_text("One question before I close.")
    fits_and_is_kind(page)

    page.goto("/me/")
    ask = page.locator("section[aria-labelledby=help]")
    ask.get_by_text("Ask for help").click()
    ask.get_by_label("What would help?").fill("An hour without calls.")
    ask.get_by_role("button", name="Ask my manager").click()
    expect(page.locator(".flash").first).to_be_visible()

    page.goto("/me/")
    hand = page.locator("section[aria-labelledby=hand]")
    hand.get_by_text("I would like a coach").click()
    hand.get_by_label("In which skill?").select_option(index=1)
    hand.get_by_role("button", name="Raise my hand").click()
    hand.get_by_role("button", name="Lower it").click()
    expect(hand.get_by_role("button", name="Lower it")).to_have_count(0)
    fits_and_is_kind(page)


def test_a_learner_looks_after_letters_and_data_on_a_phone(visit):
    page = visit("lea", size=SMALLEST, has_touch=True, is_mobile=True).page
    page.get_by_label("Your account").click()
    page.get_by_role("link", name="My letters").click()
    pause = page.locator("section[aria-labelledby=pause]")
    pause.locator("input[type=date]").fill((timezone.now() + timedelta(days=4)).date().isoformat())
    pause.get_by_role("button", name="Pause my letters").click()
    expect(pause).to_contain_text("Your letters are paused until")
    pause.get_by_role("button", name="End the pause").click()
    reminder = page.get_by_role("group", name=re.compile("^Reminder")).get_by_label("E-mail")
    for wanted in (False, True):
        reminder.set_checked(wanted)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator(".flash").first).to_be_visible()
        expect(reminder).to_be_checked(checked=wanted)
    fits_and_is_kind(page)

    page.locator("main").get_by_role("link", name="My data").click()
    expect(page.get_by_role("heading", name="Who looked")).to_be_visible()
    fits_and_is_kind(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Take it with me").click()
    assert json.loads(download.value.path().read_text(encoding="utf-8"))


def test_a_coach_sees_what_each_learner_needs(visit):
    learner = visit("lea").page
    learner.get_by_role("link", name="Details").first.click()
    thanks = learner.locator("#thanks")
    thanks.get_by_label("In a sentence").fill("Your three questions are on my desk.")
    thanks.get_by_role("button", name="Say thank you").click()
    expect(thanks).to_contain_text("Your three questions")

    page = visit("ivo").page
    page.locator("main").get_by_role("link", name="My coaching").first.click()
    learners = page.locator("section[aria-labelledby=learners]")
    expect(learners.get_by_role("link", name="Lea Brandt").first).to_be_visible()
    expect(page.locator("#own")).to_contain_text("before you began")
    expect(page.locator("#thanks")).to_contain_text("Your three questions")

    learners.get_by_role("link", name="Lea Brandt", exact=True).click()
    plan = page.locator("#plan")
    if not plan.evaluate("fold => fold.open"):
        plan.locator("summary").click()
    day = (timezone.now() + timedelta(days=20)).date()
    plan.get_by_label("Day").fill(day.isoformat())
    plan.get_by_label("Where").fill("The quiet room")
    plan.get_by_role("button", name="Put it into both calendars").click()
    page.goto("/me/coaching/")
    sessions = page.locator("section[aria-labelledby=next-sessions]")
    expect(sessions.get_by_role("link").first).to_be_visible()
    sessions.get_by_role("link").first.click()
    expect(page.locator("#sessions").locator("xpath=..")).to_contain_text("Next session")


def test_a_manager_decides_a_case_and_lets_a_week_pass(visit):
    page = visit("mara").page
    page.locator("main").get_by_role("link", name=re.compile(" and ")).first.click()
    page.locator("#everything summary").first.click()
    page.locator("#everything").get_by_label("Why?").fill("Both were away for training.")
    page.get_by_role("button", name="Give them everything").click()
    expect(page.locator("main")).to_contain_text("Both were away for training.")
    before = page.locator("text=today is").inner_text()
    page.get_by_role("button", name="Let a week pass").click()
    page.wait_for_load_state()
    expect(page.locator("text=today is")).not_to_have_text(before, timeout=60_000)


def test_an_assignment_is_found_by_keyboard_alone(visit):
    keys = Keyboard(visit(**STILL).page)
    page = keys.page
    page.goto("/login/")
    keys.sign_in("lea")
    keys.press("Tab")
    assert keys.focused == "Skip to the content"
    keys.press("Enter")
    keys.follow("Why the two of you")
    expect(page.get_by_role("heading", level=1)).to_have_text("Why this pair?")
    keys.follow("My assignment")
    keys.tab_to("Log a session you had")
    keys.press("Enter")
    keys.tab_to("What did you agree on?")
    page.keyboard.type("Typed, not clicked.")
    keys.press("Enter")
    expect(page.locator("main")).to_contain_text("Typed, not clicked.")


# The last one: afterwards Lea has no coach any more.
def test_a_learner_ends_the_pair_without_a_reason(visit):
    page = visit("lea", size=SMALLEST, has_touch=True, is_mobile=True).page
    page.get_by_role("link", name="End this pair").click()
    expect(page.locator("main")).to_contain_text("You need no reason")
    assert page.locator("main input:visible, main textarea:visible").count() == 0
    fits_and_is_kind(page)
    page.locator("main").get_by_role("button", name="End this pair").click()
    page.goto("/me/")
    expect(page.get_by_role("heading", name="A coach is being found for you")).to_be_visible()
    fits_and_is_kind(page)
