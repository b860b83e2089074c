"""JSON in and out, by msgspec."""

from typing import Annotated, Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime.errors import RequestError

T = TypeVar("T")

# What every JSON parser keeps exact; larger ones could not be made floats, or not in time.
Integer = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]

encode = msgspec.json.encode


class JSONResponse(Response):
    """A response whose content is encoded as JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return encode(content)


async def read_json(request: Request, kind: type[T]) -> T:
    """Return a request's body as `kind`.

    Raises:
        RequestError: It is no JSON, of another shape, or nests too deep; it says where.
    """
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as error:
        raise RequestError(f"The request is not as it should be: {error}.") from error
    except RecursionError as error:
        raise RequestError("The request's body nests too deep.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"The request's body is not valid JSON: {error}.") from error
