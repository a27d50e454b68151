"""Bodies of several parts, as services receive them."""

from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP


def parts(content_type: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    """The parts of a body: the field, the file's name where it is one, and the content."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return [
        (str(part.get_param("name", header="content-disposition")), part.get_filename(), _content(part))
        for part in message.iter_parts()
    ]


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content
