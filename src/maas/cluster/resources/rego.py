"""What a key may do, in Rego: Authorino evaluates it for every request.

It never says no by itself, since a refusal of Authorino's could not say why. It works out `why`, and the body that the
client is to read; a second rule of the AuthPolicy lets pass whoever's `why` is "allowed", and nobody else. So what is
missing or absurd is refused: then `why` is not defined.

Authorino chooses a version of the language by a flag. This is the same in both: no `if`, no `in`, no body in braces.

The model is known by the host or the path of the request, as routes.py has it; its server serves no other. A path
whose tokens Kuadrant cannot count (it reads usage.total_tokens of an answer, and of a stream's last event but one) is
refused: Anthropic's messages and OpenAI's responses write their usage in other places.
"""

import json
from typing import Any

from maas.cluster.resources import names
from maas.cluster.wanted import Wanted
from maas.domain.admission import Why

TIER, USER = "kuadrant.io/groups", "secret.kuadrant.io/user-id"
EXPIRES, MODELS = "maas.io/expires", "maas.io/models"
ALLOWED = "allowed"
COUNTED = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")
_DISCOVERY = "/v1/models"  # and with the name of a model
_MESSAGES = {
    Why.EXPIRED_KEY: "This API key has expired. Ask your administrator for a new one.",
    Why.TIER: "The tier of this API key does not exist here, or not any more, or the key says of nobody whose it is.",
    Why.NO_ROUTE: f"There is nothing that could be counted at this path. Use {', '.join(COUNTED)}.",
    Why.MODEL_DENIED: "This model is not open to the tier of this API key, or to the key itself.",
}
# No line that compares holds a word in quotes: readers (cluster/stack/rules.py) would take it for a tier.
_RULES = """\
tiers := {tiers}
open_to := {open_to}
hosts := {hosts}
paths := {paths}
shared := {shared}
counted := {counted}
posting := "POST"
reading := ["GET", "HEAD"]
listing := array.concat(["{discovery}"], [concat("/", ["{discovery}", called]) | paths[called]])
messages := {messages}
annotations := object.get(input.auth.identity.metadata, "annotations", {{}})
tier := object.get(annotations, "{tier}", "")
expires := object.get(annotations, "{expires}", "")
listed := object.get(annotations, "{models}", "")
http := input.context.request.http
host := split(lower(http.host), ":")[0]
parts := split(split(http.path, "?")[0], "/")
is_shared := count([1 | host == shared])
rest := concat("/", array.concat([""], array.slice(parts, 1 + is_shared, count(parts))))
named := array.concat([m | m := hosts[host]], [m | is_shared == 1; m := paths[parts[1]]])
model := concat(",", named)
live := array.concat([1 | expires == ""], [1 | time.parse_rfc3339_ns(expires) > time.now_ns()])
user := object.get(annotations, "{user}", "")
known := [1 | tiers[_] == tier; user != ""]
posted := [1 | http.method == posting; counted[_] == rest]
led := array.concat(posted, [1 | reading[_] == http.method; listing[_] == rest])
by_tier := array.concat([1 | object.get(open_to, tier, null) == null], [1 | open_to[tier][_] == model])
by_key := array.concat([1 | listed == ""], [1 | split(listed, ",")[_] == model])
denied := array.concat(["{denied}" | count(by_tier) < 1], ["{denied}" | count(by_key) < 1])
unled := array.concat(["{no_route}" | count(led) < 1], denied)
unknown := array.concat(["{no_tier}" | count(known) < 1], unled)
reasons := array.concat(["{expired}" | count(live) < 1], unknown)
why := array.concat(reasons, ["{allowed}"])[0]
error := {{"message": object.get(messages, why, ""), "type": "permission_error", "param": null, "code": why}}
body := json.marshal({{"error": error}})
allow := true
"""


def rules(wanted: Wanted) -> str:
    platform, models = wanted.platform, names.models(wanted)
    return _RULES.format(
        tiers="{" + ", ".join(map(_written, sorted(platform.tiers))) + "}" if platform.tiers else "set()",
        open_to=_written({name: sorted(t.models) for name, t in platform.tiers.items() if t.models is not None}),
        hosts=_written({names.host(wanted, called): model.name for model in models for called in names.called(model)}),
        paths=_written({called: model.name for model in models for called in names.called(model)}),
        messages=_written({str(why): said for why, said in _MESSAGES.items()}),
        counted=_written(COUNTED),
        tier=TIER,
        user=USER,
        expires=EXPIRES,
        models=MODELS,
        shared=_written(names.shared_host(wanted)),
        discovery=_DISCOVERY,
        expired=Why.EXPIRED_KEY,
        no_tier=Why.TIER,
        no_route=Why.NO_ROUTE,
        denied=Why.MODEL_DENIED,
        allowed=ALLOWED,
    )


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True).replace("package", r"\u0070ackage")
