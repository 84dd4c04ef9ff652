"""Why a document could not be converted."""


class ConversionError(ValueError):
    """A document, or what two documents say together, cannot be used.

    `pointer` is the JSON pointer (RFC 6901) of the faulty value, "" for the whole document, and
    `message` one sentence about it that is safe to show to whoever sent the document.
    """

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer}: {message}")
        self.pointer = pointer
        self.message = message
