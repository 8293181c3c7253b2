from typing import Any, Callable

RECORD_FORMAT: str
SLOT_FORMAT: str
PREFIX_FORMAT: str

def crc32(data: Any) -> int: ...

class Core:
    request_type: type
    failed: Callable[[Any, BaseException], None]
    is_file: Callable[[Any, Any], bool]
    body_type: type
    sized_body_type: type

    def __init__(self, **parts: Any) -> None: ...
    def begin(self, kind: int, endpoint: Callable[..., Any], environ: Any) -> Any: ...

class Count: ...
class Caller: ...
