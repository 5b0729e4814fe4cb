"""Taking away what an installation made, and nothing else.

    ours = await find(api, helm)                         # what there is of ours, known by its marks alone
    removal = removal_of(ours, keep_crds=…, keep_operators=…)   # a plan to be shown, and what stays and why
    stays = await carry_out(removal, …)                  # may be cut short at any point, and simply begun again

No list of what was installed is kept anywhere: it could be lost, or wrong. What we made carries the label
`managed-by: maas`; a Helm release of ours carries it on its record, a Subscription like any object. What such a thing
has brought is known by the marks of Helm and OLM, which go with it: therefore it is marked with a label of ours first
(REMOVE), so that whoever begins anew still finds it. What we only adopted is known by its managed fields.

Traffic ends first, policies go after the way in (never is a model open to everybody), operators go after the objects
that they have to let go of, namespaces at the very end and only if they hold nothing of anybody else's. A component
that somebody else has come to use stays, with what it needs itself, and is named.
"""

from maas.cluster.uninstalling.carrying import carry_out
from maas.cluster.uninstalling.finding import find
from maas.cluster.uninstalling.model import Ours, Removal, Stay
from maas.cluster.uninstalling.removal import removal_of

__all__ = ["Ours", "Removal", "Stay", "carry_out", "find", "removal_of"]
