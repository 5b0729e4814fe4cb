"""From a task to its answers: the whole of this model's intelligence.

Same seed and same prompt, same answer: `seed` of the request if it has one, else one stream of random numbers per
process, started from `--seed`.
"""

from itertools import cycle, islice
from random import Random

import orjson

from . import schema_values, text, tokens
from .errors import bad_request
from .schema_merge import BadSchema
from .task import Answer, Call, Task


def answers(task: Task, room: int, mode: str, random: Random) -> list[Answer]:
    """One answer per choice, each of at most `room` tokens (max_tokens, or what the context leaves)."""
    source = random if task.seed is None else Random(f"{task.seed}:{task.prompt_key}")
    return [_answer(task, room, mode, source) for _ in range(task.n)]


def _answer(task: Task, room: int, mode: str, random: Random) -> Answer:
    if task.tools:
        return _call(task, room, random)
    if task.schema is not None:
        return _cut(tokens.split(_json(task.schema, "response_format", random)), room, "stop")
    pieces, finish = _echo(task, room) if mode == "echo" else _talk(task, room, random)
    return _stopped(pieces, finish, task.stops)


def _call(task: Task, room: int, random: Random) -> Answer:
    tool = random.choice(task.tools)
    pieces = [tool.name, *tokens.split(_json(tool.schema, "tools", random))]
    return _cut(pieces, room, "tool_calls", Call(f"call_{random.getrandbits(96):024x}", tool.name))


def _json(schema: object, param: str, random: Random) -> str:
    try:
        return orjson.dumps(schema_values.value(schema, random)).decode()
    except BadSchema as error:
        raise bad_request(f"The schema in '{param}' {error}.", param) from error


def _cut(pieces: list[str], room: int, finish: str, call: Call | None = None) -> Answer:
    return Answer(pieces[:room], "length" if len(pieces) > room else finish, call)


def _echo(task: Task, room: int) -> tuple[list[str], str]:
    pieces = tokens.split(task.echo)
    if task.ignore_eos and pieces:
        return list(islice(cycle(pieces), room)), "length"
    return pieces[:room], "length" if len(pieces) > room else "stop"


def _talk(task: Task, room: int, random: Random) -> tuple[list[str], str]:
    asked = task.max_tokens is not None
    size = room if task.ignore_eos else text.length(random, room, asked)
    size = min(room, max(size, task.min_tokens))
    return text.sentences(random, size), "length" if size == room else "stop"


def _stopped(pieces: list[str], finish: str, stops: tuple[str, ...]) -> Answer:
    """The answer up to the first stop string, without it; the token that holds its first letter is shortened."""
    whole = "".join(pieces) if stops else ""
    place, stop = min(((whole.find(stop), stop) for stop in stops if stop in whole), default=(-1, ""))
    if place < 0:
        return Answer(pieces, finish)
    kept: list[str] = []
    for piece in pieces:
        kept.append(piece[:place])
        place -= len(piece)
        if place <= 0:
            break
    return Answer([piece for piece in kept if piece], "stop", stopped_by=stop)
