"""Files from the internet: gone on with where they broke off, and given up in words that say what to do."""

import asyncio

import pytest

from maas.cluster import fetching
from maas.domain.errors import Unavailable
from tests.kubernetes.helm.sources import Site, source

BODY = bytes(range(256)) * 400


async def at_once(_seconds: float) -> None:
    pass


def fetched(site: Site, path: str = "/file") -> bytes:
    return asyncio.run(fetching.whole(f"{site.url}{path}", pause=at_once))


def test_a_download_that_breaks_off_goes_on_where_it_was() -> None:
    with source(files={"/file": BODY}) as site:
        site.faults = ["1000", "50000"]
        assert fetched(site) == BODY
        assert [asked for _, asked in site.asked] == ["", "bytes=1000-", "bytes=51000-"]


def test_a_busy_server_is_asked_again() -> None:
    with source(files={"/file": BODY}) as site:
        site.faults = ["503", "503"]
        assert fetched(site) == BODY


def test_it_ends_when_nothing_comes_any_more() -> None:
    with source(files={"/file": BODY}) as site:
        site.faults = ["503"] * 100
        with pytest.raises(Unavailable) as given_up:
            fetched(site)
    said = str(given_up.value)
    assert said.startswith(f"{site.url}/file cannot be fetched: it answered 503.")
    assert "maas install --mirror DIR" in said
    assert len(site.asked) < 10


def test_what_is_not_there_is_not_asked_for_twice() -> None:
    with source() as site:
        with pytest.raises(Unavailable, match="/file answered 404"):
            fetched(site)
        assert len(site.asked) == 1


def test_nobody_there_is_said_so() -> None:
    with source() as site:
        pass
    with pytest.raises(Unavailable, match="HTTPS_PROXY"):
        fetched(site)


def test_how_far_it_is_can_be_seen() -> None:
    seen: list[tuple[int, int]] = []
    with source(files={"/file": BODY}) as site:
        site.faults = ["1000"]
        url = f"{site.url}/file"
        asyncio.run(fetching.whole(url, lambda so_far, size: seen.append((so_far, size)), pause=at_once))
    assert seen[0] == (1000, len(BODY))
    assert seen[-1] == (len(BODY), len(BODY))
