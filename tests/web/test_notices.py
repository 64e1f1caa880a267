"""Everything one was told, whatever comes by letter."""

from datetime import timedelta

import pytest

from coaching.models import Notice


@pytest.fixture
def tell(now):
    def tell(person, number: int) -> None:
        Notice.objects.bulk_create(
            Notice(
                person=person, text=f"Notice {n}", link="/me/", at=now - timedelta(hours=n),
                dedupe_key=f"{person.pk}:{n}",
            )
            for n in range(number)
        )  # fmt: skip

    return tell


def test_everybody_reads_their_own_newest_first(lea_client, lea, ivo, tell):
    tell(lea, 3)
    tell(ivo, 5)
    page = lea_client.get("/notices/").text
    assert "3 unread" in page
    assert page.index("Notice 0") < page.index("Notice 2")
    assert "Notice 4" not in page


def test_nobody_has_been_told_anything_yet(lea_client):
    assert "Nothing yet" in lea_client.get("/notices/").text


def test_all_are_read_but_what_came_since_the_page_was_opened(lea_client, lea, tell, now):
    tell(lea, 3)
    until = (now - timedelta(minutes=30)).isoformat()
    page = lea_client.post("/notices/read/", {"until": until}, follow=True).text
    assert "2 marked as read" in page
    assert Notice.objects.filter(read_at=None).get().text == "Notice 0"
    lea_client.post("/notices/read/", {"until": "nonsense"})
    assert not Notice.objects.filter(read_at=None).exists()
    assert "Mark all as read" not in lea_client.get("/notices/").text
    assert lea_client.get("/notices/read/").status_code == 405


@pytest.mark.parametrize("number", [2, 100])
def test_a_hundred_cost_the_same(lea_client, lea, tell, number, django_assert_max_num_queries):
    tell(lea, number)
    with django_assert_max_num_queries(8):
        page = lea_client.get("/notices/?page=2").text
    assert ("31 to 60 of 100" in page) == (number == 100)
