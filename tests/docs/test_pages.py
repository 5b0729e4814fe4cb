"""The pages agree with each other: links lead somewhere, and each says for whom it is."""

import pytest

from tests.docs.pages import ROOT, Page, pages

_PAGES = [pytest.param(page, id=str(page.path.relative_to(ROOT))) for page in pages()]


@pytest.mark.parametrize("page", _PAGES)
def test_links_lead_somewhere(page: Page) -> None:
    for link in page.links:
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = Page((page.path.parent / name).resolve()) if name else page
        assert target.path.exists(), link
        assert not anchor or anchor in target.anchors, link


def test_every_page_is_reached_from_the_readme() -> None:
    readme = pages()[0]
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in readme.links}
    assert {page.path for page in pages()} <= {*linked, readme.path}


@pytest.mark.parametrize("page", [p for p in _PAGES if "docs/" in str(p.id)])
def test_a_page_begins_with_whom_it_is_for(page: Page) -> None:
    title, blank, first = page.text.split("\n")[:3]
    assert title.startswith("# ")
    assert not blank
    assert first.startswith("For "), first
