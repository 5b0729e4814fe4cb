"""Can volumes be had, where from, and of which kind? (MAAS-141, 142, 145, 146)"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CSI_DRIVER, NODE, STORAGE_CLASS, VOLUME
from maas.cluster.objects import Object, annotation, at, flag, label, name, text
from maas.cluster.quantities import whole
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, check
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, unknown, warning
from maas.readiness.wording import count, gib

WANTED = 100 * 10**9  # bytes
DEFAULTS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
STATIC = "kubernetes.io/no-provisioner"
_ZONE = "topology.kubernetes.io/zone"

# In-tree provisioners, and the CSI driver that their volumes have been handed to since Kubernetes 1.27 at the latest.
MIGRATED = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/azure-file": "file.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
}


def is_default(storage_class: Object) -> bool:
    return any(annotation(storage_class, key) == "true" for key in DEFAULTS)


def defaults_of(facts: Facts) -> list[Object]:
    return [each for each in facts.all(STORAGE_CLASS) if is_default(each)]


@check(
    "MAAS-141",
    "exactly one StorageClass is the default",
    Category.storage,
    wanted="one StorageClass annotated as default",
    looks="The annotations storageclass.kubernetes.io/is-default-class and its beta form, of every StorageClass.",
    why="Claims that name no class get the default. With none they stay Pending; with several the newest is taken, "
    "which changes when somebody adds one.",
    mend="Annotate one class with storageclass.kubernetes.io/is-default-class=true, and the others with false.",
    covers=("Storage Requirements", "Default storage class configured", "Quick Validation Commands"),
)
def one_default(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    classes, defaults = facts.all(STORAGE_CLASS), defaults_of(facts)
    if len(defaults) == 1:
        yield passed(
            f"StorageClass {name(defaults[0])}",
            Seen(f"StorageClass {name(defaults[0])}", "provisioner", _provisioner(defaults[0])),
        )
    elif not classes:
        yield failed("the cluster has no StorageClass at all", remedy=_ADD_ONE)
    elif not defaults:
        said = f"none of {count(len(classes), 'StorageClass', 'StorageClasses')} is the default"
        yield failed(f"{said}: {names(map(name, classes))}", remedy=_choose(classes))
    else:
        yield warning(
            f"{len(defaults)} StorageClasses are the default: {names(map(name, defaults))}; the newest is taken",
            *some(
                Seen(f"StorageClass {name(each)}", f"metadata.annotations[{DEFAULTS[0]}]", "true") for each in defaults
            ),
            remedy=Remedy("Keep the newest only.", changes=tuple(map(_unmade, _by_age(defaults)[:-1]))),
        )


_ADD_ONE = Remedy(
    "Install a storage provider with a StorageClass. For a single machine, for example, local-path:",
    (
        "kubectl apply -f https://raw.githubusercontent.com/rancher/local-path-provisioner/v0.0.32/deploy/"
        "local-path-storage.yaml",
        "kubectl annotate storageclass local-path storageclass.kubernetes.io/is-default-class=true",
    ),
)


def _choose(classes: Sequence[Object]) -> Remedy:
    """Where only one makes volumes by itself there is nothing to choose."""
    making = [each for each in classes if _provisioner(each) != STATIC]
    if len(making) == 1:
        return Remedy("Make it the default.", changes=(_annotated(making[0], {DEFAULTS[0]: "true"}),))
    commands = (f"kubectl annotate storageclass {word(name(each))} {DEFAULTS[0]}=true" for each in making or classes)
    return Remedy("Make one of them the default.", tuple(islice(commands, 3)))


def _unmade(storage_class: Object) -> Change:
    """Of both annotations, either of which would do."""
    older = {DEFAULTS[1]: None} if annotation(storage_class, DEFAULTS[1]) else {}
    return _annotated(storage_class, {DEFAULTS[0]: "false", **older})


def _annotated(storage_class: Object, annotations: Mapping[str, str | None]) -> Change:
    return Change(Verb.patch, STORAGE_CLASS, name(storage_class), body={"metadata": {"annotations": dict(annotations)}})


def _by_age(classes: Sequence[Object]) -> list[Object]:
    return sorted(classes, key=lambda each: (text(each, "metadata", "creationTimestamp"), name(each)))


def _provisioner(storage_class: Object) -> str:
    return text(storage_class, "provisioner")


@check(
    "MAAS-142",
    "the default StorageClass makes volumes",
    Category.storage,
    wanted="a provisioner whose driver is installed",
    looks="The provisioner of the default StorageClass, and the CSIDriver of that name. Names of former in-tree "
    "provisioners are looked up as the CSI driver that took over.",
    why="A class whose driver is missing accepts claims and never fulfils them.",
    mend="Install the driver, or make another StorageClass the default.",
    covers=("Storage Requirements", "Default storage class configured"),
    after=("MAAS-141",),
)
def provisioned(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    defaults = defaults_of(facts)
    if not defaults:
        yield skipped("there is no default StorageClass")
        return
    for each in defaults:
        yield _provides(each, {name(driver) for driver in facts.all(CSI_DRIVER)}, facts)


def _provides(storage_class: Object, drivers: set[str], facts: Facts) -> Outcome:
    provisioner, about = _provisioner(storage_class), f"StorageClass {name(storage_class)}"
    seen = Seen(about, "provisioner", provisioner)
    driver = MIGRATED.get(provisioner, provisioner)
    if not provisioner:
        return unknown(f"{about} does not name its provisioner", seen)
    if provisioner == STATIC:
        return _static(seen, about, facts)
    if driver in drivers:
        return passed(f"{about}: the driver {driver} is installed", seen, about=about)
    if _is_external(provisioner):
        return passed(f"{about}: {provisioner} makes volumes without a CSI driver", seen, about=about)
    remedy = Remedy(f"Install the driver {driver}, or make another class the default.", ("kubectl get csidrivers",))
    if _is_csi(driver) or provisioner.startswith("kubernetes.io/"):
        return failed(f"{about} wants the driver {driver}, which is not installed", seen, remedy=remedy, about=about)
    return warning(f"{about}: there is no CSIDriver {driver}; make sure that it runs", seen, remedy=remedy, about=about)


# Provisioners that are ordinary pods, without a CSIDriver of their own.
_EXTERNAL = ("local-path", "hostpath", "nfs", "cluster.local/")


def _is_external(provisioner: str) -> bool:
    return any(part in provisioner for part in _EXTERNAL) and not _is_csi(provisioner)


def _is_csi(driver: str) -> bool:
    return ".csi." in driver or driver.startswith("csi.") or driver in MIGRATED.values()


def _static(seen: Seen, about: str, facts: Facts) -> Outcome:
    room = sum(_capacity(volume) for volume in _available(facts, about.removeprefix("StorageClass ")))
    if room >= WANTED:
        return passed(f"{about} makes no volumes, but {gib(room)} of made ones are unclaimed", seen, about=about)
    return failed(
        f"{about} makes no volumes by itself ({STATIC}), and only {gib(room)} of made ones are unclaimed",
        seen,
        remedy=Remedy("Make volumes beforehand, or a default StorageClass that makes them.", ("kubectl get pv",)),
        about=about,
    )


def _available(facts: Facts, storage_class: str) -> list[Object]:
    return [
        volume
        for volume in facts.known(VOLUME)
        if text(volume, "status", "phase") == "Available" and text(volume, "spec", "storageClassName") == storage_class
    ]


def _capacity(volume: Object) -> int:
    return whole(at(volume, "spec", "capacity", "storage")) or 0


@check(
    "MAAS-145",
    "volumes can grow",
    Category.storage,
    wanted="allowVolumeExpansion on the default StorageClass",
    severity=Severity.warning,
    looks="allowVolumeExpansion of the default StorageClass.",
    why="A volume that is too small for the next model must otherwise be made anew, and its weights fetched again.",
    mend="Allow it, if the driver can: patch the StorageClass with allowVolumeExpansion: true.",
    covers=("Storage Requirements",),
    after=("MAAS-141",),
)
def expansion(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    defaults = defaults_of(facts)
    sized = [each for each in defaults if not _is_external(_provisioner(each))]
    fixed = [each for each in sized if not flag(each, "allowVolumeExpansion")]
    if not sized:
        without = f"volumes of {names(map(name, defaults))} are folders, with no size of their own"
        yield skipped(without if defaults else "there is no default StorageClass")
    elif fixed:
        yield failed(
            f"volumes of {names(map(name, fixed))} cannot grow",
            *(Seen(f"StorageClass {name(each)}", "allowVolumeExpansion", "not true") for each in fixed),
            remedy=Remedy(
                "Allow it, if the driver can; or ask for enough from the start.",
                tuple(
                    f"kubectl patch storageclass {word(name(each))} -p '{{\"allowVolumeExpansion\":true}}'"
                    for each in fixed
                ),
            ),
        )
    else:
        yield passed(f"volumes of {names(map(name, sized))} can grow")


@check(
    "MAAS-146",
    "volumes are made where their pods run",
    Category.storage,
    wanted="volumeBindingMode WaitForFirstConsumer, where nodes are in several zones",
    severity=Severity.warning,
    looks="volumeBindingMode of the default StorageClass, and the zones of the nodes.",
    why="With Immediate a volume is made in any zone, perhaps one without a GPU node; its pod then stays Pending.",
    mend="Make a StorageClass with WaitForFirstConsumer the default; the mode of an existing one cannot be changed.",
    covers=("Storage Requirements",),
    after=("MAAS-141",),
)
def binding(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    defaults = defaults_of(facts)
    zones = sorted({zone for node in facts.all(NODE) if (zone := label(node, _ZONE))})
    immediate = [each for each in defaults if text(each, "volumeBindingMode") != "WaitForFirstConsumer"]
    if not defaults:
        yield skipped("there is no default StorageClass")
    elif immediate and len(zones) > 1:
        yield failed(
            f"{names(map(name, immediate))} makes volumes at once, in any of {len(zones)} zones: {names(zones)}",
            *(Seen(f"StorageClass {name(each)}", "volumeBindingMode", "Immediate") for each in immediate),
            remedy=Remedy(
                "Make a StorageClass with volumeBindingMode: WaitForFirstConsumer, and that the default.",
                tuple(f"kubectl get storageclass {word(name(each))} -o yaml" for each in immediate),
            ),
        )
    else:
        modes = sorted({text(each, "volumeBindingMode") or "Immediate" for each in defaults})
        yield passed(f"{names(modes)}" + (f", and all nodes are in {names(zones)}" if immediate and zones else ""))
