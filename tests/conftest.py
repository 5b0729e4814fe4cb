"""Randomness is seeded: a run finds what the run before found, and never something new on a day when nothing changed.

`MAAS_HYPOTHESIS=explore python -m pytest …` looks elsewhere each time: for who has just written a property.
"""

import os

from hypothesis import settings

settings.register_profile("seeded", derandomize=True, database=None)
settings.register_profile("explore", print_blob=True)
settings.load_profile(os.environ.get("MAAS_HYPOTHESIS", "seeded"))
