"""OSCORE (RFC 8613): requests that only a principal can have made, answers that only it can read."""

import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aiocoap import Message, oscore
from aiocoap.error import Error
from aiocoap.message import Direction

from servient.bindings.coap.answers import error_answer
from servient.bindings.coap.endpoint import Exchange
from servient.bindings.coap.incoming import Incoming
from servient.bindings.coap.options import Malformed, parse_options, split
from servient.bindings.coap.refusals import BadOption
from servient.errors import InvalidInput, ServientError, Unauthorized
from servient.wot.access import Principal, acting_as
from servient.wot.content import parse_json

SETTINGS_FILE = "settings.json"
# Of AES-CCM-16-64-128, the default (RFC 8613 section 3.3).
_SIZES_BYTES = {
    "sender-id_hex": (0, 7),
    "recipient-id_hex": (0, 7),
    "secret_hex": (16, 64),
    "salt_hex": (0, 64),
}
_NUMBERS = (1 << 24) - 1


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose blocks belong together: those that came in one security context from one address."""

    context: bytes
    address: Any

    @property
    def blockwise_key(self) -> tuple[bytes, Any]:
        return self.context, self.address.blockwise_key


class Contexts:
    """The security contexts of principals, each in a folder of its own that this process locks.

    A folder has `settings.json`, with `sender-id_hex`, `recipient-id_hex`, `secret_hex` and
    `salt_hex`; how far its numbers have been used is kept beside it, across restarts.
    """

    def __init__(self, folders: Mapping[Path, Principal]) -> None:
        """Raises ValueError for a folder that cannot be used, or that others may read."""
        self._contexts: dict[tuple[bytes, bytes | None], tuple[Any, Principal]] = {}
        try:
            for folder, principal in folders.items():
                context = _load(folder)
                key = (context.recipient_id, context.id_context)
                if key in self._contexts:
                    raise ValueError(f"{folder}: another principal has this recipient id")
                self._contexts[key] = context, principal
        except BaseException:
            self.close()
            raise

    def find(self, outer: Message) -> tuple[Any, Principal]:
        """The context that a message claims to be protected in. Raises Unauthorized and BadOption."""
        try:
            claimed = oscore.verify_start(outer)
        except oscore.NotAProtectedMessage as error:
            raise Unauthorized("requests have to be protected with OSCORE") from error
        except (Error, ValueError, IndexError) as error:
            raise BadOption("the option OSCORE cannot be read") from error
        key = (claimed.get(oscore.COSE_KID), claimed.get(oscore.COSE_KID_CONTEXT))
        found = self._contexts.get(key)
        if found is None:
            raise Unauthorized("there is no such security context")
        return found

    def close(self) -> None:
        """Write down how far numbers are used, and unlock the folders."""
        for context, _ in self._contexts.values():
            # aiocoap has no other way to do this at a certain time; __del__ does it at some time.
            context._destroy()
        self._contexts.clear()


def _load(folder: Path) -> Any:
    try:
        _check(folder / SETTINGS_FILE)
        return oscore.FilesystemSecurityContext(str(folder))
    except TimeoutError as error:
        raise ValueError(f"{folder} is in use by another process") from error
    except OSError as error:
        raise ValueError(f"{folder} holds no OSCORE context: {error.strerror or error}") from error
    except oscore.FilesystemSecurityContext.LoadError as error:
        raise ValueError(f"{folder} holds no OSCORE context: {error}") from error


def _check(settings: Path) -> None:
    """Raises ValueError, where aiocoap would leave something half made."""
    if stat.S_IMODE(settings.stat().st_mode) & 0o077:
        raise ValueError(f"{settings} is a secret: nobody else may read it (chmod 600)")
    document = parse_json(settings.read_bytes())
    for name, (least, most) in _SIZES_BYTES.items():
        try:
            size = len(bytes.fromhex(document[name]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{settings}: {name} has to be hexadecimal") from error
        if not least <= size <= most:
            raise ValueError(f"{settings}: {name} has {least} to {most} bytes")


class _Echo(Exception):
    """The sender has to show that it is not a recording: `answer` asks for it (RFC 8613 B.1.2)."""

    def __init__(self, answer: Message) -> None:
        super().__init__()
        self.answer = answer


class Guard:
    """Has requests that are protected answered, under the same protection, and refuses all others."""

    def __init__(
        self, respond: Callable[[Exchange], Awaitable[None]], folders: Mapping[Path, Principal]
    ) -> None:
        self._respond = respond
        self._contexts = Contexts(folders)

    def close(self) -> None:
        self._contexts.close()

    async def respond(self, exchange: Exchange) -> None:
        """Never raises what `respond` does not."""
        try:
            opened = _Opened.open(exchange.request, self._contexts)
        except _Echo as echo:
            exchange.answer(echo.answer)
        except ServientError as error:  # RFC 8613 section 8.2: these answers are not protected
            exchange.answer(error_answer(error).message())
        else:
            with acting_as(opened.principal, exchange.request.remote.hostinfo):
                await self._respond(exchange.within(opened.request, opened.protect))


@dataclass(frozen=True, slots=True)
class _Opened:
    """A request as it was meant, and what its answers are protected with."""

    request: Incoming
    principal: Principal
    context: Any
    identifiers: Any

    @classmethod
    def open(cls, request: Incoming, contexts: Contexts) -> Self:
        """Raises Unauthorized, BadOption, InvalidInput and _Echo."""
        if request.options.fault is not None:
            raise request.options.fault
        outer = Message(code=request.code, payload=request.payload)
        outer.opt.oscore = request.options.oscore
        outer.opt.observe = request.options.observe
        outer.direction = Direction.INCOMING
        context, principal = contexts.find(outer)
        try:
            inner, identifiers = context.unprotect(outer)
            raw, _ = split(inner.opt.encode())
        except oscore.ReplayErrorWithEcho as error:
            raise _Echo(error.to_message()) from error
        except oscore.ReplayError as error:
            raise Unauthorized("this request has come before") from error
        except oscore.DecodeError as error:
            raise BadOption("the option OSCORE cannot be read") from error
        except (Error, ValueError, IndexError, Malformed) as error:
            raise InvalidInput("the request cannot be decrypted") from error
        opened = Incoming(code=inner.code, payload=inner.payload)
        opened.mtype, opened.mid, opened.token = request.mtype, request.mid, request.token
        opened.direction = Direction.INCOMING
        opened.options = parse_options(raw)
        opened.remote = Sender(context.recipient_key, request.remote)
        return cls(opened, principal, context, identifiers)

    def protect(self, answer: Message) -> Message:
        is_notification = answer.opt.observe is not None
        if is_notification:
            answer.opt.observe = 0  # the order is that of the sequence numbers (section 4.1.3.5.2)
        protected, _ = self.context.protect(answer, self.identifiers)
        if is_notification:
            protected.opt.observe = self.context.sender_sequence_number & _NUMBERS
        return protected
