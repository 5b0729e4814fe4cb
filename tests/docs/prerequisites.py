"""The outline of the list of prerequisites that MaaS was asked to check: what `covers` of a check may name.

All of its headings and checklist lines, and those of its points and commands that checks name one by one.
"""

from typing import NamedTuple


class Line(NamedTuple):
    """note: where something other than a check answers it, or its parts do."""

    depth: int
    text: str
    note: str = ""


_BELOW = "see below"

OUTLINE = (
    Line(0, "Prerequisites for MaaS Deployment", "no requirement: the title"),
    Line(0, "Overview", "no requirement: what the list is about"),
    Line(0, "Platform Requirements"),
    Line(1, "OpenShift (Recommended)"),
    Line(1, "Kubernetes (Alternative)"),
    Line(0, "Required Operators/Components", _BELOW),
    Line(1, "1. OpenShift Service Mesh (OpenShift Only)"),
    Line(1, "2. OpenShift Serverless (OpenShift Only)"),
    Line(1, "3. Red Hat OpenShift AI (RHOAI)"),
    Line(1, "4. NVIDIA GPU Operator (For GPU Workloads)"),
    Line(1, "5. Gateway API"),
    Line(1, "6. Cert-Manager"),
    Line(1, "7. Kuadrant"),
    Line(0, "Node Requirements"),
    Line(1, "CPU Nodes"),
    Line(1, "GPU Nodes (Optional but Recommended)"),
    Line(0, "Storage Requirements"),
    Line(0, "Network Requirements"),
    Line(1, "Ingress"),
    Line(1, "Service Mesh"),
    Line(1, "Wildcard DNS for application routes"),
    Line(1, "Ports"),
    Line(0, "Known Issues and Resolutions", f"{_BELOW}; further ones are [MAAS-4nn](checks.md#known-issues)"),
    Line(1, "Issue 1: GPU Operator on Managed OpenShift (ROSA/ARO)"),
    Line(1, "Issue 2: Triton Compilation on Tesla T4 GPUs"),
    Line(1, "Issue 3: KServe Headless Service Issues"),
    Line(1, "Issue 4: Istio Sidecar Injection Conflicts"),
    Line(1, "Issue 5: HuggingFace StorageUri Not Supported"),
    Line(0, "Pre-Installation Checklist", "[the first screen of `maas preflight`](how-to/preflight.md)"),
    Line(1, "OpenShift cluster 4.14+ or Kubernetes 1.28+"),
    Line(1, "Cluster admin access"),
    Line(1, "Service Mesh operator installed (OpenShift)"),
    Line(1, "Serverless operator installed (OpenShift)"),
    Line(1, "RHOAI operator installed"),
    Line(1, "GPU operator installed (if using GPUs)"),
    Line(1, "Default storage class configured"),
    Line(1, "DNS wildcard domain available"),
    Line(1, "Sufficient node resources (CPU/Memory)"),
    Line(1, "GPU nodes available (optional)"),
    Line(0, "Quick Validation Commands", "[the first screen of `maas preflight`](how-to/preflight.md)"),
    Line(1, "Check operators (OpenShift)"),
    Line(1, "Check Service Mesh"),
    Line(1, "Check RHOAI"),
    Line(1, "Validate Gateway API"),
    Line(0, "Installation Order"),
    Line(0, "Troubleshooting", "[`maas doctor`](how-to/doctor.md)"),
    Line(1, "GPU Not Detected", "[`maas doctor gpu`](how-to/doctor.md)"),
    Line(1, "Model Deployment Failures", "[`maas doctor model`](how-to/doctor.md)"),
    Line(1, "Authentication/Rate Limiting Issues", "[`maas doctor auth`](how-to/doctor.md)"),
    Line(0, "Performance Tuning", _BELOW),
    Line(1, "GPU Models"),
    Line(1, "CPU Models"),
    Line(0, "Security Considerations"),
    Line(1, "All models require API key authentication"),
    Line(1, "Rate limiting prevents abuse"),
    Line(1, "TLS termination at edge (OpenShift Routes)"),
    Line(1, "Network policies restrict inter-namespace communication"),
    Line(1, "Pod security contexts enforce non-root users"),
    Line(0, "Additional Resources", "no requirement: links to other projects"),
)
