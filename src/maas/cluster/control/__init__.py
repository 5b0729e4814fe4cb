"""What the management API asks of a platform (api/control.py), answered by a cluster.

Nothing of ours runs there: keys are Secrets, tiers are policies, maas.yaml is in a ConfigMap. So the API runs in the
command itself, for as long as the command does.
"""
