"""What somebody reads who has just installed the platform. The commands in it work as printed: a test runs them."""

import shlex
import shutil
import sys
from pathlib import Path

from maas.domain.platform import Platform
from maas.embedded import platform as embedded
from maas.embedded import tls
from maas.embedded.home import Home


def text(home: Home, platform: Platform, model: str, key: str | None) -> str:
    endpoints = embedded.endpoints(platform.gateway)
    trust = tls.to_trust(home, platform.gateway)
    parts = [
        "MaaS is up, and a request has gone through it.",
        _facts(trust, endpoints, key),
        _curl(trust, endpoints[0], model, key),
        _sdk(trust, endpoints[0], model, key),
        _next(),
    ]
    return "\n\n".join(parts)


def _facts(trust: Path | None, endpoints: list[str], key: str | None) -> str:
    lines = [f"Endpoint   {endpoint}" for endpoint in endpoints]
    if trust:
        lines.append(f"CA         {trust}   (trust it for https)")
    if key:
        lines.append(f"API key    {key}  (shown only now)")
    else:
        lines.append("API key    yours go on working; `maas keys create --help` tells how to make another")
    return "\n".join(lines)


def _curl(trust: Path | None, endpoint: str, model: str, key: str | None) -> str:
    """The line with the key is the last and not indented any further: so it has just the 80 columns of a terminal."""
    option = f"  --cacert {shlex.quote(str(trust))} \\\n" if trust and endpoint.startswith("https:") else ""
    body = f'{{"model": "{model}",\n       "messages": [{{"role": "user", "content": "Hello"}}]}}'
    return (
        "Try it with curl:\n\n"
        f"  curl {shlex.quote(f'{endpoint}/chat/completions')} \\\n{option}"
        f'  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(body)} \\\n"
        f'  -H "Authorization: Bearer {key or "$MAAS_KEY"}"'
    )


def _sdk(trust: Path | None, endpoint: str, model: str, key: str | None) -> str:
    first = f"  # first: export SSL_CERT_FILE={trust}\n" if trust and endpoint.startswith("https:") else ""
    return (
        "or with OpenAI's SDK (pip install openai):\n\n"
        f"{first}  from openai import OpenAI\n"
        f'  client = OpenAI(\n      base_url="{endpoint}",\n      api_key="{key or "YOUR KEY"}",\n  )\n'
        f'  answer = client.chat.completions.create(\n      model="{model}",\n'
        '      messages=[{"role": "user", "content": "Hello"}],\n  )\n'
        "  print(answer.choices[0].message.content)"
    )


def _next() -> str:
    maas = command()
    told = {"status": "what runs", "usage": "who used what", "logs -f": "the logs", "down": "stop", "up": "start again"}
    lines = (f"  {f'{maas} {command}':<{len(maas) + 10}}{what}" for command, what in told.items())
    return "And then:\n\n" + "\n".join(lines)


def command() -> str:
    """As it has to be typed: the shell may not find it, or find another installation's."""
    ours = Path(sys.executable).with_name("maas")
    found = shutil.which("maas")
    return "maas" if found and Path(found).resolve() == ours.resolve() else shlex.quote(str(ours))
