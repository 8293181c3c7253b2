"""Whether a urlconf's answers may hang on the language: asking for it costs more than the rest."""

from __future__ import annotations

from typing import Any

from django.urls.resolvers import RegexPattern, RoutePattern, URLPattern, URLResolver

__all__ = ["depends_on_language"]

#: The newest resolver that was asked of, and the answer.
_known: tuple[Any, bool] = (None, False)


def depends_on_language(resolver: Any) -> bool:
    """False where all patterns are plain texts with Django's own converters; found out once."""
    global _known
    known, depends = _known
    if known is not resolver:
        depends = not _is_plain(resolver)
        _known = resolver, depends
    return depends


def _is_plain(entry: Any) -> bool:
    pattern = entry.pattern
    if type(entry) not in (URLPattern, URLResolver):
        return False
    if type(pattern) is RoutePattern:
        text = pattern._route
    elif type(pattern) is RegexPattern:
        text = pattern._regex
    else:
        return False
    own = all(
        type(converter).__module__ == "django.urls.converters"
        for converter in pattern.converters.values()
    )
    if not own or type(text) is not str:
        return False
    return type(entry) is URLPattern or all(map(_is_plain, entry.url_patterns))
