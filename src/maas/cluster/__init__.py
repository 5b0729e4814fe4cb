"""The target 'a cluster': Kubernetes or OpenShift."""
