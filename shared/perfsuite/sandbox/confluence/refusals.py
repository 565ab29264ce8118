"""What is refused, in the shapes in which the two versions of the API refuse."""

from http import HTTPStatus
from typing import Any, Final

from starlette.responses import HTMLResponse, JSONResponse, Response

_EXCEPTIONS: Final = {
    400: "BadRequestException",
    403: "PermissionException",
    404: "NotFoundException",
    409: "ConflictException",
    410: "pagesmodes.GoneException",
    413: "RequestEntityTooLargeException",
}


class Refusal(Exception):
    """A request that is not answered. The second version of the API may word it in its own way."""

    def __init__(self, status: int, message: str, v2_message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.v2_message = v2_message or message


def refused_v2(refusal: Refusal) -> Response:
    code = "INVALID_REQUEST_PARAMETER" if refusal.status == 400 else HTTPStatus(refusal.status).name
    error = {"status": refusal.status, "code": code, "title": refusal.v2_message, "detail": None}
    return JSONResponse({"errors": [error]}, refusal.status)


def refused_v1_cloud(refusal: Refusal) -> Response:
    """The message begins with the name of an exception, and there is no reason."""
    name = _EXCEPTIONS.get(refusal.status)
    message = f"com.atlassian.confluence.api.service.exceptions.{name}: {refusal.message}" if name else refusal.message
    return JSONResponse(_body_v1(refusal.status, message), refusal.status)


def refused_onprem(refusal: Refusal) -> Response:
    body = {**_body_v1(refusal.status, refusal.message), "reason": HTTPStatus(refusal.status).phrase}
    return JSONResponse(body, refusal.status)


def refused_page(refusal: Refusal) -> Response:
    """What a browser is shown."""
    text = f"{refusal.status} {HTTPStatus(refusal.status).phrase}"
    return HTMLResponse(f"<!DOCTYPE html><title>{text}</title><h1>{text}</h1>", refusal.status)


def _body_v1(status: int, message: str) -> dict[str, Any]:
    data = {
        "authorized": status != 403, "valid": True, "allowedInReadOnlyMode": True, "errors": [], "successful": False,
    }  # fmt: skip
    return {"statusCode": status, "data": data, "message": message}
