"""What validations leave in the ledger stays, and does not bury what people look for."""

import json
from typing import Any

from maas.cli.temporary import together
from tests.cli_nouns.conftest import Run


def line(name: str, requests: int, cost: str) -> dict[str, Any]:
    tokens = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return {"name": name, "requests": requests, "failed": 0, "estimated": 1, "cost": cost, **tokens}


def test_usage_of_validations_is_one_line_and_nothing_of_it_is_lost() -> None:
    lines = [line("bob", 9, "1"), line("maas-validate-1-good", 5, "0.25"), line("eve", 2, "0")]
    lines += [line(f"maas-validate-{run}-limit", 1, "0.001") for run in range(100)]
    shown = together(lines)
    assert [each["name"] for each in shown] == ["bob", "maas-validate", "eve"]
    assert (shown[1]["requests"], shown[1]["total_tokens"], shown[1]["cost"]) == (105, 303, "0.350")
    assert together(lines[:1]) == lines[:1]


def test_spent_keys_of_validations_are_counted_not_listed(maas: Run) -> None:
    kept = json.loads(maas("keys", "create", "--user", "bob", "-o", "json").out)["id"]
    spent = json.loads(maas("keys", "create", "--user", "maas-validate-1-good", "-o", "json").out)["id"]
    assert spent in maas("keys", "list", "--all").out
    maas("keys", "revoke", spent)
    said = maas("keys", "list", "--all")
    assert kept in said.out
    assert spent not in said.out
    assert "and 1 of `maas validate`, which no longer work" in said.err
    assert spent in maas("keys", "list", "--all", "-o", "json").out
    assert spent in maas("keys", "list", "--all", "--user", "maas-validate-1-good").out
