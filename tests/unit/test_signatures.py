"""Signatures of the v2 wire against how the published clients sign (READINGS Q11, Q77)."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from homeroom.base.keys import md5_hex
from homeroom.partner.signatures import MAX_WORK, SignedBody
from homeroom.partner.wires.json_body import JSONBodyError, read_json_body
from tests.support.signers import SIGNERS, Body, Signer

SID: Final = "1000082"
STAMP: Final = "1673949471"
SECRET: Final = "Mb71234"
BODIES: Final = 10_000
NAMES: Final = ("a", "a1", "a-b", "ab", "B", "courseId", "name", "sidx", "timeStamp2", "zé", "名字")
LETTERS: Final = 'ab1 &=%+"\\/<>é课🎓\t\n'


def draw_text(chance: random.Random) -> str:
    """Draw a text; some are about as long as a signed value may be."""
    if chance.random() < 0.8:
        return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(12)))
    letter = chance.choice(["a", "é", "课"])
    length = chance.randrange(1023, 1026)
    return letter * (length if chance.random() < 0.5 else length // len(letter.encode()))


def draw_value(chance: random.Random) -> Any:  # noqa: ANN401  any JSON value
    """Draw the value of a member."""
    drawn: list[Callable[[], Any]] = [
        lambda: chance.random() < 0.5,
        lambda: None,
        lambda: chance.choice([0.0, -0.5, 12.0, 1.5, 1e-7, 1e25, chance.random(), 10**15 + 0.5]),
        lambda: [chance.randrange(9), {"b": [True, None]}],
        lambda: {"a": chance.randrange(9), "c": "x" * 2000},
        lambda: chance.choice([0, 1, -1, 7, chance.randrange(10**9), 10**18, -(10**30)]),
        lambda: draw_text(chance),
    ]
    return chance.choices(drawn, [1, 1, 1, 1, 1, 4, 5])[0]()


def draw_bodies(count: int, seed: int) -> Iterator[Body]:
    """Draw bodies, always the same."""
    chance = random.Random(seed)
    for _ in range(count):
        names = chance.sample(NAMES, chance.randrange(6))
        yield {name: draw_value(chance) for name in names}


def accepts(content: bytes, signature: str) -> bool:
    """Tell whether the server accepts a signature."""
    body = SignedBody(read_json_body(content).scalars, SID, STAMP)
    return body.matches(signature, ("another secret", SECRET))


def test_the_published_example() -> None:
    text = f"courseId=132323&sid={SID}&timeStamp={STAMP}&key={SECRET}"
    signature = md5_hex(text)
    assert signature == "d0d99023aa44549f97dfe9523059f0c3"
    assert accepts(b'{"courseId":132323}', signature)
    assert accepts(b'{"courseId":"132323","list":[1],"object":{}}', signature)
    assert not accepts(b'{"courseId":132324}', signature)
    assert not accepts(b'{"courseId":132323}', signature.upper())


@pytest.mark.parametrize("sign", SIGNERS.values(), ids=SIGNERS)
def test_every_client_signs_what_the_server_accepts(sign: Signer) -> None:
    for body in draw_bodies(BODIES, seed=1):
        signature = sign(body, SID, STAMP, SECRET)
        content = json.dumps(body, ensure_ascii=False).encode()
        assert accepts(content, signature), body


@pytest.mark.parametrize("sign", SIGNERS.values(), ids=SIGNERS)
def test_one_changed_letter_of_what_is_signed_is_refused(sign: Signer) -> None:
    chance = random.Random(2)
    for body in draw_bodies(BODIES // 10, seed=3):
        body["signed"] = f"value {chance.random()}"
        content = json.dumps(body, ensure_ascii=False).encode()
        signature = sign(body, SID, STAMP, SECRET)
        start = content.index(b'"signed"')
        place = start + chance.choice([1, 4, 6, len('"signed": "v'), len('"signed": "value 0.1')])
        changed = bytearray(content)
        changed[place] = ord("x") if changed[place] != ord("x") else ord("y")
        assert accepts(content, signature)
        assert not accepts(bytes(changed), signature), bytes(changed)


def sign_text(text: str) -> str:
    """Sign a text that a client has made in some way."""
    return md5_hex(f"{text}&key={SECRET}")


ENDING: Final = f"sid={SID}&timeStamp={STAMP}"


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('{"a":true}', ["a=true", "a=True", "a=1"]),
        ('{"a":false}', ["a=false", "a=False", "a=0", "a="]),
        ('{"a":null}', ["a=null", "a=None", "a="]),
        ('{"a":12.0}', ["a=12.0", "a=12"]),
        ('{"a":12.50}', ["a=12.50", "a=12.5"]),
        ('{"a":1e2}', ["a=1e2", "a=100"]),
        ('{"a":true,"b":null}', ["a=1&b=null", "a=true&b=", "a=True", "a=1"]),
        ('{"a":"\\u8bfe\\u0041"}', ["a=课A"]),
        ('{"a":1,"a":2}', ["a=2"]),
        ('{"a":""}', ["a="]),
    ],
)
def test_mixtures_of_the_ways_to_sign(content: str, texts: list[str]) -> None:
    for text in texts:
        assert accepts(content.encode(), sign_text(f"{text}&{ENDING}")), text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('{"a":"true"}', "a=True"),
        ('{"a":1}', "a=true"),
        ('{"a":"null"}', "a="),
        ('{"a":12}', "a=12.0"),
        ('{"a":1}', ""),
        ('{"a":1,"a":2}', "a=1"),
        ('{"sid":"1","timeStamp":"2"}', "sid=1&timeStamp=2"),
    ],
)
def test_texts_that_no_client_signs(content: str, text: str) -> None:
    assert not accepts(content.encode(), sign_text(f"{text}&{ENDING}" if text else ENDING))
    assert not accepts(content.encode(), sign_text(text))


def test_members_called_like_the_headers_do_not_count() -> None:
    assert accepts(b'{"sid":"1","timeStamp":[2],"a":3}', sign_text(f"a=3&{ENDING}"))


def test_the_work_for_a_wrong_signature_has_a_limit() -> None:
    members: dict[str, Any] = {f"a{number}": 1.5 for number in range(900)}
    members |= {"a": True, "b": None, "c": "x" * 2000}
    scalars = read_json_body(json.dumps(members).encode()).scalars
    texts = list(SignedBody(scalars, SID, STAMP).list_texts())
    assert sum(map(len, texts[5:])) <= MAX_WORK
    members = {"a": True, "a1": None, "b": 1.5, "c": "x" * 1024}
    scalars = read_json_body(json.dumps(members).encode()).scalars
    assert len(list(SignedBody(scalars, SID, STAMP).list_texts())) < 1000


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"1", b'"x"', b"{", b"{}x", b"{'a':1}", b'{"a":NaN}', b'{"a":01}'),
        *(
            b"\xef\xbb\xbf{}",
            b'{"a":"\xff"}',
            b'{"a":"\\ud800"}',
            b'{"a":1e400}',
            "{}".encode("utf-16"),
        ),
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        json.dumps(dict.fromkeys(map(str, range(1001)))).encode(),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_bodies_that_are_no_object(body: bytes) -> None:
    with pytest.raises(JSONBodyError):
        read_json_body(body)


def test_values_of_parameters() -> None:
    values = read_json_body(b'{"a":12.0,"b":[1e2,{"c":0.0}],"d":12.5,"e":true,"f":null}').values
    assert values == {"a": 12, "b": [100, {"c": 0}], "d": 12.5, "e": True, "f": None}
    assert type(values["a"]) is int
