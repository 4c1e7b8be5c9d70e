"""Hooks that no engine sends, some with the right secret."""

import json
from random import Random
from typing import Any, Final

ACTIONS: Final = (
    "on_publish",
    "on_unpublish",
    "on_play",
    "on_stop",
    "on_dvr",
    "on_hls",
    "on_close",
)
FIELDS: Final = (
    *("action", "client_id", "ip", "vhost", "app", "stream", "param", "tcUrl"),
    *("cwd", "file", "started_at", "duration"),
)
TEXTS: Final = (
    *("", "live", "../", "\0", "a\0b", "\ud800", "\udfff\ud800", "\U0010ffff", "\u202e", "'\"--;"),
    *("x" * 300, "x" * 4096, "x" * 5000, "?txSecret=&txTime=", "?txTime=" + "f" * 4000, "%00", "?"),
    *(
        "?txSecret=%ff&txTime=-1",
        "?txSecret=\u00e9&txTime=\u0663",
        "on_publish",
        "0" * 16,
        "-scene",
    ),
)
PATHS: Final = (
    *("/etc/passwd", "../../homeroom.db", "../secrets", "/", "..", "./", "a.mp4/../../x.mp4"),
    *("/proc/self/mem", "/dev/zero", "\0.mp4", "x" * 255 + ".mp4", "x/" * 2000 + "a.mp4"),
    *("gone.mp4", "kept.flv", "//kept.flv", "CON.mp4", "~/a.mp4", "file:///etc/passwd"),
)
NUMBERS: Final = (
    *("0", "-1", "1e400", "-1e-400", "1e308", "9" * 400, "9" * 5000, "1.5", "NaN", "Infinity"),
    *("253402300799", "253402300800", "-0", "01", "1e5", "18446744073709551616", "0.1e1"),
)
OTHER: Final = ("null", "true", "[]", "{}", '[{"a":[]}]', '{"code":0}', "[" * 3000, '"', "")


def body(random: Random, honest: dict[str, Any]) -> bytes:
    """Return the body of a hook that is wrong in one way or another, or even right."""
    shape = random.random()
    if shape < 0.05:
        return random.randbytes(random.choice((0, 1, 50, 70_000)))
    about = honest | {"action": random.choice(ACTIONS)}
    if about["action"] == "on_dvr":
        about |= {"cwd": random.choice(("", "/", honest["cwd"])), "file": random.choice(PATHS)}
    pairs = {name: json.dumps(value) for name, value in about.items()}
    for _ in range(random.choice((0, 1, 1, 2, 5))):
        name = random.choice(FIELDS)
        if random.random() < 0.2:
            pairs.pop(name, None)
        else:
            pairs[name] = _value(random)
    if pairs.get("action") is None and random.random() < 0.5:
        pairs["action"] = '"on_dvr"'
    written = "{" + ",".join(f'"{name}":{value}' for name, value in pairs.items()) + "}"
    data = bytearray(written.encode(errors="surrogatepass"))
    if shape < 0.3:
        for _ in range(random.choice((1, 3))):
            data[random.randrange(len(data))] = random.randrange(256)
    if shape < 0.1:
        del data[random.randrange(len(data)) :]
    return bytes(data)


def _value(random: Random) -> str:
    text = random.choice(TEXTS + PATHS)
    return random.choice(
        (
            json.dumps(text),
            json.dumps(text, ensure_ascii=False),
            random.choice(NUMBERS),
            random.choice(OTHER),
        )
    )
