"""Keeps the platform's processes alive: a process of its own that does nothing else.

Why not systemd, runit or s6? The platform has to work in a container, in a CI job and for a user without root,
where none of them is to be had. Why not supervisord? Its unit of change is a configuration file with a reload over
XML-RPC, it doesn't tie its children's lives to its own, and it is one more thing to install for what takes a few
hundred lines. Why not a thread of the control plane? Because then nothing restarts the control plane.

The interface is two files and a signal, so that it can be understood, and mended, with `cat` and `kill`:

    run/desired.json      what should run; written by others, who then send SIGHUP
    run/status.json       what does run; written by the supervisor on every change
    run/supervisor.lock   held for as long as the supervisor lives

Only the standard library is imported here, and little of it: this process should never be the reason for a failure,
and it is in memory for as long as the platform is up.
"""
