"""The reference says what the code says."""

import pytest

from docs.generator.__main__ import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    written = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert written == PAGES[name](), "scripts/reference writes it anew"


def test_there_are_no_others() -> None:
    assert {each.stem for each in FOLDER.iterdir()} == set(PAGES)
