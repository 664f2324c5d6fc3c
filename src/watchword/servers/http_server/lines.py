"""The head of a request as it came over the connection, read strictly (RFC 9112 §3, §5).

http.server gives it to a parser of mail, which begins a new line at every bare CR, joins folded lines and drops others in
silence. A proxy in front reads the same octets otherwise, so the guard goes by the octets.
"""

from __future__ import annotations

import re
from typing import Any, Final

from watchword.core.message import Headers
from watchword.core.rejection import Reason, Rejected

__all__ = ["Recorder", "fields_of", "target_of"]

TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110 §5.6.2
REQUEST_LINE: Final = re.compile(rb"%b ([^\x00-\x20\x7f]+) HTTP/[0-9]\.[0-9]\r?\n" % TOKEN)
FIELD_LINE: Final = re.compile(rb"(%b):([^\x00\r\n]*)\r?\n" % TOKEN)
ENDS: Final = (b"\r\n", b"\n")  # RFC 9112 §2.2: a single LF may end a line, a single CR never does


class Recorder:
    """A handler's `rfile` while http.server reads a header section; keeps the lines."""

    __slots__ = ("_file", "lines")

    def __init__(self, file: Any) -> None:
        self._file = file
        self.lines: list[bytes] = []

    def readline(self, limit: int = -1) -> bytes:
        """The next line, as the file gives it."""
        line: bytes = self._file.readline(limit)
        self.lines.append(line)
        return line


def target_of(line: bytes) -> bytes:
    """The request target (RFC 9112 §3).

    Raises:
        Rejected: MALFORMED_REQUEST, `line` is no request line.
    """
    match = REQUEST_LINE.fullmatch(line)
    if match is None:
        raise Rejected(Reason.MALFORMED_REQUEST, "the first line is no request line", where="request-line")
    return match[1]


def fields_of(lines: list[bytes]) -> Headers:
    """The field lines of a header section, the empty line at its end included.

    Raises:
        Rejected: MALFORMED_REQUEST, one of them is no field line: it is folded, has white space before its colon, a bare CR or
            a NUL in it, or is cut off.
    """
    if not lines or lines[-1] not in ENDS:
        raise Rejected(Reason.MALFORMED_REQUEST, "the header section has no end", where="headers")
    fields = []
    for line in lines[:-1]:
        match = FIELD_LINE.fullmatch(line)
        if match is None:
            raise Rejected(Reason.MALFORMED_REQUEST, "a line of the header section is no field line", where="headers")
        fields.append((match[1].lower(), match[2].strip(b" \t")))
    return fields
