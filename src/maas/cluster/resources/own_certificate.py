"""A certificate of the user's own for the gateway: the files that maas.yaml names, as a Secret that the listener uses.

It has a name of its own, beside the one that cert-manager keeps: so one takes the other's place without either being
overwritten. Files are read where the platform is administered; where they are not, the Secret that is there stays, and
whoever renders for GitOps makes it. On OpenShift the router ends TLS, and what it shows is the cluster's to say.
"""

import base64

from maas.cluster.kinds import Kind
from maas.cluster.resources.making import Body, made
from maas.cluster.shell import word
from maas.cluster.wanted import GATEWAY, Target, Wanted
from maas.domain.errors import InvalidInput

SECRET = f"{GATEWAY}-certificate"
KIND = Kind("Secret", "secrets")


def files(wanted: Wanted) -> tuple[str, ...]:
    """Of the certificate and of its key; () where cert-manager's is used. Raises InvalidInput."""
    gateway = wanted.platform.gateway
    if not (gateway.certificate and gateway.private_key):
        return ()
    if wanted.site.target is Target.openshift:
        raise InvalidInput(_ON_OPENSHIFT)
    return gateway.certificate, gateway.private_key


_ON_OPENSHIFT = (
    "gateway.certificate: on OpenShift the router ends TLS, with the cluster's certificate. Leave gateway.certificate"
    " and gateway.private_key out, and give yours to the router:"
    " `oc create secret tls maas-router -n openshift-ingress --cert FILE --key FILE`, then"
    " `oc patch ingresscontroller default -n openshift-ingress-operator --type merge"
    """ -p '{"spec":{"defaultCertificate":{"name":"maas-router"}}}'`"""
)


def secret(wanted: Wanted) -> Body | None:
    """None where the files were not read: then it is there, or the user's to make."""
    found = files(wanted)
    if not found or not all(file in wanted.credentials for file in found):
        return None
    encoded = [base64.b64encode(f"{wanted.credentials[file].strip()}\n".encode()).decode() for file in found]
    data = dict(zip(("tls.crt", "tls.key"), encoded, strict=True))
    return made("v1", "Secret", SECRET, wanted.namespace, type="kubernetes.io/tls", data=data)


def command(wanted: Wanted) -> tuple[str, ...]:
    """That makes the Secret, line by line, where nobody else does; () where none is needed."""
    found = files(wanted)
    if not found:
        return ()
    return (
        f"kubectl create secret tls {SECRET} -n {wanted.namespace} \\",
        f"  --cert={word(found[0])} --key={word(found[1])}",
    )
