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
_START = 600.0  # seconds for images to be pulled and pods to start
_ADDRESSED = 60.0  # seconds that clouds take to give an address


def steps(wanted: Wanted) -> list[Step]:
    """Its address is waited for apart, beside all that goes on without: some clusters never give it one."""
    where, place = wanted.namespace, f"{wanted.namespace}/{GATEWAY}"
    pods = f"{where}/{wanted.site.gateway_service}"
    accepted = Wait(kinds.GATEWAY, GATEWAY, where, conditions.accepted, f"Gateway {place} is Accepted")
    running = Wait(
        kinds.DEPLOYMENT,
        wanted.site.gateway_service,
        where,
        conditions.available,
        f"Deployment {pods}, the gateway's pods, is available",
        _START,
    )
    addressed = Wait(
        kinds.GATEWAY, GATEWAY, where, conditions.programmed(), f"Gateway {place} is Programmed", _ADDRESSED
    )
    return [
        Step(
            KEY,
            f"Gateway {place}",
            "takes the requests of all clients and leads them to the models",
            tuple(Apply(each) for each in (gateway_pods.config_map(wanted), gateway(wanted)) if each),
            (accepted, running),
            needs=("namespaces", "gateway-api", "gateway-class", "istio", "mesh-member", certificates.KEY),
            undo=f"kubectl delete gateway -n {where} {GATEWAY}",
            affects="requests in flight may be cut off while the gateway's pods are replaced",
        ),
        Step("address", "the gateway's address", "clients find it there", waits=(addressed,), needs=(KEY,)),
    ]


def gateway(wanted: Wanted) -> Body:
    behind_router = wanted.site.target is Target.openshift
    annotations = {"networking.istio.io/service-type": "ClusterIP"} if behind_router else {}
    listeners = [_listener(wanted, HTTP, 80, "HTTP")]
    if not behind_router:
        certificate = {"group": "", "kind": "Secret", "name": certificates.secret(wanted)}
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
