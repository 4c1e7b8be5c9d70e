"""Calls of the methods of a published client, by name: facts in, steps out.

Run by the Python of that client's own environment. One JSON object on stdin: where the server is,
and the steps `{method, args, more, save, read}`. A value "$name" is an id that an earlier step has
saved, "@path" an open file. On stdout: of each step its errno, its answer and the read-back after
it, and all ids.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

Step = dict[str, Any]
HTTP_ERROR = 0
"""The errno of a step whose answer was not that of an action."""


class Runner:
    """The client of a package, its steps, and the ids that they made."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.ids: dict[str, Any] = dict(facts["ids"])
        make = {"eeo": self.make_eeo, "classin": self.make_classin}
        self.refusals: tuple[type[Exception], ...] = ()
        self.api = make[facts["package"]]()

    def make_eeo(self) -> Any:  # noqa: ANN401  a class of the package
        """Return the client of the packages that are imported as `eeo`."""
        client = importlib.import_module("eeo").ClassInAPI
        self.refusals = (importlib.import_module("eeo.exceptions").EEONetworkError,)
        # It puts the SID into a header, and a header takes text only.
        return client(str(self.facts["sid"]), self.facts["secret"], domain=self.facts["url"])

    def make_classin(self) -> Any:  # noqa: ANN401  a class of the package
        """Return the client of `classin`, which raises at every errno but 1."""
        client = importlib.import_module("classin.client").ClassInClient
        refusal = importlib.import_module("classin.core.exceptions").ClientException
        self.refusals = (refusal, ValueError)
        return client(self.facts["sid"], self.facts["secret"], self.facts["url"] + "/")

    def run(self, step: Step) -> Step:
        """Call a method, and read back what it changed."""
        method = self.api
        for name in step["method"].split("."):
            method = getattr(method, name)
        errno = 1
        try:
            answer = method(*self.fill(step["args"]), **self.fill(step["more"]))
        except self.refusals as refused:
            errno, answer = getattr(refused, "code", HTTP_ERROR), str(refused)
        if isinstance(answer, dict):
            errno = answer.get("code", answer.get("error_info", {}).get("errno", errno))
        for name, path in step["save"].items():
            self.ids[name] = find(answer, path)
        seen = self.read(str(self.fill(step["read"]))) if step["read"] else None
        return {"method": step["method"], "errno": errno, "answer": answer, "seen": seen}

    def fill(self, value: Any) -> Any:  # noqa: ANN401  any JSON
        """Put ids and files in the place of their names."""
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, str) and value.startswith("$"):
            return self.ids[value[1:]]
        if isinstance(value, str) and value.startswith("@"):
            return Path(value[1:]).open("rb")
        if isinstance(value, str) and "{" in value:
            return value.format(**self.ids)
        return value

    def read(self, path: str) -> Any:  # noqa: ANN401  any JSON
        """Return the rows of a list, or one thing, of the read-back."""
        # The clients bring this library with them.
        response = importlib.import_module("requests").get(
            f"{self.facts['url']}/admin/v1/{path}",
            headers={"Authorization": f"Bearer {self.facts['token']}"},
            timeout=30,
        )
        response.raise_for_status()
        content = response.json()
        return content.get("data", content)


def find(answer: Any, path: str) -> Any:  # noqa: ANN401  any JSON
    """Return a part of an answer: `data.0.data`."""
    for key in path.split(".") if path else ():
        answer = answer[int(key)] if isinstance(answer, list) else answer[key]
    return answer


if __name__ == "__main__":
    facts = json.load(sys.stdin)
    runner = Runner(facts)
    steps = [runner.run(step) for step in facts["steps"]]
    json.dump({"steps": steps, "ids": runner.ids}, sys.stdout)
