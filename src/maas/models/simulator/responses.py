"""POST /v1/responses. Nothing is stored, so a request that builds on an earlier response is refused, not misread."""

from typing import Any

from .chat import chosen, named
from .dialect import Prompt, check_sampling, new_id, now, server_sent
from .errors import bad_request
from .fields import Fields
from .task import Answer, Task, Tool, Usage

_ROLES = ("system", "developer", "user", "assistant")
_TEXTS = ("input_text", "output_text", "text", "summary_text")


class Responses:
    prompt_param = "input"

    def read(self, body: Fields) -> Task:
        model = body.required_text("model")
        if body.raw("previous_response_id") is not None:
            raise bad_request(
                "There is no 'previous_response_id' to build on: responses are not stored.", "previous_response_id"
            )
        prompt = _prompt(body)
        check_sampling(body)
        return Task(
            model=model,
            prompt_tokens=prompt.tokens,
            prompt_key=prompt.key,
            echo=prompt.echo,
            max_tokens=body.integer("max_output_tokens", 1),
            ignore_eos=body.flag("ignore_eos"),
            seed=body.integer("seed"),
            stream=body.flag("stream"),
            tools=_tools(body, prompt.last_role),
            schema=_schema(body),
            repeated=_repeated(body),
        )

    def whole(self, task: Task, answers: list[Answer], usage: Usage) -> dict[str, Any]:
        answer = answers[0]
        item = _item(_item_id(answer), answer, answer.text, _status(answer))
        return _finished(_response(task), answer, item, usage)

    def events(self, task: Task, answers: list[Answer]) -> "ResponseEvents":
        return ResponseEvents(task, answers[0])


class ResponseEvents:
    def __init__(self, task: Task, answer: Answer) -> None:
        self._answer = answer
        self._response = _response(task)
        self._item_id = _item_id(answer)
        self._number = -1

    def opening(self) -> bytes:
        started = _item(self._item_id, self._answer, "", "in_progress")
        if self._answer.call is None:
            started["content"] = []
        frames = [
            self._event("response.created", response=self._response),
            self._event("response.in_progress", response=self._response),
            self._event("response.output_item.added", output_index=0, item=started),
        ]
        if self._answer.call is None:
            frames.append(self._of_part("response.content_part.added", part=_part("")))
        return b"".join(frames)

    def piece(self, choice: int, answer: Answer, position: int, usage: Usage) -> bytes:
        if answer.call is None:
            return self._of_part("response.output_text.delta", delta=answer.pieces[position], logprobs=[])
        if position == 0:
            return b""  # the name of the tool, which the item has told
        return self._of_item("response.function_call_arguments.delta", delta=answer.pieces[position])

    def end(self, choice: int, answer: Answer, usage: Usage) -> bytes:
        if answer.call is not None:
            kind = "response.function_call_arguments.done"
            told = self._of_item(kind, name=answer.call.name, arguments=answer.text)
        else:
            told = self._of_part("response.output_text.done", text=answer.text, logprobs=[])
            told += self._of_part("response.content_part.done", part=_part(answer.text))
        item = _item(self._item_id, answer, answer.text, _status(answer))
        return told + self._event("response.output_item.done", output_index=0, item=item)

    def closing(self, usage: Usage) -> bytes:
        item = _item(self._item_id, self._answer, self._answer.text, _status(self._answer))
        response = _finished(self._response, self._answer, item, usage)
        return self._event(f"response.{response['status']}", response=response)

    def _of_part(self, kind: str, **data: Any) -> bytes:
        return self._of_item(kind, content_index=0, **data)

    def _of_item(self, kind: str, **data: Any) -> bytes:
        return self._event(kind, item_id=self._item_id, output_index=0, **data)

    def _event(self, kind: str, **data: Any) -> bytes:
        self._number += 1
        return server_sent({"type": kind, "sequence_number": self._number, **data}, kind)


def _prompt(body: Fields) -> Prompt:
    prompt = Prompt()
    prompt.say("system", body.text("instructions") or "")
    if isinstance(body.required("input"), str):
        prompt.say("user", body.required_text("input"))
    else:
        for item in body.objects("input"):
            _say(prompt, item)
    prompt.add_json(body.items("tools"), "tools")
    prompt.add_json(body.raw("text"), "text")
    return prompt


def _say(prompt: Prompt, item: Fields) -> None:
    kind = item.text("type") or "message"
    if kind == "message":
        item.required("role")
        prompt.say(item.choice("role", _ROLES) or "", *_texts(prompt, item, "content"))
    elif kind == "function_call_output":
        prompt.say("tool", *_texts(prompt, item, "output"))
    elif kind == "function_call":
        prompt.say("assistant", item.required_text("name"), item.text("arguments") or "")
    elif kind != "reasoning":
        raise item.wrong("type", "message, function_call, function_call_output or reasoning")


def _texts(prompt: Prompt, item: Fields, name: str) -> list[str]:
    if isinstance(item.required(name), str):
        return [item.required_text(name)]
    texts = []
    for part in item.objects(name):
        if part.required_text("type") in _TEXTS:
            texts.append(part.required_text("text"))
        else:
            prompt.image()
    return texts


def _tools(body: Fields, last_role: str) -> tuple[Tool, ...]:
    offered = tuple(_tool(tool) for tool in body.objects("tools"))
    if isinstance(body.raw("tool_choice"), dict):
        return named(offered, body.required_object("tool_choice").required_text("name"))
    return chosen(offered, body.choice("tool_choice", ("none", "auto", "required")), last_role)


def _tool(tool: Fields) -> Tool:
    tool.required("type")
    tool.choice("type", ("function",))
    tool.object("parameters")
    return Tool(tool.required_text("name"), tool.raw("parameters") or {"type": "object"})


def _schema(body: Fields) -> Any:
    text = body.object("text")
    wanted = text and text.object("format")
    kind = wanted and wanted.choice("type", ("text", "json_object", "json_schema"))
    if wanted is None or kind in (None, "text"):
        return None
    if kind == "json_object":
        return {"type": "object", "minProperties": 1}
    wanted.required_object("schema")
    return wanted.raw("schema")


def _repeated(body: Fields) -> dict[str, Any]:
    metadata = body.object("metadata")
    text = body.object("text")
    return {
        "instructions": body.raw("instructions"),
        "max_output_tokens": body.raw("max_output_tokens"),
        "metadata": metadata.strings() if metadata else {},
        "parallel_tool_calls": body.flag("parallel_tool_calls", default=True),
        "temperature": body.raw("temperature"),
        "text": {"format": (text and text.raw("format")) or {"type": "text"}},
        "tool_choice": body.raw("tool_choice") or "auto",
        "tools": body.items("tools"),
        "top_p": body.raw("top_p"),
    }


def _response(task: Task) -> dict[str, Any]:
    return {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": now(),
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": task.model,
        "output": [],
        "previous_response_id": None,
        "store": False,
        "truncation": "disabled",
        "usage": None,
        **task.repeated,
    }


def _finished(response: dict[str, Any], answer: Answer, item: dict[str, Any], usage: Usage) -> dict[str, Any]:
    cut = answer.finish == "length"
    return {
        **response,
        "status": _status(answer),
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": [item],
        "usage": {
            "input_tokens": usage.prompt,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": usage.completion,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.prompt + usage.completion,
        },
    }


def _status(answer: Answer) -> str:
    return "incomplete" if answer.finish == "length" else "completed"


def _item_id(answer: Answer) -> str:
    return new_id("msg_" if answer.call is None else "fc_")


def _item(item_id: str, answer: Answer, text: str, status: str) -> dict[str, Any]:
    if answer.call is not None:
        call = {"call_id": answer.call.id, "name": answer.call.name, "arguments": text}
        return {"id": item_id, "type": "function_call", "status": status, **call}
    return {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": [_part(text)]}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
