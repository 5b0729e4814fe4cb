"""The plan of a removal: pure, from what was found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from maas.cluster import kinds
from maas.cluster.kinds import CRD, CSV, NAMESPACE, OPERATOR_GROUP, SUBSCRIPTION, VALIDATING_POLICY, Kind
from maas.cluster.objects import annotation
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Action, Delete, Mark, Plan, Release, Step, Uninstall, Wait
from maas.cluster.uninstalling import parts
from maas.cluster.uninstalling.finding import part_keys
from maas.cluster.uninstalling.inside import strangers
from maas.cluster.uninstalling.model import REMOVE, Found, Ours, Removal, Stay
from maas.cluster.wanted import NAMESPACE as HOME

_PATIENCE = 300.0
_OURS = "we made it"
_MARKED = "so that it is found again if this is cut short"
_MARK = {"metadata": {"labels": {REMOVE: "true"}}}
KEPT = "--keep-crds"
NAMESPACES = "remove namespaces"  # the key of the last step
_BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
_STAGES: Sequence[tuple[str, str, str, tuple[Kind, ...]]] = (
    ("entrance", "the way in", "no request reaches a model from here on", (kinds.ROUTE, kinds.HTTP_ROUTE)),
    (
        "policies",
        "policies",
        "who may call, and how much",
        (kinds.AUTH_POLICY, kinds.RATE_LIMIT_POLICY, kinds.TOKEN_RATE_LIMIT_POLICY, kinds.TLS_POLICY),
    ),
    (
        "models",
        "models",
        "while KServe is there to let go of them",
        (kinds.INFERENCE_SERVICE, kinds.LLM_INFERENCE_SERVICE),
    ),
    ("gateway", "the gateway", "and its certificates", (kinds.GATEWAY, kinds.CERTIFICATE, kinds.ISSUER)),
)
_COMPONENTS = frozenset(
    {CRD.key, VALIDATING_POLICY.key, _BINDINGS, SUBSCRIPTION.key, OPERATOR_GROUP.key, NAMESPACE.key}
    | {kind.key for kind in parts.OPERANDS}
)


def removal_of(ours: Ours, *, keep_crds: bool = False, keep_operators: bool = False, home: str = HOME) -> Removal:
    """home: the namespace of the models, where everything that we did not make is somebody's."""
    kept = dict(_used_by_others(ours)) if not keep_operators else {}
    removing = _Removing(ours, frozenset(kept), keep_crds, keep_operators, home)
    stays = [*kept.values(), *removing.stays()]
    plan = Plan(_in_turn([step for step in removing.steps() if step.actions]))
    return Removal(plan, stays, keep_crds, keep_operators, home)


def _used_by_others(ours: Ours) -> Iterator[tuple[str, Stay]]:
    """Components that somebody else has come to need, and what these need; by key."""
    keys = part_keys(ours.releases, ours.operators, ours.made)
    users: dict[str, list[Found]] = {}
    for each in ours.customs:
        key = parts.of_group(each.kind.group, keys)
        if key and not _is_of_the_stack(each, ours):
            users.setdefault(key, []).append(each)
    whys = {key: f"{_listed(found)} {'needs' if len(found) == 1 else 'need'} it" for key, found in users.items()}
    for kind, why in ours.denied.items():
        if key := parts.of_group(kind.partition(".")[2], keys):
            whys.setdefault(key, f"whether somebody uses its {kind} is not to be told: {why}")
    for part in parts.PARTS:
        if part.key in whys:
            for needed in part.needs:
                whys.setdefault(needed, f"{part.title} stays, and needs it")
    for part in parts.PARTS:
        if part.key in keys and part.key in whys:
            yield part.key, Stay(part.title, whys[part.key])


def _listed(found: Sequence[Found]) -> str:
    shown = ", ".join(each.described for each in found[:3])
    return shown + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _is_of_the_stack(found: Found, ours: Ours) -> bool:
    """Ours, or of a release of ours, or made by a component by itself."""
    if found.is_owned or found.is_made or found.is_marked or found.has_our_fields or parts.is_by_component(found):
        return True
    return found.release in {(each.namespace, each.name) for each in ours.releases}


@dataclass(frozen=True)
class _Removing:
    ours: Ours
    kept: frozenset[str]  # keys of parts that others need
    keep_crds: bool
    keep_operators: bool
    home: str

    def steps(self) -> Iterator[Step]:
        platform = [each for each in self.ours.made if each.kind.key not in _COMPONENTS]
        secrets = [each for each in self._secrets() if not each.is_marked]
        yield _step("marks", "marks on what certificates leave", _MARKED, map(_mark, secrets), ())
        for key, title, why, of in _STAGES:
            found = [each for each in platform if each.kind.key in {kind.key for kind in of}]
            yield _step(key, title, why, _deletions(found), found)
        others = {kind.key for _, _, _, of in _STAGES for kind in of}
        rest = [each for each in platform if each.kind.key not in others]
        yield _step(
            "rest", "everything else of the platform", "keys, settings, network policies", _deletions(rest), rest
        )
        if not self.keep_operators:
            yield from self._components()
        yield self._leftovers()
        yield self._namespaces()

    def _secrets(self) -> list[Found]:
        """Of certificates that go."""
        charts = {
            (each.namespace, each.name)
            for each in self.ours.releases
            if not self.keep_operators and parts.of_release(each.name) not in self.kept
        }
        return [
            secret for certificate, secret in self.ours.secrets if certificate.is_made or certificate.release in charts
        ]

    def _components(self) -> Iterator[Step]:
        operands = [each for each in self._operands() if self._goes(each.kind.group)]
        derived = [each for each in self.ours.customs if self._goes(each.kind.group) and not self._is_charts(each)]
        waited = {each.uid: each for each in (*operands, *derived)}.values()
        yield _step(
            "operands", "what the operators run", "while they are there to take it down", _deletions(operands), waited
        )
        for part in parts.PARTS:
            if part.key not in self.kept:
                yield self._part(part)
        yield self._definitions()

    def _operands(self) -> list[Found]:
        """Ours, and what operators made by themselves: nobody is left to let go of it afterwards."""
        made = [each for each in self.ours.made if each.kind.key in {kind.key for kind in parts.OPERANDS}]
        own = [each for each in self.ours.customs if parts.is_by_component(each) and not each.is_owned]
        own = [each for each in own if each.kind.key != kinds.GATEWAY_CLASS.key]
        adopted = [each for each in self.ours.adopted if each.kind.key in {kind.key for kind in parts.OPERANDS}]
        return list({each.uid: each for each in (*made, *own, *adopted)}.values())

    def _goes(self, group: str) -> bool:
        keys = part_keys(self.ours.releases, self.ours.operators, self.ours.made)
        key = parts.of_group(group, keys)
        if key is None:  # an object of ours, of a component that others brought
            return True
        return key not in self.kept

    def _is_charts(self, found: Found) -> bool:
        """It goes with its release, or with the gateway that is somebody's."""
        return any(found.release) or found.kind.key == kinds.GATEWAY_CLASS.key or not _is_of_the_stack(found, self.ours)

    def _part(self, part: parts.Part) -> Step:
        actions: list[Action] = []
        waited: list[Found] = []
        for named in part.releases:
            for each in self.ours.releases:
                if each.name == named:
                    actions.append(Uninstall(each.name, each.namespace, _OURS, self.keep_crds))
        for operator in self.ours.operators:
            if parts.of_package(operator.package) == part.key:
                gone = [each for each in (operator.subscription, operator.csv) if each]
                actions += [_mark(operator.csv)] if operator.csv else []
                actions += _deletions(gone)
                waited += gone
        marks = [_mark(each) for each in self._brought_by(part)] if actions else []
        return _step(
            part.key, part.title, "it was installed by us, and nobody else needs it", [*marks, *actions], waited
        )

    def _brought_by(self, part: parts.Part) -> list[Found]:
        keys = part_keys(self.ours.releases, self.ours.operators, self.ours.made)
        definitions = [] if self.keep_crds else self.ours.definitions
        found = [each for each in definitions if parts.of_group(_group(each), keys) == part.key]
        left = [each for each in self.ours.left if _leaver(each) == part.key]
        return [each for each in (*found, *left) if not each.is_marked and _outlives(each)]

    def _definitions(self) -> Step:
        """With the kinds go their objects, of which none is left that is anybody's."""
        made = [each for each in self.ours.made if each.kind.key in (CRD.key, VALIDATING_POLICY.key, _BINDINGS)]
        found = [each for each in (*made, *self.ours.definitions) if self._goes(_group(each))]
        gone = [] if self.keep_crds else sorted(found, key=lambda each: each.kind.key == CRD.key)
        return _step("definitions", "the components' kinds", "nothing of them is left", _deletions(gone), gone)

    def _leftovers(self) -> Step:
        found = self._secrets()
        if not self.keep_operators:
            found += [each for each in self.ours.made if each.kind.key == OPERATOR_GROUP.key and self._is_done(each)]
        for each in self.ours.left:
            stays = _leaver(each) in self.kept or self.keep_operators
            if each.kind.key != NAMESPACE.key and (each.is_marked or not stays):
                found.append(each)
        found = list({each.uid: each for each in found}.values())
        return _step("leftovers", "what components leave behind", "nothing uses it any more", _deletions(found), found)

    def _is_done(self, group: Found) -> bool:
        """Whether no operator stays in this OperatorGroup's namespace."""
        stay = [each for each in self.ours.operators if parts.of_package(each.package) in self.kept]
        return group.namespace not in {each.subscription.namespace for each in stay}

    def _namespaces(self) -> Step:
        gone = [each for each in self._our_namespaces() if not self._held(each)]
        released: list[Action] = [
            Release(_bare(each), "it was there before us: only our labels are taken off")
            for each in self.ours.adopted
            if each.kind.key not in {kind.key for kind in parts.OPERANDS} and not self._stays_for(each)
        ]
        return _step("namespaces", "namespaces", "they hold nothing any more", [*_deletions(gone), *released], gone)

    def _our_namespaces(self) -> list[Found]:
        made = [each for each in self.ours.made if each.kind.key == NAMESPACE.key]
        return made + [each for each in self.ours.left if each.kind.key == NAMESPACE.key and not self.keep_operators]

    def _stays_for(self, adopted: Found) -> bool:
        """Whether an adopted namespace is that of a component that stays."""
        used = {each.namespace for each in self.ours.releases} | {e.subscription.namespace for e in self.ours.operators}
        return bool((self.kept or self.keep_operators) and adopted.name in used)

    def _held(self, namespace: Found) -> list[Found]:
        """What keeps it: what is somebody's, and components that stay."""
        inside = self.ours.inside.get(namespace.name, ())
        staying = self._staying_inside(namespace.name)
        of_component = namespace.name != self.home
        going = {each.csv.uid for each in self.ours.operators if each.csv}
        return staying or strangers(inside, self.ours, going, of_component=of_component)

    def _staying_inside(self, named: str) -> list[Found]:
        releases = {
            (each.namespace, each.name)
            for each in self.ours.releases
            if self.keep_operators or parts.of_release(each.name) in self.kept
        }
        found = [each for each in self.ours.inside.get(named, ()) if each.release in releases and any(each.release)]
        for operator in self.ours.operators:
            stays = self.keep_operators or parts.of_package(operator.package) in self.kept
            found += [operator.subscription] if stays and operator.subscription.namespace == named else []
        operands = [each for each in self.ours.made if each.kind.key in {kind.key for kind in parts.OPERANDS}]
        return found + [
            each
            for each in operands
            if each.namespace == named and (self.keep_operators or not self._goes(each.kind.group))
        ]

    def stays(self) -> Iterator[Stay]:
        for each in self._our_namespaces():
            if held := self._held(each):
                command = "" if self._staying_inside(each.name) else f"kubectl delete namespace {each.name}"
                yield Stay(each.described, f"it holds {_listed(held)}", command)
        if self.keep_operators:
            for part in parts.PARTS:
                if part.key in part_keys(self.ours.releases, self.ours.operators, self.ours.made):
                    yield Stay(part.title, "--keep-operators")
        elif self.keep_crds and (self.ours.definitions or any(each.kind.key == CRD.key for each in self.ours.made)):
            yield Stay("the components' CustomResourceDefinitions", KEPT)


def _outlives(found: Found) -> bool:
    """Whether it is there when what has brought it is gone. Helm takes its own along, but for those it is to keep."""
    return not any(found.release) or annotation(found.object, "helm.sh/resource-policy") == "keep"


def _leaver(found: Found) -> str:
    """The key of the part that leaves this behind."""
    if found.kind.key == CSV.key:
        return ""
    if found.kind.key == NAMESPACE.key:
        return "cert-manager" if found.name == "cert-manager" else "rhoai"
    return "istio"


def _group(crd: Found) -> str:
    return crd.name.partition(".")[2]


def _step(key: str, title: str, why: str, actions: Iterable[Action], waited: Iterable[Found]) -> Step:
    waits = tuple(
        Wait(each.kind, each.name, each.namespace, conditions.gone, f"{each.described} is gone", _PATIENCE)
        for each in waited
    )
    found = tuple(actions)
    return Step(f"remove {key}", title, why, found, waits if found else (), undo="`maas install` makes it again")


def _in_turn(steps: Sequence[Step]) -> list[Step]:
    """One after the other: what is removed early needs what is removed late."""
    return [
        replace(step, needs=(before.key,) if before else ())
        for before, step in zip((None, *steps), steps, strict=False)
    ]


def _deletions(found: Iterable[Found]) -> list[Action]:
    return [Delete(each.kind, each.name, each.namespace, _OURS) for each in found]


def _mark(found: Found) -> Mark:
    return Mark(found.kind, found.name, found.namespace, _MARK, _MARKED)


def _bare(found: Found) -> Mapping[str, object]:
    version = f"{found.kind.group}/{found.kind.versions[0]}".lstrip("/")
    metadata = {"name": found.name} | ({"namespace": found.namespace} if found.namespace else {})
    return {"apiVersion": version, "kind": found.kind.name, "metadata": metadata}
