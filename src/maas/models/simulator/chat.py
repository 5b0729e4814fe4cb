"""POST /v1/chat/completions.

With tools and `tool_choice` auto the model calls a tool when the last message is from the user, and answers in text
once it has been given a tool's result: the loop every agent runs, and it ends.
"""

from typing import Any

import orjson

from .dialect import MAX_CHOICES, Prompt, check_sampling, new_id, now, server_sent, stops
from .errors import bad_request
from .fields import Fields
from .task import Answer, Call, Task, Tool, Usage

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")


class Chat:
    prompt_param = "messages"

    def read(self, body: Fields) -> Task:
        model = body.required_text("model")
        prompt = _prompt(body)
        check_sampling(body)
        options = body.object("stream_options") or Fields({}, "stream_options")
        limit = body.integer("max_completion_tokens", 1)
        return Task(
            model=model,
            prompt_tokens=prompt.tokens,
            prompt_key=prompt.key,
            echo=prompt.echo,
            max_tokens=limit if limit is not None else body.integer("max_tokens", 1),
            min_tokens=body.integer("min_tokens", 0) or 0,
            ignore_eos=body.flag("ignore_eos"),
            stops=stops(body),
            n=body.integer("n", 1, MAX_CHOICES) or 1,
            seed=body.integer("seed"),
            stream=body.flag("stream"),
            usage_at_end=options.flag("include_usage"),
            usage_in_every_chunk=options.flag("continuous_usage_stats"),
            tools=_tools(body, prompt.last_role),
            schema=_schema(body),
        )

    def whole(self, task: Task, answers: list[Answer], usage: Usage) -> dict[str, Any]:
        return {
            "id": new_id("chatcmpl-"),
            "object": "chat.completion",
            "created": now(),
            "model": task.model,
            "choices": [_choice(index, answer) for index, answer in enumerate(answers)],
            "usage": usage.openai(),
        }

    def events(self, task: Task, answers: list[Answer]) -> "ChatEvents":
        return ChatEvents(task)


def read_messages(body: Fields) -> Prompt:
    prompt = Prompt()
    if not body.items("messages"):
        raise bad_request("'messages' must be an array with at least one message.", "messages")
    for message in body.objects("messages"):
        _say(prompt, message)
    return prompt


def _prompt(body: Fields) -> Prompt:
    prompt = read_messages(body)
    prompt.add_json(body.items("tools"), "tools")
    prompt.add_json(body.raw("response_format"), "response_format")
    return prompt


def _say(prompt: Prompt, message: Fields) -> None:
    message.required("role")
    role = message.choice("role", _ROLES) or ""
    content = message.raw("content")
    if isinstance(content, list):
        prompt.say(role, *(_part(prompt, part) for part in message.objects("content")))
    else:
        prompt.say(role, message.text("content") or "")
    prompt.add_json(message.items("tool_calls"), message.path("tool_calls"))


def _part(prompt: Prompt, part: Fields) -> str:
    if part.required_text("type") in ("text", "refusal"):
        return part.required_text(part.required_text("type"))
    prompt.image()
    return ""


def _tools(body: Fields, last_role: str) -> tuple[Tool, ...]:
    """Those of which one must be called; none if the answer is to be text."""
    offered = tuple(_tool(tool) for tool in body.objects("tools"))
    choice = body.raw("tool_choice")
    if isinstance(choice, dict):
        name = body.required_object("tool_choice").required_object("function").required_text("name")
        return named(offered, name)
    choice = body.choice("tool_choice", ("none", "auto", "required"))
    return chosen(offered, choice, last_role)


def named(offered: tuple[Tool, ...], name: str) -> tuple[Tool, ...]:
    found = tuple(tool for tool in offered if tool.name == name)
    if not found:
        raise bad_request(f"Tool '{name}' in 'tool_choice' is not one of 'tools'.", "tool_choice")
    return found[:1]


def chosen(offered: tuple[Tool, ...], choice: str | None, last_role: str) -> tuple[Tool, ...]:
    if choice == "required":
        if not offered:
            raise bad_request("'tool_choice' needs 'tools'.", "tool_choice")
        return offered
    return offered if choice != "none" and last_role == "user" else ()


def _tool(tool: Fields) -> Tool:
    function = tool.required_object("function")
    function.object("parameters")
    return Tool(function.required_text("name"), function.raw("parameters") or {"type": "object"})


def _schema(body: Fields) -> Any:
    wanted = body.object("response_format")
    kind = wanted and wanted.choice("type", ("text", "json_object", "json_schema"))
    if wanted is None or kind in (None, "text"):
        return None
    if kind == "json_object":
        return {"type": "object", "minProperties": 1}
    schema = wanted.required_object("json_schema")
    schema.required_object("schema")
    return schema.raw("schema")


def _choice(index: int, answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text if answer.call is None else None}
    if answer.call is not None:
        message["tool_calls"] = [_function(answer.call, answer.text)]
    return {
        "index": index,
        "message": message,
        "logprobs": None,
        "finish_reason": answer.finish,
        "stop_reason": answer.stopped_by,
    }


def _function(call: Call, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


class ChatEvents:
    """Chunks of one stream. All but the delta is made into bytes once: a delta costs one small dumps."""

    def __init__(self, task: Task) -> None:
        base = {
            "id": new_id("chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": now(),
            "model": task.model,
        }
        self._base = base
        self._task = task
        self._head = b"data: " + orjson.dumps(base)[:-1] + b',"choices":[{"index":'

    def opening(self) -> bytes:
        delta = orjson.dumps({"role": "assistant", "content": ""})
        usage = Usage(self._task.prompt_tokens, 0)
        return b"".join(self._chunk(index, delta, b"null", usage) for index in range(self._task.n))

    def piece(self, choice: int, answer: Answer, position: int, usage: Usage) -> bytes:
        piece = answer.pieces[position]
        if answer.call is None:
            return self._chunk(choice, b'{"content":%b}' % orjson.dumps(piece), b"null", usage)
        part = _function(answer.call, "") if position == 0 else {"function": {"arguments": piece}}
        return self._chunk(choice, orjson.dumps({"tool_calls": [{"index": 0, **part}]}), b"null", usage)

    def end(self, choice: int, answer: Answer, usage: Usage) -> bytes:
        return self._chunk(choice, b"{}", b'"%s"' % answer.finish.encode(), usage)

    def closing(self, usage: Usage) -> bytes:
        if not self._task.usage_at_end:
            return b"data: [DONE]\n\n"
        return server_sent({**self._base, "choices": [], "usage": usage.openai()}) + b"data: [DONE]\n\n"

    def _chunk(self, choice: int, delta: bytes, finish: bytes, usage: Usage) -> bytes:
        tail = b"}\n\n"
        if self._task.usage_in_every_chunk:
            tail = b',"usage":' + orjson.dumps(usage.openai()) + tail
        return b"".join(
            (
                self._head,
                b'%d,"delta":' % choice,
                delta,
                b',"logprobs":null,"finish_reason":',
                finish,
                b"}]",
                tail,
            )
        )
