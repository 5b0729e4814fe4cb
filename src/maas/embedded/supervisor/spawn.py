"""A child process whose life ends with the supervisor's."""

import ctypes
import os
import signal
import subprocess

from maas.embedded.supervisor.spec import Spec

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)  # loaded here, because between fork and exec is no place to load anything


def spawn(spec: Spec, output: int) -> subprocess.Popen[bytes]:
    """Raises OSError or SubprocessError when it can't be started."""
    supervisor = os.getpid()
    return subprocess.Popen(  # what runs comes from a file that only its owner can write
        spec.argv,
        env={**os.environ, **spec.env},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # a Ctrl-C in the terminal is for the supervisor alone, which stops all in order
        preexec_fn=lambda: _die_with(supervisor),  # safe: this process has one thread
    )


def _die_with(supervisor: int) -> None:
    """In the child before exec: SIGTERM when the supervisor dies, however it dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it died before the line above
        os._exit(1)
