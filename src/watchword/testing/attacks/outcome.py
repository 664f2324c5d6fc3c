"""The outcomes of an attack besides "it was refused": a hole, a weakness, or that it could not be tried."""

from __future__ import annotations

from watchword.core.message import Request
from watchword.testing.attacks.answer import Answer

__all__ = ["Apart", "Hole", "NotTried", "Weakness", "shown_answer", "shown_request"]

SHOWN_BODY = 300
"""So many characters of an answer are shown."""
PLAIN = {b"accept", b"content-type", b"host", b"origin", b"user-agent", b"content-length", b"x-http-method-override"}
"""Fields whose values are never credentials."""


class NotTried(Exception):
    """The attack can't be tried here; the text says why, and what to write so that it can."""


class Apart(NotTried):
    """The attack doesn't concern this kind of route, which only its answers told."""


class Hole(Exception):
    """Somebody was let in who should not be.

    Args:
        tried: the variant of the attack.
        sent: the request, without its secrets.
        came: the answer, without secrets.
        why: why that is a hole.
        write: what to write instead.
    """

    def __init__(self, tried: str, sent: str, came: str, why: str, write: str) -> None:
        super().__init__(tried)
        self.tried = tried
        self.sent = sent
        self.came = came
        self.why = why
        self.write = write


class Weakness(Hole):
    """A rule is missing that only matters together with somebody else's fault: told, and no failure unless `--watchword-strict` is given."""


def shown_request(request: Request, body: bytes, *, attack: tuple[bytes, ...]) -> str:
    """A request as it was sent. The values of fields are left out that may be secrets; those in `attack` are the attack itself."""
    head = [f"{request.method} {request.target.decode('latin-1').partition('?')[0]}"]
    query = request.query
    if query:
        names = "&".join(f"{part.partition(b'=')[0].decode('latin-1')}=…" for part in query.split(b"&"))
        head[0] += f"?{names}"
    lines = [f"host: {request.authority}"] if not request.values(b"host") else []
    for name, value in request.headers:
        text = value.decode("latin-1")
        if name not in PLAIN and name not in attack:
            word, space, rest = text.partition(" ")
            short = name == b"authorization" and bool(space) and len(word) <= 20
            text = f"{word} … ({len(rest)} characters)" if short else f"… ({len(text)} characters)"
        lines.append(f"{name.decode('latin-1')}: {text if len(text) <= 200 else text[:200] + '…'}")
    if body:
        lines.append(f"({len(body)} octets of content)")
    return "\n".join([*head, *lines])


def shown_answer(answer: Answer, secrets: list[str]) -> str:
    """An answer as it came, with `***` in the place of secrets."""
    text = answer.body.decode("utf-8", "replace")
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    text = " ".join(text.split())
    what = "the WebSocket was opened" if answer.status == 101 else str(answer.status)
    error = f" ({answer.error})" if answer.error else ""
    return f"{what}{error} {text[:SHOWN_BODY]}".strip()
