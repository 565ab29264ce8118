"""What shoppers see. Each step needs something that only an earlier one gives, as in a real shop.

The token of the login is asked for by the other steps, and the identifiers of items cannot be guessed: they come from
the list. A request without them is refused at once, and takes no worker's time.
"""

import hashlib
import hmac
import json
import re
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from perfsuite.sandbox.shop.service import Shop
from perfsuite.sandbox.shop.spec import Step

_LONGEST_BODY: Final = 64 * 1024
_USER: Final = re.compile(r"[\w.@+-]{1,64}", re.ASCII)


class Pages:
    """The four steps of a shopper."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._key = f"shop {shop.spec.seed}".encode()
        self._items = {self._item_id(number): number for number in range(1, shop.spec.items + 1)}

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.login, methods=["POST"]),
            Route("/items", self.items, methods=["GET"]),
            Route("/items/{item_id}", self.item, methods=["GET"]),
            Route("/checkout", self.checkout, methods=["POST"]),
        ]

    async def login(self, request: Request) -> JSONResponse:
        user = (await read_json(request)).get("user")
        if not isinstance(user, str) or not _USER.fullmatch(user):
            raise HTTPException(400, "the login needs a user: letters, digits and . @ + - _, at most 64")
        return await self._answer("login", request, {"token": self._token(user)})

    async def items(self, request: Request) -> JSONResponse:
        self._known_user(request)
        return await self._answer("list", request, {"items": [self._described(one) for one in self._items]})

    async def item(self, request: Request) -> JSONResponse:
        self._known_user(request)
        item_id = self._known_item(request.path_params["item_id"])
        return await self._answer("detail", request, {**self._described(item_id), "in_stock": True})

    async def checkout(self, request: Request) -> JSONResponse:
        user = self._known_user(request)
        item_id = self._known_item((await read_json(request)).get("item_id"))
        order = {"order_id": self._signed(f"order {user} {item_id}"), "item_id": item_id}
        return await self._answer("checkout", request, order)

    async def _answer(self, step: Step, request: Request, content: dict[str, Any]) -> JSONResponse:
        reply = await self._shop.serve(step, request.method, request.url.path)
        headers = {"X-Shop-Host": reply.host} if reply.host else {}
        return JSONResponse({"error": reply.reason} if reply.reason else content, reply.status, headers)

    def _described(self, item_id: str) -> dict[str, Any]:
        number = self._items[item_id]
        return {"id": item_id, "name": f"Item {number}", "price_cents": 100 * number}

    def _known_user(self, request: Request) -> str:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        user = token.rpartition(".")[0]
        if not hmac.compare_digest(token.encode(), self._token(user).encode()):
            raise HTTPException(401, "log in first, and send the token as `Authorization: Bearer ...`")
        return user

    def _known_item(self, item_id: object) -> str:
        if not isinstance(item_id, str) or item_id not in self._items:
            raise HTTPException(404, "there is no such item; take the id of one from /items")
        return item_id

    def _token(self, user: str) -> str:
        return f"{user}.{self._signed(f'token {user}')}"

    def _item_id(self, number: int) -> str:
        return f"{number}-{self._signed(f'item {number}')[:8]}"

    def _signed(self, text: str) -> str:
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=12).hexdigest()


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object in the body, of a bearable size."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            raise HTTPException(413, f"the body has more than {_LONGEST_BODY} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise HTTPException(400, "the body must be a JSON object")
    return found
