"""One thing shown to people: a line for each of its properties. Those that are not set are left out."""

from collections.abc import Mapping


def show_details(properties: Mapping[str, object]) -> None:
    known = {name: value for name, value in properties.items() if value not in (None, "", [])}
    width = max(map(len, known), default=0)
    for name, value in known.items():
        first, *rest = value if isinstance(value, list) else [value]
        print(f"{name:<{width}}  {first}")
        for more in rest:
            print(f"{'':<{width}}  {more}")
