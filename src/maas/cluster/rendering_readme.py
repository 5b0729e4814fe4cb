"""The README of a rendered folder: what is in it, and the commands, in the order in which they work."""

from collections.abc import Iterator, Sequence

from maas.cluster.objects import name
from maas.cluster.plan.model import Action, Apply, Approve, Chart, Manifest, Restart, Step
from maas.cluster.resources import envoy, external, names, own_certificate
from maas.cluster.shell import word
from maas.cluster.wanted import Target, Wanted

_HEAD = """\
# Models as a Service, for {target}

Rendered by `maas install --render`. Render again after each change of maas.yaml:
the same wishes give the same bytes.

Apply the steps in this order. Each needs what came before it to be *ready*, not
only to be there; what to wait for is said with it. `kubectl apply -k .` applies
all objects at once, which works only where the operators run already.

Models are at https://{shared}/MODEL/v1
"""
_HOSTS = "and at https://MODEL.{domain}/v1; both names have to lead to the gateway.\n"


_CHANNELS = """\
Where no cluster was looked at, the Subscriptions name the channels that are
usual today. Compare them with what yours offers:

```bash
oc get packagemanifests
```
"""


def folder(at: int, step: Step) -> str:
    return f"{at:02}-{step.key.replace(' ', '-')}"


def values(chart: Chart) -> str:
    return f"charts/{chart.release}.yaml"


def fields(action: Apply) -> str:
    """Some fields for an object that a chart makes: beside its values, for kustomize would take them for all of it."""
    return f"charts/{str(action.object['kind']).lower()}-{name(action.object)}.yaml"


def readme(wanted: Wanted, steps: Sequence[Step]) -> str:
    head = _HEAD.format(target=_TITLES[wanted.site.target], shared=names.shared_host(wanted))
    parts = [head + _HOSTS.format(domain=wanted.site.domain)]
    parts += [_CHANNELS] if wanted.site.target is Target.openshift else []
    parts += [_step(at, step) for at, step in enumerate(steps, start=1)]
    return "\n".join([*parts, *_secrets(wanted), _KEYS.format(namespace=wanted.namespace)])


_TITLES = {Target.kubernetes: "Kubernetes", Target.openshift: "OpenShift"}
_KEYS = """\
## Keys

None is in here. `maas keys create --user alice --tier free` makes one, against the
cluster that kubectl speaks to.
"""


def _step(at: int, step: Step) -> str:
    commands = list(dict.fromkeys(command for action in step.actions for command in _commands(action, at, step)))
    lines = [f"## {at}. {step.title}", "", f"{step.why[:1].upper()}{step.why[1:]}.", ""]
    if commands:
        lines += ["```bash", *commands, "```", ""]
    if step.waits:
        lines += ["Then wait until:", "", *(f"- {each.what}" for each in step.waits), ""]
    return "\n".join(lines)


def _commands(action: Action, at: int, step: Step) -> Iterator[str]:
    match action:
        case Apply(brought=True):
            yield f"kubectl apply --server-side --field-manager=maas -f {fields(action)}"
        case Apply():
            if action.object["kind"] != "Secret":
                yield f"kubectl apply --server-side --field-manager=maas -k {folder(at, step)}"
        case Chart():
            repo = f" --repo {action.repo}" if action.repo else ""
            yield (
                f"helm upgrade --install {action.release} {action.chart} --version {action.version}{repo} \\\n"
                f"  -n {action.namespace} --create-namespace -f {values(action)} --wait"
            )
        case Manifest():
            yield f"kubectl apply --server-side --field-manager=maas -f {word(action.url)}"
        case Restart():
            where = f"-n {action.namespace} " if action.namespace else ""
            yield f"kubectl rollout restart {where}{action.kind.key}/{action.name}   # {action.why}"
        case Approve():
            yield f"oc get installplan -n {action.namespace}   # approve that of {action.subscription}: {action.why}"


def _secrets(wanted: Wanted) -> Iterator[str]:
    """What is not for a folder that ends in git."""
    if lines := own_certificate.command(wanted):
        yield "\n".join(("## The gateway's certificate\n\nIts HTTPS waits for it:\n\n```bash", *lines, "```\n"))
    for model in names.models(wanted):
        asked = [(at, each) for at, each in envoy.numbered(model) if each.api_key_file]
        if asked:
            files = " ".join(f"--from-file=endpoint-{at}={word(each.api_key_file or '')}" for at, each in asked)
            where = f"{external.secret(model)} -n {wanted.namespace}"
            yield (
                f"## The key of {model.name}\n\nIts pods wait for it:\n\n```bash\n"
                f"kubectl create secret generic {where} \\\n  {files}\n```\n"
            )
