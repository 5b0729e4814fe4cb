r"""A tokeniser that needs no vocabulary: words in pieces of at most eight characters.

A token is an optional space and up to eight word characters (`hello`, ` world`, ` internat`, `ionalisa`), or up to
eight characters of white space, or one character of anything else.
For English this gives about as many tokens as real tokenisers do.

Three properties matter more than likeness, and are tested:
- `"".join(split(text)) == text`: joined chunks of a stream are the whole answer;
- a token has at least one character, a character at least one byte, and nothing is added per message: a prompt
  never has more tokens than the body of its request has bytes, so a gateway may use Content-Length as an upper
  bound on what it reserves;
- no state: the same text has the same tokens in every process.
"""

import re
from typing import Any
from zlib import crc32

from .errors import bad_request
from .fields import MAX_DEPTH

MAX_CHARACTERS = 8
IMAGE_TOKENS = 16  # fewer than the bytes of the JSON object that brings an image
VOCABULARY = 2**17

_TOKEN = re.compile(r" ?\w{1,8}|\s{1,8}|[^\w\s]")


def split(text: str) -> list[str]:
    return _TOKEN.findall(text)


def count(text: str) -> int:
    return sum(1 for _ in _TOKEN.finditer(text))


def number(token: str) -> int:
    """A stable id, as /tokenize reports it."""
    return crc32(token.encode()) % VOCABULARY


def count_json(value: Any, at: str) -> int:
    """Tokens of a JSON value given to the model (tools, arguments): of keys and texts, and 1 for any other leaf.

    Counted leaf by leaf and not as dumped text, which may be longer than what the client sent (1e9 becomes
    1000000000.0). No recursion: the depth is the client's choice; past MAX_DEPTH it is refused.
    """
    total = 0
    stack = [(value, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise bad_request(f"'{at}' is nested too deeply.", at)
        if isinstance(node, str):
            total += count(node)
        elif isinstance(node, dict):
            total += sum(map(count, node))
            stack.extend((child, depth + 1) for child in node.values())
        elif isinstance(node, list):
            stack.extend((child, depth + 1) for child in node)
        else:
            total += 1
    return total
