"""LiteLLM's proxy in an environment of its own, outside the repository, as its documentation runs it in production:
one worker for each core, no debug output, a master key. Virtual keys would need PostgreSQL and prisma, which downloads
a program when it is first used; without them LiteLLM has less to do, so the comparison is in its favour.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from benchmarks.gateway import processes
from benchmarks.gateway.target import FAST, STREAMING, Target
from benchmarks.gateway.usage import family

VERSION = "1.106.0"
NAME = "LiteLLM"
CONNECTIONS = (4, 8, 16, 32)
_KEY = "sk-benchmark-0123456789"
_QUIET = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or it asks the network for prices
    "LITELLM_TELEMETRY": "False",
    "LITELLM_DONT_SHOW_FEEDBACK_BOX": "True",
}
_INSTALL_TIMEOUT, _START_TIMEOUT = 600.0, 120.0


class NotInstalled(Exception):
    """Why it could not be installed."""


def installed(cache: Path) -> Path:
    """Its command; installed first if needed. Raises NotInstalled."""
    venv = cache / f"litellm-{VERSION}"
    done = venv / "installed"
    if not done.exists():
        shutil.rmtree(venv, ignore_errors=True)
        _install(venv)
        done.touch()
    return venv / "bin" / "litellm"


@contextlib.contextmanager
def running(command: Path, folder: Path, fast: int, streaming: int, workers: int) -> Iterator[Target]:
    config = folder / "litellm.yaml"
    config.write_text(yaml.safe_dump(_config(fast, streaming)))
    (port,) = processes.free_ports(1)
    argv = [str(command), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    log = folder / "litellm.log"
    with processes.started([*argv, "--num_workers", str(workers)], log, _QUIET) as process:
        base = f"http://127.0.0.1:{port}"
        processes.wait_until_served(f"{base}/health/liveliness", process, log, _START_TIMEOUT)
        yield Target(NAME, base, _KEY, lambda: {"proxy": family(process.pid)}, CONNECTIONS)


def workers() -> int:
    return os.cpu_count() or 1


def _config(fast: int, streaming: int) -> dict[str, object]:
    models = [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"openai/{name}",
                "api_base": f"http://127.0.0.1:{port}/v1",
                "api_key": "none",
            },
        }
        for name, port in ((FAST, fast), (STREAMING, streaming))
    ]
    return {
        "model_list": models,
        "general_settings": {"master_key": _KEY},
        "litellm_settings": {"num_retries": 0, "set_verbose": False, "request_timeout": 600},
    }


def _install(venv: Path) -> None:
    wanted = f"litellm[proxy]=={VERSION}"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    python = str(venv / "bin" / "python")
    if uv:
        steps = [
            [uv, "venv", str(venv), "--python", sys.executable],
            [uv, "pip", "install", "--python", python, wanted],
        ]
    else:
        steps = [[sys.executable, "-m", "venv", str(venv)], [python, "-m", "pip", "install", wanted]]
    for step in steps:
        try:
            subprocess.run(step, check=True, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT)
        except subprocess.CalledProcessError as error:
            raise NotInstalled(f"{wanted}: {error.stderr.strip()[-300:]}") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotInstalled(f"{wanted}: {error}") from error
