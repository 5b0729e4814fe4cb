"""The role of an installer, as objects to apply and as a table to read."""

import sys

import yaml

from maas.cluster import rbac


def rendered(target: str) -> str:
    return "---\n".join(yaml.safe_dump(dict(each), sort_keys=False) for each in rbac.objects(target))


def table(target: str) -> str:
    from maas.cli import judged

    look = judged.look_for(sys.stdout)
    lines = [f"To install on {_TITLES[target]}, one has to be allowed:", ""]
    together: dict[tuple[str, str], list[str]] = {}
    for rule in rbac.rules(target):
        kinds = [f"{name}{'.' + rule.group if rule.group else ''}" for name in rule.resources]
        together.setdefault(("/".join(rule.verbs), rule.why), []).extend(kinds)
    for (verbs, why), kinds in together.items():
        lines += look.fold(f"{verbs}: {why}", "  ", "    ")
        lines += look.fold(", ".join(dict.fromkeys(kinds)), "      ", "      ")
    lines += ["", *look.fold(f"As objects, for an administrator to apply: `maas rbac --render --target {target}`")]
    if rbac.escalates(target):
        lines += look.fold(_ESCALATES)
    return look.finished("\n".join(lines)) + "\n"


_TITLES = {"kubernetes": "Kubernetes", "openshift": "OpenShift"}
_ESCALATES = (
    "Operators get their rights from charts here, which takes `escalate` and `bind`: whoever has this role can give"
    " himself any other. It protects from mistakes, not from who means harm."
)
