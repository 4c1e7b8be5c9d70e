"""Which language a page speaks."""

from collections.abc import Mapping

from starlette.requests import Request

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
"""By code, each under the name it has for those who speak it."""


def choose_language(request: Request) -> str:
    """Return the language asked for: by `?lang=`, or else the best that the browser speaks."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return str(asked)
    wishes = _parse_accept_language(request.headers.get("accept-language", ""))
    return max(LANGUAGES, key=lambda language: wishes.get(language, 0.0))


def _parse_accept_language(header: str) -> Mapping[str, float]:
    """Read `zh-CN,zh;q=0.9,en;q=0.8` into how much each language is wished for."""
    wishes: dict[str, float] = {}
    for part in header[:500].split(","):
        name, _, quality = part.strip().partition(";q=")
        language = name.split("-")[0].strip().lower()
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        wishes[language] = max(weight, wishes.get(language, 0.0))
    return wishes
