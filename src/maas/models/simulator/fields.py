"""Reading a client's JSON so that every mistake is answered with the name of the field.

The alternative, pydantic models per dialect, costs 15 MB and 150 ms of import, and its messages would have to be
rewritten into OpenAI's anyway.
A field that is null counts as absent, as in OpenAI's own API.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from .errors import bad_request

INT64 = 2**63 - 1
MAX_DEPTH = 100


class Fields:
    """A JSON object with typed access. `at` is its path within the body, for error messages."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: dict[str, Any], at: str = "") -> None:
        self._data = data
        self._at = at

    def path(self, name: str) -> str:
        return f"{self._at}.{name}" if self._at else name

    def raw(self, name: str) -> Any:
        return self._data.get(name)

    def default(self, name: str, value: Any) -> None:
        """For who left it out."""
        if self._data.get(name) is None:
            self._data[name] = value

    def required(self, name: str) -> Any:
        value = self._data.get(name)
        if value is None:
            raise bad_request(f"Missing required parameter: '{self.path(name)}'.", self.path(name))
        return value

    def wrong(self, name: str, expected: str) -> Exception:
        path = self.path(name)
        return bad_request(f"Invalid value for '{path}': expected {expected}.", path)

    def text(self, name: str) -> str | None:
        value = self._data.get(name)
        if value is not None and not isinstance(value, str):
            raise self.wrong(name, "a string")
        return value

    def required_text(self, name: str) -> str:
        self.required(name)
        return self.text(name) or ""

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._data.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(name, "a boolean")
        return value

    def integer(self, name: str, low: int = -INT64, high: int = INT64) -> int | None:
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(name, "an integer")
        if not low <= value <= high:
            raise self.wrong(name, f"an integer from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise self.wrong(name, f"a number from {low:g} to {high:g}")
        return value

    def choice(self, name: str, among: tuple[str, ...]) -> str | None:
        value = self.text(name)
        if value is not None and value not in among:
            raise self.wrong(name, "one of " + ", ".join(among))
        return value

    def object(self, name: str) -> "Fields | None":
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return Fields(value, self.path(name))

    def required_object(self, name: str) -> "Fields":
        self.required(name)
        return self.object(name) or Fields({}, self.path(name))

    def items(self, name: str) -> list[Any]:
        value = self._data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(name, "an array")
        return value

    def objects(self, name: str) -> Iterator["Fields"]:
        for index, value in enumerate(self.items(name)):
            if not isinstance(value, dict):
                raise self.wrong(f"{name}[{index}]", "an object")
            yield Fields(value, self.path(f"{name}[{index}]"))

    def all(self) -> dict[str, Any]:
        return dict(self._data)

    def strings(self) -> dict[str, str]:
        """All of it, if every value is a string."""
        for name in self._data:
            self.required_text(name)
        return self.all()

    def texts(self, name: str) -> tuple[str, ...]:
        """A string, or an array of strings, as OpenAI's `stop` is."""
        value = self._data.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(name, "a string or an array of strings")
        return tuple(value)


def parse(body: bytes) -> Fields:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The request body is not valid JSON: {error}.") from error
    if not isinstance(data, dict):
        raise bad_request("The request body must be a JSON object.")
    return Fields(data)
