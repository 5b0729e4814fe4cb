"""What tells how many tokens a request would have: /tokenize and /v1/messages/count_tokens. Takes no slot."""

from . import messages, tokens
from .chat import read_messages
from .fields import Fields
from .inference import Request


async def tokenize(request: Request, body: Fields) -> None:
    name = body.text("model") or request.model.settings.names[0]
    chat = body.raw("messages") is not None
    text = read_messages(body).key if chat else body.required_text("prompt")
    pieces = tokens.split(text)
    request.admit(name, len(pieces))
    answer = {
        "count": len(pieces),
        "max_model_len": request.model.settings.max_model_len,
        "tokens": [tokens.number(piece) for piece in pieces],
        "token_strs": pieces if body.flag("return_token_strs") else None,
    }
    request.reply(answer)


async def count_messages(request: Request, body: Fields) -> None:
    prompt = messages.read_prompt(body)
    request.admit(body.required_text("model"), prompt.tokens)
    request.reply({"input_tokens": prompt.tokens})
