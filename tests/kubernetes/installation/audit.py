"""What somebody has asked of the API server, and with which of his rights: from the server's own audit log."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Permission = tuple[str, str, str]  # verb, API group, resource with its subresource


def options(folder: Path, user: str) -> tuple[str, ...]:
    """Flags of the API server."""
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata", "users": [user]}, {"level": "None"}],
    }
    (folder / "policy.json").write_text(json.dumps(policy))
    return f"--audit-policy-file={folder / 'policy.json'}", f"--audit-log-path={log(folder)}"


def log(folder: Path) -> Path:
    return folder / "audit.log"


def used(folder: Path) -> set[Permission]:
    """Each that was asked for and allowed. Server-side apply of what was not there asks for `create` as well."""
    found = set[Permission]()
    for event in _events(folder):
        if event["annotations"].get("authorization.k8s.io/decision") == "allow":
            permission = _permission(event)
            found.add(permission)
            if permission[0] == "patch" and event["responseStatus"].get("code") == 201:
                found.add(("create", *permission[1:]))
    return found


def denied(folder: Path) -> list[str]:
    return sorted(
        {
            f"{' '.join(_permission(event))}: {event['responseStatus'].get('message', '')}"
            for event in _events(folder)
            if event["responseStatus"].get("code") == 403
        }
    )


def _events(folder: Path) -> Iterator[Mapping[str, Any]]:
    for line in log(folder).read_text().splitlines():
        event = json.loads(line)
        if "objectRef" in event and "responseStatus" in event:
            yield {"annotations": {}, **event}


def _permission(event: Mapping[str, Any]) -> Permission:
    reference = event["objectRef"]
    below = f"/{reference['subresource']}" if "subresource" in reference else ""
    return event["verb"], reference.get("apiGroup", ""), f"{reference['resource']}{below}"


def granted(rules: Iterable[Mapping[str, Any]]) -> set[Permission]:
    return {
        (verb, group, resource)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
