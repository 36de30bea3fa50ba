"""What can go wrong between the page and the API."""


class BackendError(Exception):
    """The API refused or could not be reached; the message is a sentence for the person at the page."""

    def __init__(self, code: str, message: str, request_id: str | None = None, *, status: int = 0) -> None:
        super().__init__(message)
        self.code, self.message, self.request_id, self.status = code, message, request_id, status

    @property
    def may_pass(self) -> bool:
        """Whether asking again, unchanged, may help."""
        return self.status in (0, 429) or self.status >= 500
