"""One line of JSON for each request that ended: what the journal settles from. Never a credential, never a body."""

from maas.embedded.envoy.names import COMPLETION, METADATA, PROMPT, Json, typed
from maas.embedded.home import Home

_PATH_MAX = 512  # characters; a path is for people to read


def access_log(home: Home) -> list[Json]:
    """start is a string of seconds since the epoch with microseconds; prompt and completion are what the
    model reported, which may be anything; what is absent is null."""
    line = {
        "id": "%REQ(X-REQUEST-ID)%",
        "start": "%START_TIME(%s.%6f)%",
        "ms": "%DURATION%",
        "first_ms": "%RESPONSE_DURATION%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "sent": "%BYTES_SENT%",
        "received": "%BYTES_RECEIVED%",
        "method": "%REQ(:METHOD):16%",
        "path": f"%PATH(NQ):{_PATH_MAX}%",
        "cluster": "%UPSTREAM_CLUSTER_RAW%",
        "ctype": "%RESP(CONTENT-TYPE):128%",
        "prompt": f"%DYNAMIC_METADATA({METADATA}:{PROMPT})%",
        "completion": f"%DYNAMIC_METADATA({METADATA}:{COMPLETION})%",
    }
    return [
        typed(
            "envoy.access_loggers.file",
            "extensions.access_loggers.file.v3.FileAccessLog",
            path=str(home.access_log),
            log_format={"json_format": line},
        )
    ]
