"""Values in commands that people copy into a shell.

Names, labels and messages come from a cluster or a file that nobody vouches for: a StorageClass may be called
"gp3; touch /tmp/x #". Whatever a command quotes of them goes through here, so that it is one word and nothing runs.
"""

import json
import shlex

import yaml


def word(value: object) -> str:
    """One word of a shell, however it reads; what needs no quotes gets none."""
    return shlex.quote(str(value))


def scalar(value: str) -> str:
    """A string in YAML, on one line: a manifest in a here-document must not hold the line that ends it."""
    plain = value.replace("-", "").replace(".", "").isalnum() and value[:1].isalpha() and yaml.safe_load(value) == value
    return value if plain else json.dumps(value)
