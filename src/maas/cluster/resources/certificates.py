"""HTTPS of the gateway, signed by a CA of the platform's own that cert-manager keeps.

A Certificate and no TLSPolicy: it needs nothing but cert-manager, so the gateway speaks HTTPS before Kuadrant is there
and while it is not. On OpenShift the router ends TLS with the cluster's own certificate, and none is needed here.

A certificate of the user's own, which maas.yaml names, takes the place of all that: resources/own_certificate.py.

What is there by one of these names and is not ours is left alone: whoever wants another authority makes the Issuer
maas-ca beforehand, and whoever has a certificate the Secret and the Certificate maas-gateway-tls.
"""

from maas.cluster import kinds
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Apply, Step, Wait
from maas.cluster.resources import own_certificate
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import GATEWAY, Target, Wanted

KEY = "certificates"
SECRET = f"{GATEWAY}-tls"
CA = "maas-ca"
_SELF_SIGNED = "maas-self-signed"
_API = "cert-manager.io/v1"
_TEN_YEARS, _QUARTER, _MONTH = "87600h0m0s", "2160h0m0s", "720h0m0s"  # as cert-manager writes them


def steps(wanted: Wanted) -> list[Step]:
    own = own_certificate.files(wanted)
    if wanted.site.target is Target.openshift:
        return []
    if own:
        return [_own(wanted)]
    where = wanted.namespace
    return [
        Step(
            KEY,
            f"certificate for *.{wanted.site.domain}",
            "lets clients reach the gateway by HTTPS, so that keys travel encrypted",
            tuple(Apply(each) for each in certificates(wanted)),
            tuple(
                Wait(kinds.CERTIFICATE, name, where, conditions.ready, f"Certificate {where}/{name} is Ready")
                for name in (CA, SECRET)
            ),
            needs=("namespaces", "cert-manager"),
            undo=f"kubectl delete certificates,issuers -n {where} -l app.kubernetes.io/managed-by=maas",
        )
    ]


def secret(wanted: Wanted) -> str:
    """That the listener names."""
    return own_certificate.SECRET if own_certificate.files(wanted) else SECRET


def _own(wanted: Wanted) -> Step:
    """It waits for the Secret, for it may be the user's to make."""
    found, where, named = own_certificate.secret(wanted), wanted.namespace, own_certificate.SECRET
    there = Wait(own_certificate.KIND, named, where, conditions.exists, f"Secret {where}/{named} is there")
    return Step(
        KEY,
        f"certificate of your own for *.{wanted.site.domain}",
        "lets clients reach the gateway by HTTPS, so that keys travel encrypted",
        (Apply(found),) if found else (),
        (there,),
        needs=("namespaces",),
        undo=f"kubectl delete secret -n {where} {named}",
        affects="new connections are shown the new certificate",
    )


def certificates(wanted: Wanted) -> list[Body]:
    where, domain = wanted.namespace, wanted.site.domain
    return [
        made(_API, "Issuer", _SELF_SIGNED, where, spec={"selfSigned": {}}),
        made(
            _API,
            "Certificate",
            CA,
            where,
            spec={
                **_signed(CA, _SELF_SIGNED, "MaaS CA", _TEN_YEARS),
                "isCA": True,
                "usages": ["cert sign", "crl sign", "digital signature"],
            },
        ),
        made(_API, "Issuer", CA, where, spec={"ca": {"secretName": CA}}),
        made(
            _API,
            "Certificate",
            SECRET,
            where,
            spec={
                **_signed(SECRET, CA, "", _QUARTER),
                "renewBefore": _MONTH,
                "dnsNames": [f"*.{domain}"],
                "usages": ["digital signature", "key encipherment", "server auth"],
            },
        ),
    ]


def _signed(secret: str, issuer: str, name: str, duration: str) -> Body:
    spec: Body = {
        "secretName": secret,
        "duration": duration,
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "issuerRef": {"group": "cert-manager.io", "kind": "Issuer", "name": issuer},
    }
    return {"commonName": name, **spec} if name else spec
