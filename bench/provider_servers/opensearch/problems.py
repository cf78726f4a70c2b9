"""What is refused, as OpenSearch says it."""


class Problem(Exception):
    def __init__(self, status: int, kind: str, reason: str = "") -> None:
        super().__init__(kind)
        self.status, self.kind, self.reason = status, kind, reason

    @property
    def body(self) -> dict[str, object]:
        cause = {"type": self.kind, "reason": self.reason}
        return {"error": {"root_cause": [cause], **cause}, "status": self.status}


def bad_request(reason: str) -> Problem:
    return Problem(400, "parsing_exception", reason)


def unknown_index(name: str) -> Problem:
    return Problem(404, "index_not_found_exception", f"no such index [{name}]")
