"""What keeps a workload's pods from running explains the workload, and what is made of it, and nothing else."""

from maas.readiness.findings import Finding

OF_PODS = frozenset({"MAAS-360", "MAAS-361", "MAAS-362", "MAAS-363", "MAAS-364", "MAAS-424"})
_WORKLOADS = ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet")


def keeps_down(cause: Finding, other: Finding) -> bool:
    """Whether these pods, which do not run, are those of the workload that the other is about."""
    if cause.code not in OF_PODS or other.code in OF_PODS:
        return False
    workload = _workload(cause.about)
    return bool(workload) and workload in _needed(other)


def is_of_another(cause: Finding, other: Finding) -> bool:
    """Whether the other is about workloads, and these pods are not theirs."""
    return cause.code in OF_PODS and other.code not in OF_PODS and bool(_needed(other)) and not keeps_down(cause, other)


def _needed(finding: Finding) -> set[str]:
    """The workloads that a finding names, as "namespace/name"."""
    said = (finding.about, *(seen.object for seen in finding.seen))
    return {workload for each in said if (workload := _workload(each))}


def _workload(about: str) -> str:
    """Of "ReplicaSet istio-system/istiod-5d8f9" too; "" for what is no workload."""
    kind, _, where = about.partition(" ")
    if kind in ("Authorino", "Limitador"):  # Authorino's Deployment has its name, Limitador's that and its kind's
        place, _, name = where.partition("/")
        return f"{place}/{name if kind == 'Authorino' else f'limitador-{name}'}"
    if kind not in _WORKLOADS:
        return ""
    return where.rpartition("-")[0] if kind == "ReplicaSet" else where
