"""The Gateway: one Envoy for all models.

On Kubernetes it has an address of its own and speaks HTTPS; plain http is answered with a redirect. On OpenShift it is
behind the cluster's router, which has the domain, the certificate and the address already: it takes plain http from
there, and its Service stays inside.
"""

from maas.cluster import kinds
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Apply, Step, Wait
from maas.cluster.resources import certificates, gateway_pods
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import GATEWAY, Target, Wanted

KEY = "gateway"
API = "gateway.networking.k8s.io/v1"
HTTP, HTTPS = "http", "https"  # listeners


def steps(wanted: Wanted) -> list[Step]:
    where = f"{wanted.namespace}/{GATEWAY}"
    return [
        Step(
            KEY,
            f"Gateway {where}",
            "takes the requests of all clients and leads them to the models",
            tuple(Apply(each) for each in (gateway_pods.config_map(wanted), gateway(wanted)) if each),
            (
                Wait(
                    kinds.GATEWAY, GATEWAY, wanted.namespace, conditions.programmed(), f"Gateway {where} is Programmed"
                ),
            ),
            needs=("namespaces", "gateway-api", "gateway-class", "istio", "mesh-member", certificates.KEY),
            undo=f"kubectl delete gateway -n {wanted.namespace} {GATEWAY}",
            affects="requests in flight may be cut off while the gateway's pods are replaced",
        )
    ]


def gateway(wanted: Wanted) -> Body:
    behind_router = wanted.site.target is Target.openshift
    annotations = {"networking.istio.io/service-type": "ClusterIP"} if behind_router else {}
    listeners = [_listener(wanted, HTTP, 80, "HTTP")]
    if not behind_router:
        certificate = {"group": "", "kind": "Secret", "name": certificates.SECRET}
        tls = {"mode": "Terminate", "certificateRefs": [certificate]}
        listeners.append(_listener(wanted, HTTPS, 443, "HTTPS") | {"tls": tls})
    return made(
        API,
        "Gateway",
        GATEWAY,
        wanted.namespace,
        annotations=annotations,
        spec={
            "gatewayClassName": wanted.site.gateway_class,
            "listeners": listeners,
            **gateway_pods.infrastructure(wanted),
        },
    )


def _listener(wanted: Wanted, name: str, port: int, protocol: str) -> Body:
    """Routes of other namespaces are not let in: nobody but the platform says what is served under its domain."""
    return {
        "name": name,
        "port": port,
        "protocol": protocol,
        "hostname": f"*.{wanted.site.domain}",
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
