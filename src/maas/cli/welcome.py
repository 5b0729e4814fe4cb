"""What somebody reads who has just installed the platform. The commands in it work as printed: a test runs them."""

import shlex
import shutil
import sys
from pathlib import Path

from maas.domain.platform import Platform
from maas.embedded import platform as embedded
from maas.embedded.home import Home


def text(home: Home, platform: Platform, model: str, key: str | None) -> str:
    endpoints = embedded.endpoints(platform.gateway)
    parts = [
        "MaaS is up, and a request has gone through it.",
        _facts(home, endpoints, key),
        _curl(home, endpoints[0], model, key),
        _sdk(home, endpoints[0], model, key),
        _next(),
    ]
    return "\n\n".join(parts)


def _facts(home: Home, endpoints: list[str], key: str | None) -> str:
    lines = [f"Endpoint   {endpoint}" for endpoint in endpoints]
    lines.append(f"CA         {home.ca_certificate}   (trust it for https)")
    if key:
        lines.append(f"API key    {key}  (shown only now)")
    else:
        lines.append("API key    yours go on working; `maas keys create --help` tells how to make another")
    return "\n".join(lines)


def _curl(home: Home, endpoint: str, model: str, key: str | None) -> str:
    """The line with the key is the last and not indented any further: so it has just the 80 columns of a terminal."""
    trust = f"  --cacert {shlex.quote(str(home.ca_certificate))} \\\n" if endpoint.startswith("https:") else ""
    body = f'{{"model": "{model}",\n       "messages": [{{"role": "user", "content": "Hello"}}]}}'
    return (
        "Try it with curl:\n\n"
        f"  curl {endpoint}/chat/completions \\\n{trust}"
        f'  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(body)} \\\n"
        f'  -H "Authorization: Bearer {key or "$MAAS_KEY"}"'
    )


def _sdk(home: Home, endpoint: str, model: str, key: str | None) -> str:
    trust = f"  # first: export SSL_CERT_FILE={home.ca_certificate}\n" if endpoint.startswith("https:") else ""
    return (
        "or with OpenAI's SDK (pip install openai):\n\n"
        f"{trust}  from openai import OpenAI\n"
        f'  client = OpenAI(\n      base_url="{endpoint}",\n      api_key="{key or "YOUR KEY"}",\n  )\n'
        f'  answer = client.chat.completions.create(\n      model="{model}",\n'
        '      messages=[{"role": "user", "content": "Hello"}],\n  )\n'
        "  print(answer.choices[0].message.content)"
    )


def _next() -> str:
    maas = _command()
    told = {"status": "what runs", "usage": "who used what", "logs -f": "the logs", "down": "stop", "up": "start again"}
    lines = (f"  {f'{maas} {command}':<{len(maas) + 10}}{what}" for command, what in told.items())
    return "And then:\n\n" + "\n".join(lines)


def _command() -> str:
    """As it has to be typed: the shell may not find it, or find another installation's."""
    ours = Path(sys.executable).with_name("maas")
    found = shutil.which("maas")
    return "maas" if found and Path(found).resolve() == ours.resolve() else shlex.quote(str(ours))
