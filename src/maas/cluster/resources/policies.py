"""The step that puts Kuadrant's policies on the gateway: who may call, and how much."""

from maas.cluster import kinds
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, name, text
from maas.cluster.plan.conditions import enforced, observed
from maas.cluster.plan.model import Apply, Step, Wait
from maas.cluster.resources import auth_policy, host_case, rate_limits
from maas.cluster.wanted import Wanted

KEY = "policies"
_KINDS = {kind.name: kind for kind in (kinds.AUTH_POLICY, kinds.RATE_LIMIT_POLICY, kinds.TOKEN_RATE_LIMIT_POLICY)}


def objects(wanted: Wanted) -> list[Object]:
    """Raises InvalidInput for tiers that a cluster cannot keep."""
    return [auth_policy.policy(wanted), *rate_limits.policies(wanted)]


def steps(wanted: Wanted) -> list[Step]:
    """Routes come first: a policy without a route in its path is never enforced. Raises InvalidInput.

    Models come after it (models.py): until keys are asked for, routes lead to nothing.
    """
    made, in_lower_case = objects(wanted), host_case.envoy_filter(wanted)
    waits = tuple(_enforced(_KINDS[text(each, "kind")], name(each), wanted.namespace) for each in made)
    return [
        Step(
            KEY,
            "who may call, and how much",
            "asks for keys, refuses unknown tiers, and limits requests and tokens per user",
            tuple(map(Apply, (in_lower_case, *made))),
            waits if wanted.platform.models else (),
            needs=("kuadrant", "gateway", "routes"),
            undo="; ".join(
                f"kubectl delete {kinds.of(each).key}/{name(each)} -n {wanted.namespace}"
                for each in (*made, in_lower_case)
            ),
            affects="what tiers may use changes at once; counters of limits that changed begin anew",
        )
    ]


def _enforced(kind: Kind, called: str, namespace: str) -> Wait:
    return Wait(kind, called, namespace, observed(enforced), f"{kind.name} {namespace}/{called} is Enforced")
