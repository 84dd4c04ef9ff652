"""Values as they come in, taken as schemas say."""

from servient.errors import InvalidInput, UnsupportedContent
from servient.wot.codecs import decode
from servient.wot.content import Content, Value
from servient.wot.description import Affordance
from servient.wot.schema import DataSchema


def accept(schema: DataSchema | None, value: Value) -> Value:
    """Raises InvalidInput, and UnsupportedContent for a file where none is taken."""
    if isinstance(value, Content):
        value = decode(value)
    if schema is not None:
        return schema.accept(value)
    if isinstance(value, Content):
        raise UnsupportedContent(f"this action takes no {value.media_type[:100]}")
    return value


def accept_member(affordance: Affordance, value: Value) -> Value:
    """Raises InvalidInput, which says which of the properties it is about."""
    try:
        return accept(affordance.input, value)
    except InvalidInput as error:
        faults = [{**f, "pointer": f"/{affordance.name}{f['pointer']}"} for f in error.faults]
        raise InvalidInput(f"/{affordance.name}: {error.detail}", faults) from error
