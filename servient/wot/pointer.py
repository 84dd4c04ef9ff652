"""JSON pointers (RFC 6901)."""


def to_pointer(*steps: object) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
