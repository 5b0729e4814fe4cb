"""The role of an installer, as objects to apply and as a table to read."""

import sys

import yaml

from maas.cluster import access, rbac


def rendered(target: str) -> str:
    return "---\n".join(yaml.safe_dump(dict(each), sort_keys=False) for each in rbac.objects(target))


def table(target: str) -> str:
    from maas.cli import judged

    look = judged.look_for(sys.stdout)
    lines = [f"To install on {target}, one has to be allowed:", ""]
    for rule in access.RULES:
        if rule.only in ("", target):
            kinds = ", ".join(f"{name}{'.' + rule.group if rule.group else ''}" for name in rule.resources)
            lines += look.fold(f"{'/'.join(rule.verbs)} {kinds}", "  ", "      ")
            lines += look.fold(rule.why, "      ", "      ")
    more = f"and to read what it compares with. As objects: `maas rbac --render --target {target}`"
    return look.finished("\n".join([*lines, "", *look.fold(more)])) + "\n"
