"""The read-back as an operator's script uses it: a token, lists in pages."""

from collections.abc import Collection
from typing import Any

import httpx

from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator, fingerprint
from homeroom.domain.tokens import TokenScope
from tests.support.given import Given

ROOT = "/admin/v1"


class ReadBack:
    """Reads with one token: a school's own, or the operator's."""

    def __init__(
        self,
        given: Given,
        *,
        of_operator: bool = False,
        scopes: Collection[TokenScope] = (TokenScope.READ,),
    ) -> None:
        self.token = KeyGenerator().secret()
        self.scheme = "Bearer"
        school = None if of_operator else SchoolId(given.school.id)
        self.id = given.store.write(
            lambda uow: uow.tokens.add(school, "test", fingerprint(self.token), uow.now, scopes)
        )
        self._http = httpx.Client(base_url=given.house.url, timeout=30)

    def get(self, path: str, **query: Any) -> httpx.Response:  # noqa: ANN401  any value httpx takes
        """Ask for one page."""
        headers = {"authorization": f"{self.scheme} {self.token}"}
        return self._http.get(ROOT + path, params=query, headers=headers)

    def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401  each list has its own filters
        """Return the rows of all pages."""
        rows: list[dict[str, Any]] = []
        while True:
            answer = self.get(path, **query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            rows += page["data"]
            if page["next"] is None:
                return rows
            query["cursor"] = page["next"]

    def row(self, path: str, **query: Any) -> dict[str, Any]:  # noqa: ANN401  each list has its own filters
        """Return the only row there is."""
        rows = self.rows(path, **query)
        assert len(rows) == 1, rows
        return rows[0]

    def problem(self, path: str, status: int, **query: Any) -> dict[str, Any]:  # noqa: ANN401  each list has its own filters
        """Return why a request is not answered."""
        answer = self.get(path, **query)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = answer.json()
        assert problem["status"] == status
        return problem

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
