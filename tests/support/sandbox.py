"""The sandbox as an integrator's test suite uses it."""

from typing import Any

import httpx


class Sandbox:
    """The sandbox of a running server."""

    def __init__(self, url: str, **client: Any) -> None:  # noqa: ANN401  httpx's own parameters
        self.http = httpx.Client(base_url=f"{url}/sandbox", timeout=30, **client)

    def clock(self) -> dict[str, int]:
        """Return what the clock says."""
        shown: dict[str, int] = self.http.get("/clock").raise_for_status().json()
        return shown

    def move(self, **body: int) -> dict[str, int]:
        """Move the clock."""
        shown: dict[str, int] = self.http.post("/clock", json=body).raise_for_status().json()
        return shown

    def fault(self, **body: object) -> int:
        """Ask for a fault and return its id."""
        answer = self.http.post("/faults", json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def reset(self, sid: int, to: str = "empty") -> dict[str, int]:
        """Reset a school and return what it held."""
        answer = self.http.post("/reset", json={"sid": sid, "to": to})
        assert answer.status_code == 200, answer.text
        removed: dict[str, int] = answer.json()["removed"]
        return removed

    def journal(self, **query: str | int) -> list[dict[str, Any]]:
        """Return the last requests."""
        shown: list[dict[str, Any]] = (
            self.http.get("/journal", params=query).raise_for_status().json()["requests"]
        )
        return shown
