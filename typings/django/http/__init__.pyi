from typing import Any

class HttpRequest:
    body: bytes

class HttpResponse: ...

class JsonResponse(HttpResponse):
    def __init__(self, data: Any) -> None: ...
