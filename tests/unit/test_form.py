"""Any bytes are either a form of texts and files, or refused with a reason."""

from hypothesis import given
from hypothesis import strategies as st

from homeroom.base.text import escape_non_ascii
from homeroom.contract.upload import Upload
from homeroom.partner.wires.form import FormError, parse_form
from tests.support.raw import BOUNDARY, MULTIPART, multipart


def form_or_empty(content_type: bytes, body: bytes) -> dict[str, str | Upload]:
    """Return the fields of a form; no fields for a body that is refused."""
    try:
        return parse_form(content_type, body)
    except FormError:
        return {}


@given(body=st.binary(), content_type=st.binary())
def test_any_bytes_are_a_form_or_refused(body: bytes, content_type: bytes) -> None:
    for kind in (b"", MULTIPART.encode(), content_type, b"multipart/form-data;" + content_type):
        for value in form_or_empty(kind, body).values():
            assert isinstance(value, Upload) or "\0" not in value


PIECES = st.sampled_from(
    (
        f"--{BOUNDARY}".encode(),
        b"--",
        b"\r\n",
        b"\r",
        b"Content-Disposition: form-data",
        b'; name="SID"',
        b"; name*=utf-8''%ff",
        b'; filename="\xff.png"',
        b": ",
        b"\0",
        b"x",
    )
)


@given(pieces=st.lists(PIECES, max_size=30))
def test_any_pieces_of_a_multipart_form_are_one_or_refused(pieces: list[bytes]) -> None:
    form_or_empty(MULTIPART.encode(), b"".join(pieces))
    form_or_empty(MULTIPART.encode(), f"--{BOUNDARY}\r\n".encode() + b"".join(pieces))


@given(value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_multipart_carries_any_text(value: str) -> None:
    assert parse_form(MULTIPART.encode(), multipart({"name": value})) == {"name": value.strip()}


def test_multipart_carries_files() -> None:
    form = parse_form(MULTIPART.encode(), multipart({"a": "1"}, file=b"\x00\xff"))
    assert form == {"a": "1", "Filedata": Upload("图.png", b"\x00\xff")}


@given(text=st.text())
def test_any_text_becomes_one_that_a_header_can_carry(text: str) -> None:
    header = escape_non_ascii(text)
    assert header.isascii()
    assert header.isprintable()
