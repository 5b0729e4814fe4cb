"""What somebody reads who has just installed the platform on a cluster. The commands in it work as printed."""

import base64
import shlex
import socket
from dataclasses import dataclass
from pathlib import Path

from maas.cli.frame import home
from maas.cli.installing import forwarding
from maas.cli.welcome import command
from maas.cluster import kinds
from maas.cluster.api import Api, path_of
from maas.cluster.facts.model import Facts
from maas.cluster.objects import items, name, namespace, text
from maas.cluster.resources import certificates, names
from maas.cluster.wanted import GATEWAY, Target, Wanted
from maas.embedded.home import Home
from maas.embedded.supervisor.files import replace_file


@dataclass(frozen=True)
class Place:
    """Where a model is called: at the host of all models, for limits are counted together there.

    path: the model's, before /v1.
    address: to ask for the host at; "" where the host's name leads there from here.
    forward: the command that has to open a way to it; "" where none has to.
    trust: the file with the CA to believe, where that is our own.
    """

    host: str
    address: str
    forward: str
    trust: Path | None
    path: str = ""

    @property
    def port(self) -> int:
        return forwarding.LOCAL if self.forward else 443

    @property
    def endpoint(self) -> str:
        return f"https://{self.host}{'' if self.port == 443 else f':{self.port}'}{self.path}/v1"


def first_model(wanted: Wanted) -> str:
    return next(iter(wanted.platform.models), "MODEL")


def place(wanted: Wanted, facts: Facts, trust: Path | None, forward: str) -> Place:
    """forward: where the gateway could not be reached from here in another way."""
    host, path = names.shared_host(wanted), names.prefix(first_model(wanted))
    if wanted.site.target is Target.openshift:
        return Place(host, "", "", trust, path)
    if forward:
        return Place(host, "127.0.0.1", forward, trust, path)
    return Place(host, "" if _resolves(host) else _address(wanted, facts), "", trust, path)


def expected(wanted: Wanted, facts: Facts, trust: Path | None, forward: str) -> Place:
    """As far as the cluster says, without a request. forward: for a gateway that has no address."""
    found = place(wanted, facts, trust, "")
    if found.address or wanted.site.target is Target.openshift or _resolves(found.host):
        return found
    return place(wanted, facts, trust, forward)


def _address(wanted: Wanted, facts: Facts) -> str:
    """Of the gateway; "" if the cluster gave it none."""
    ours = [each for each in facts.known(kinds.GATEWAY) if (namespace(each), name(each)) == (wanted.namespace, GATEWAY)]
    found = [text(address, "value") for gateway in ours for address in items(gateway, "status", "addresses")]
    outside = [address for address in found if not address.endswith((".svc", ".cluster.local"))]
    return outside[0] if outside else ""


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return True


async def trusted(api: Api, wanted: Wanted) -> Path | None:
    """The gateway's CA, which is no secret, in a file of $MAAS_HOME; None where the certificate is not of ours."""
    if wanted.site.target is Target.openshift or wanted.platform.gateway.certificate:
        return None
    found = await ca(api, wanted.namespace)
    if not found:
        return None
    here = home()
    here.hold("tls")
    replace_file(ca_file(here), found)
    return ca_file(here)


async def ca(api: Api, namespace: str) -> str:
    """Of the gateway's certificate, in PEM; "" if the Secret names none. Raises MaasError."""
    secret = await api.get(path_of(kinds.SECRET, "v1", namespace, certificates.SECRET))
    return base64.b64decode(text(secret, "data", "ca.crt")).decode()


def ca_file(here: Home) -> Path:
    return here.root / "tls" / "cluster-ca.crt"


def told(wanted: Wanted, place: Place, key: str | None, cluster: str, why_not: str = "") -> str:
    """why_not: why no request has gone through it yet; "" if one has."""
    model = first_model(wanted)
    parts = [
        _heading(cluster, why_not),
        _facts(wanted, place, key),
        _way(wanted, place),
        _curl(place, model, key),
        _sdk(place, model, key),
        _next(),
    ]
    return "\n\n".join(part for part in parts if part)


def reminder(place: Place, has_key: bool | None) -> str:
    """For who was not told at the end of an installation, in a few lines. has_key: None where nobody knows."""
    lines = [f"Endpoint   {place.endpoint}"]
    if place.forward:
        lines.append(f"Way to it  {place.forward}")
    elif place.address:
        lines.append(f"Address    {place.address}, as no name server that is asked here knows the name")
    lines += [f"CA         {place.trust}"] if place.trust else []
    none = "there is none yet; " if has_key is False else ""
    lines.append(f"API key    {none}`maas keys create --user NAME` makes one")
    return "\n".join(lines)


def _heading(cluster: str, why_not: str) -> str:
    if not why_not:
        return f"MaaS is installed on {cluster},\nand requests have gone through it."
    return (
        f"MaaS is installed on {cluster}.\n"
        f"No request has gone through it yet: {why_not}.\n"
        "`maas validate --url URL` sends some, once there is a way."
    )


def _facts(wanted: Wanted, place: Place, key: str | None) -> str:
    lines = [f"Endpoint   {place.endpoint}"]
    lines += [f"CA         {place.trust}"] if place.trust else []
    if key:
        lines.append(f"API key    {key}  (shown only now)")
    else:
        lines.append("API key    yours go on working; `maas keys create` makes another")
    return "\n".join(lines)


def _way(wanted: Wanted, place: Place) -> str:
    if place.forward:
        return (
            "The gateway has no address that can be reached from here. Open a way to it,\n"
            f"in a terminal of its own:\n\n  {place.forward}"
        )
    if not place.address:
        return ""
    hosts = f"{place.host} {names.host(wanted, first_model(wanted))}"
    return (
        f"No name server that is asked here knows {place.host}.\nUntil one does:\n\n"
        f"  echo {shlex.quote(f'{place.address} {hosts}')} |\n    sudo tee -a /etc/hosts"
    )


def _curl(place: Place, model: str, key: str | None) -> str:
    """The line with the key is the last and not indented any further: so it has just the 80 columns of a terminal."""
    options = [f"-d {shlex.quote(_body(model))}"]
    options.insert(0, '-H "Content-Type: application/json"')
    if place.trust:
        options.insert(0, f"--cacert {shlex.quote(str(place.trust))}")
    if place.address:
        options.insert(0, f"--resolve {place.host}:{place.port}:{place.address}")
    lines = [f"curl {place.endpoint}/chat/completions", *options, f'-H "Authorization: Bearer {key or "$MAAS_KEY"}"']
    return "Try it with curl:\n\n  " + " \\\n  ".join(lines)


def _body(model: str) -> str:
    return f'{{"model": "{model}",\n       "messages": [{{"role": "user", "content": "Hello"}}]}}'


def _sdk(place: Place, model: str, key: str | None) -> str:
    first = f"  # first: export SSL_CERT_FILE={place.trust}\n" if place.trust else ""
    if place.forward:
        first += f"  # and: echo '127.0.0.1 {place.host}' |\n  #   sudo tee -a /etc/hosts\n"
    return (
        "or with OpenAI's SDK (pip install openai):\n\n"
        f"{first}  from openai import OpenAI\n"
        f'  client = OpenAI(\n      base_url="{place.endpoint}",\n      api_key="{key or "YOUR KEY"}",\n  )\n'
        f'  answer = client.chat.completions.create(\n      model="{model}",\n'
        '      messages=[{"role": "user", "content": "Hello"}],\n  )\n'
        "  print(answer.choices[0].message.content)"
    )


def _next() -> str:
    told = {
        "status": "what runs",
        "keys create": "a key for somebody else",
        "usage --by model": "how much is used",
        "doctor": "what is wrong, and what mends it",
        "uninstall": "take it away again",
    }
    maas = command()
    return "And then:\n\n" + "\n".join(f"  {f'{maas} {name}':<{len(maas) + 19}}{what}" for name, what in told.items())
