"""Values that fit a JSON schema, for tool arguments and structured output."""

from random import Random
from typing import Any


def value(schema: Any, random: Random) -> Any:
    return {}
