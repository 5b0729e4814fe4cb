"""Does it really work? Requests through the gateway's own address, as a client would send them.

Statuses can be all green while nothing is enforced: a limiter that fails open, a gateway that does not know of a
policy. So `maas validate` makes keys that live for minutes, and looks at what comes back.
"""
