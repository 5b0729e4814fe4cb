"""Whether a key may do what it asks for, in Rego.

Written with neither `if` nor bodies in braces, so that it is the same in both versions of the language.
"""

import json

from maas.cluster.wanted import Wanted

TIER, USER = "kuadrant.io/groups", "secret.kuadrant.io/user-id"
EXPIRES, MODELS = "maas.io/expires", "maas.io/models"
_RULES = """\
tiers := {tiers}
annotations := object.get(input.auth.identity.metadata, "annotations", {{}})
tier := object.get(annotations, "{tier}", "")
expires := object.get(annotations, "{expires}", "")
is_over := [1 | expires != ""; not time.parse_rfc3339_ns(expires) > time.now_ns()]
allow := count([1 | tier in tiers; count(is_over) == 0]) == 1
"""


def rules(wanted: Wanted) -> str:
    tiers = "{" + ", ".join(json.dumps(name) for name in sorted(wanted.platform.tiers)) + "}"
    return _RULES.format(tiers=tiers, tier=TIER, expires=EXPIRES)
