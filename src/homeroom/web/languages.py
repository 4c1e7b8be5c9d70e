"""The language of a page: from the query, or from the browser's preferences."""

from collections.abc import Mapping

from starlette.requests import Request

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
"""By code, each under the name it has for those who speak it."""


def choose_language(request: Request) -> str:
    """Return the language of `?lang=`, or the one that the browser prefers."""
    language = request.query_params.get("lang")
    if language in LANGUAGES:
        return str(language)
    wishes = _parse_accept_language(request.headers.get("accept-language", ""))
    return max(LANGUAGES, key=lambda code: wishes.get(code, 0.0))


def _parse_accept_language(header: str) -> Mapping[str, float]:
    """Read `zh-CN,zh;q=0.9,en;q=0.8` into a weight for each language."""
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
