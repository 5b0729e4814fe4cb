"""Whether a key is alive at a moment."""

import pytest

from maas.domain.keys import Key


@pytest.mark.parametrize(
    ("expires_at", "revoked_at", "status"),
    [
        (None, None, "active"),
        (101.0, None, "active"),
        (100.0, None, "expired"),
        (None, 100.0, "revoked"),
        (50.0, 99.0, "revoked"),
        (None, 200.0, "revoked"),  # the clock has been set back since: revoked is revoked
    ],
)
def test_status(expires_at: float | None, revoked_at: float | None, status: str) -> None:
    key = Key("id", b"", "", "ann", "free", "", created_at=0.0, expires_at=expires_at, revoked_at=revoked_at)
    assert key.status(100.0) == status
