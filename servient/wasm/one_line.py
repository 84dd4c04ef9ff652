"""Texts of a stranger's choice, fit for one line of a refusal."""


def one_line(text: str, limit_characters: int) -> str:
    """In short, with a question mark for what cannot be shown in a line."""
    return "".join(each if each.isprintable() else "?" for each in text[:limit_characters])
