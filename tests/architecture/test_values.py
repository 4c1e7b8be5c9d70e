"""A value is invisible to the garbage collector, so it must not be part of a reference cycle."""

import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, get_args, get_origin

import homeroom
from homeroom.base.values import Value


def list_values(base: type[Value] = Value) -> Iterator[type[Value]]:
    for value in base.__subclasses__():
        yield value
        yield from list_values(value)


def list_types(annotation: Any) -> Iterator[Any]:  # noqa: ANN401  any annotation
    yield get_origin(annotation) or annotation
    for part in get_args(annotation):
        for inner in part if isinstance(part, list) else [part]:
            yield from list_types(inner)


def can_close_a_cycle(kind: Any) -> bool:  # noqa: ANN401  any annotation
    is_exception = isinstance(kind, type) and issubclass(kind, BaseException)
    return is_exception or kind is Callable


# Constants of modules, which live as long as the process anyway.
ALLOWED = {("ParamType", "read"), ("MessageForm", "write"), ("MessageForm", "refuse")}


def test_no_value_holds_a_callable_or_an_exception() -> None:
    for module in pkgutil.walk_packages(homeroom.__path__, "homeroom."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    fields = {
        (value.__name__, name)
        for value in list_values()
        for name, annotation in value.__annotations__.items()
        if any(can_close_a_cycle(kind) for kind in list_types(annotation))
    }
    assert fields - ALLOWED == set()
    assert len(list(list_values())) > 100
