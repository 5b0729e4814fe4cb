import os
import pwd

import pytest

from maas.cli import who


def test_the_name_of_the_uid_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "somebody-else")
    assert who.user() == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(("user", "expected"), [("olga", "olga"), ("\N{SNOWMAN}", "?"), (None, f"uid-{os.getuid()}")])
def test_a_uid_without_a_name(monkeypatch: pytest.MonkeyPatch, user: str | None, expected: str) -> None:
    def nobody(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.delenv("USER", raising=False)
    if user:
        monkeypatch.setenv("USER", user)
    assert who.user() == expected
