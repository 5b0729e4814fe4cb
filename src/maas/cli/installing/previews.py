"""What a plan would do, without doing it: each object's differences, and a dry run by the server itself."""

from maas.cli.installing.options import Options
from maas.cluster.plan.model import Plan


def differences(options: Options, plan: Plan) -> None:
    raise NotImplementedError


def rehearsed(options: Options, plan: Plan) -> None:
    raise NotImplementedError
