"""How a snapshot of our own is laid out. Whoever writes it and whoever reads it share these names.

    snapshot.json      format, when and from what it was taken
    version.json       the answer of /version
    apis.json          {"apps/v1": ["deployments", …]}
    probes.json        what was tried, by name
    unread.json        what could not be read, and why
    lists/pods.json    a List of objects, one on each line
    namespaces/llm/pods/vllm-0/server/server/logs/current.log    as `oc adm inspect` has it

A list is JSON that kubectl and jq read, and each of its objects is a line by itself: thousands of pods are read one by
one, never as one document. YAML would take fifty times as long.
"""

from hashlib import sha256
from urllib.parse import quote, unquote

FORMAT = 1
_LONGEST = 253  # characters of a name in Kubernetes; file systems end at 255
_KEPT = 230
ABOUT = "snapshot.json"
VERSION = "version.json"
APIS = "apis.json"
PROBES = "probes.json"
UNREAD = "unread.json"
LIST_BEGINS = b'{"apiVersion":"v1","kind":"List","items":[\n'
LIST_ENDS = b"]}\n"


def list_path(key: str) -> str:
    return f"lists/{_name(key)}.json"


def key_of_list(path: str) -> str | None:
    """The key of the kind whose list this is; None for another file."""
    folder, _, file = path.rpartition("/")
    is_list = folder.rpartition("/")[2] == "lists" and file.endswith(".json")
    return unquote(file.removesuffix(".json")) if is_list else None


def log_path(namespace: str, pod: str, container: str, previous: bool) -> str:
    parts = (_name(namespace), "pods", _name(pod), _name(container), _name(container), "logs")
    return f"namespaces/{'/'.join(parts)}/{'previous' if previous else 'current'}.log"


def part(quoted: str) -> str:
    return unquote(quoted)


def _name(value: str) -> str:
    """A name of a file for any text: no slash, and neither "." nor "..". Names in Kubernetes stay as they are.

    Except where they are too long for a file: such a one is cut, and what was cut told apart by a digest.
    """
    safe = quote(value, safe=" ,:+=@~", errors="surrogatepass")
    if len(safe) > _LONGEST:
        before, escape, digits = safe[:_KEPT].rpartition("%")
        cut = before if escape and len(digits) < 2 else safe[:_KEPT]
        return f"{cut}~{sha256(safe.encode()).hexdigest()[:16]}"
    return safe.replace(".", "%2E") if not safe.strip(".") else safe
