"""POST /v1/messages, Anthropic's dialect, and /v1/messages/count_tokens."""

from typing import Any

import orjson

from .chat import chosen, named
from .dialect import Prompt, check_sampling, new_id, server_sent, stops
from .errors import bad_request
from .fields import Fields
from .task import Answer, Task, Tool, Usage

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


class Messages:
    prompt_param = "messages"

    def read(self, body: Fields) -> Task:
        model = body.required_text("model")
        prompt = read_prompt(body)
        check_sampling(body)
        body.required("max_tokens")
        return Task(
            model=model,
            prompt_tokens=prompt.tokens,
            prompt_key=prompt.key,
            echo=prompt.echo,
            max_tokens=body.integer("max_tokens", 1),
            ignore_eos=body.flag("ignore_eos"),
            stops=stops(body, "stop_sequences"),
            seed=body.integer("seed"),
            stream=body.flag("stream"),
            tools=_tools(body, prompt.last_role),
        )

    def whole(self, task: Task, answers: list[Answer], usage: Usage) -> dict[str, Any]:
        answer = answers[0]
        return {**_message(task, usage), "content": [_block(answer)], **_stop(answer)}

    def events(self, task: Task, answers: list[Answer]) -> "MessageEvents":
        return MessageEvents(task, answers[0])


class MessageEvents:
    def __init__(self, task: Task, answer: Answer) -> None:
        self._task = task
        self._answer = answer

    def opening(self) -> bytes:
        message = _message(self._task, Usage(self._task.prompt_tokens, 0))
        block: dict[str, Any] = {"type": "text", "text": ""}
        if self._answer.call is not None:
            block = {"type": "tool_use", "id": self._answer.call.id, "name": self._answer.call.name, "input": {}}
        return _event("message_start", message=message) + _event("content_block_start", index=0, content_block=block)

    def piece(self, choice: int, answer: Answer, position: int, usage: Usage) -> bytes:
        piece = answer.pieces[position]
        if answer.call is None:
            return _event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        if position == 0:
            return b""  # the name of the tool, which content_block_start has told
        return _event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": piece})

    def end(self, choice: int, answer: Answer, usage: Usage) -> bytes:
        return _event("content_block_stop", index=0)

    def closing(self, usage: Usage) -> bytes:
        delta = _event("message_delta", delta=_stop(self._answer), usage={"output_tokens": usage.completion})
        return delta + _event("message_stop")


def read_prompt(body: Fields) -> Prompt:
    prompt = Prompt()
    _say(prompt, "system", body, "system")
    if not body.items("messages"):
        raise bad_request("'messages' must be an array with at least one message.", "messages")
    for message in body.objects("messages"):
        message.required("role")
        message.required("content")
        _say(prompt, message.choice("role", ("user", "assistant", "system")) or "", message, "content")
    prompt.add_json(body.items("tools"), "tools")
    return prompt


def _say(prompt: Prompt, role: str, holder: Fields, name: str) -> None:
    """A text or blocks. A user message that brings a tool's result speaks for the tool."""
    if not isinstance(holder.raw(name), list):
        prompt.say(role, holder.text(name) or "")
        return
    texts: list[str] = []
    for block in holder.objects(name):
        kind = block.required_text("type")
        if kind == "text":
            texts.append(block.required_text("text"))
        elif kind == "tool_result":
            role = "tool"
            _say(prompt, role, block, "content")
        elif kind == "tool_use":
            texts.append(block.required_text("name"))
            prompt.add_json(block.raw("input"), block.path("input"))
        else:
            prompt.image()
    prompt.say(role, *texts)


def _tools(body: Fields, last_role: str) -> tuple[Tool, ...]:
    offered = tuple(_tool(tool) for tool in body.objects("tools"))
    choice = body.object("tool_choice")
    if choice is None:
        return chosen(offered, None, last_role)
    choice.required("type")
    kind = choice.choice("type", (*_CHOICES, "tool"))
    if kind == "tool":
        return named(offered, choice.required_text("name"))
    return chosen(offered, _CHOICES[kind or "auto"], last_role)


def _tool(tool: Fields) -> Tool:
    tool.required_object("input_schema")
    return Tool(tool.required_text("name"), tool.raw("input_schema"))


def _message(task: Task, usage: Usage) -> dict[str, Any]:
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": task.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": usage.prompt, "output_tokens": usage.completion},
    }


def _block(answer: Answer) -> dict[str, Any]:
    if answer.call is None:
        return {"type": "text", "text": answer.text}
    return {"type": "tool_use", "id": answer.call.id, "name": answer.call.name, "input": _input(answer)}


def _input(answer: Answer) -> Any:
    """Arguments cut by max_tokens are no JSON any more: then there are none."""
    try:
        return orjson.loads(answer.text)
    except orjson.JSONDecodeError:
        return {}


def _stop(answer: Answer) -> dict[str, Any]:
    reason = "stop_sequence" if answer.stopped_by is not None else _REASONS[answer.finish]
    return {"stop_reason": reason, "stop_sequence": answer.stopped_by}


def _event(kind: str, **data: Any) -> bytes:
    return server_sent({"type": kind, **data}, kind)
