"""POST /v1/completions: text in, text out. A list of prompts gives one choice per prompt and `n`."""

from typing import Any

from .dialect import MAX_CHOICES, Prompt, check_sampling, new_id, now, server_sent, stops
from .fields import Fields
from .task import Answer, Task, Usage

_DEFAULT_TOKENS = 16  # OpenAI's and vLLM's default here, unlike in chat


class Completions:
    prompt_param = "prompt"

    def read(self, body: Fields) -> Task:
        model = body.required_text("model")
        prompts = [read_prompt(prompt) for prompt in prompts_of(body, "prompt")]
        check_sampling(body)
        options = body.object("stream_options") or Fields({}, "stream_options")
        choices = (body.integer("n", 1, MAX_CHOICES) or 1) * len(prompts)
        if choices > MAX_CHOICES:
            raise body.wrong("n", f"at most {MAX_CHOICES} answers in all")
        return Task(
            model=model,
            prompt_tokens=sum(prompt.tokens for prompt in prompts),
            prompt_key="\n".join(prompt.key for prompt in prompts),
            echo=prompts[-1].echo,
            max_tokens=body.integer("max_tokens", 1) or _DEFAULT_TOKENS,
            min_tokens=body.integer("min_tokens", 0) or 0,
            ignore_eos=body.flag("ignore_eos"),
            stops=stops(body),
            n=choices,
            seed=body.integer("seed"),
            stream=body.flag("stream"),
            usage_at_end=options.flag("include_usage"),
            usage_in_every_chunk=options.flag("continuous_usage_stats"),
        )

    def whole(self, task: Task, answers: list[Answer], usage: Usage) -> dict[str, Any]:
        return {
            **_base(task),
            "choices": [
                _choice(index, answer.text, answer.finish, answer.stopped_by) for index, answer in enumerate(answers)
            ],
            "usage": usage.openai(),
        }

    def events(self, task: Task, answers: list[Answer]) -> "CompletionEvents":
        return CompletionEvents(task)


def prompts_of(body: Fields, name: str) -> list[str | list[int]]:
    """OpenAI's four shapes: a text, a list of texts, a list of token numbers, a list of such lists."""
    value = body.required(name)
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value:
        if _numbers(value):
            return [value]
        if len(value) <= 2048 and all(isinstance(item, str) or _numbers(item) for item in value):
            return value
    raise body.wrong(name, "a string, an array of strings, or an array of token numbers")


def _numbers(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(item) is int for item in value)


def read_prompt(value: str | list[int]) -> Prompt:
    prompt = Prompt()
    if isinstance(value, str):
        prompt.say("user", value)
    else:
        prompt.say_numbers(value)
    return prompt


def _base(task: Task) -> dict[str, Any]:
    return {"id": new_id("cmpl-"), "object": "text_completion", "created": now(), "model": task.model}


def _choice(index: int, text: str, finish: str | None, stopped_by: str | None = None) -> dict[str, Any]:
    return {
        "index": index,
        "text": text,
        "logprobs": None,
        "finish_reason": finish,
        "stop_reason": stopped_by,
    }


class CompletionEvents:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._base = _base(task)

    def opening(self) -> bytes:
        return b""

    def piece(self, choice: int, answer: Answer, position: int, usage: Usage) -> bytes:
        return self._chunk(_choice(choice, answer.pieces[position], None), usage)

    def end(self, choice: int, answer: Answer, usage: Usage) -> bytes:
        return self._chunk(_choice(choice, "", answer.finish, answer.stopped_by), usage)

    def closing(self, usage: Usage) -> bytes:
        if not self._task.usage_at_end:
            return b"data: [DONE]\n\n"
        return server_sent({**self._base, "choices": [], "usage": usage.openai()}) + b"data: [DONE]\n\n"

    def _chunk(self, choice: dict[str, Any], usage: Usage) -> bytes:
        chunk = {**self._base, "choices": [choice]}
        if self._task.usage_in_every_chunk:
            chunk["usage"] = usage.openai()
        return server_sent(chunk)
