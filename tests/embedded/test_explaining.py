import pytest

from maas.domain.errors import NotFound
from maas.domain.keys import Key
from maas.embedded.explaining import explanation


def test_of_what_is_not_known_it_is_said_what_never_is() -> None:
    def no_key(id: str) -> Key:
        raise NotFound(id)

    with pytest.raises(NotFound) as caught:
        explanation("req-9", None, None, no_key)
    said = str(caught.value)
    assert said.startswith("nothing is known of the request 'req-9'")
    for kind in ("/health", "/v1/models", "too large", "invalid_field", "bad_request"):
        assert kind in said
    assert "the newest 256 MiB" in said
    assert "days" not in said
