"""Jinja2's sandbox, with limits on what one rendering may do."""

import functools
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jinja2 import nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from runtime.chat.template_limits import MAX_SIZE, LimitError, Rendering

# Made for web pages; some take the square of their text's length in one go.
_REFUSED_FILTERS = ("pprint", "striptags", "urlize", "wordwrap", "xmlattr")
_REFUSED_METHODS = ("striptags", "translate", "unescape")
# Filters that write out nothing of what they are given.
_LOOKING_FILTERS = frozenset(
    (
        *("count", "d", "default", "first", "items", "last", "length", "list", "map", "random"),
        *("reject", "rejectattr", "reverse", "select", "selectattr"),
    )
)


class LimitedEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox, whose templates are rendered inside `rendering()`."""

    # All of them, since each takes the square of its numbers' lengths.
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "**", "%"))

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=self._written, **options)
        self._local = threading.local()
        for name in _REFUSED_FILTERS:
            del self.filters[name]
        del self.globals["lipsum"]
        self.filters["sum"] = self._sum

    def limit_filters(self) -> None:
        """Put limits on all filters, once they are all there."""
        for name, function in self.filters.items():
            self.filters[name] = self._limited(name, function)

    @contextmanager
    def rendering(self) -> Iterator[None]:
        """Count from zero what this thread's template does."""
        self._local.rendering = Rendering()
        try:
            yield
        finally:
            del self._local.rendering

    @property
    def _rendering(self) -> Rendering:
        # Constant parts are computed while a template is compiled.
        return getattr(self._local, "rendering", None) or Rendering()

    @property
    def tick(self) -> bool:
        """True, in time; a property, for loops read it in each turn."""
        self._rendering.tick()
        return True

    def container(self, value: Any) -> Any:
        """Return a list, a tuple or a dict that a template has just written; calls are counted."""
        return value

    def join_texts(self, *parts: Any) -> str:
        """Return what `~` makes of its parts."""
        return self.concat(map(str, map(self._written, parts)))

    def concat(self, texts: Iterable[str]) -> str:
        """Return pieces of output as one."""
        return self._rendering.join(texts)

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call something for a template."""
        rendering = self._rendering
        rendering.tick()
        rendering.expect(sum(map(rendering.size, itertools.chain(args, kwargs.values()))))
        _check_method(rendering, function, args, kwargs)
        return rendering.made(super().call(context, function, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute with two values for a template."""
        rendering = self._rendering
        rendering.tick()
        if operator == "+" and isinstance(left, str):
            return rendering.made(left + right)
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            rendering.expect_bits(left.bit_length() * abs(right))
        elif operator == "*":
            for value, times in ((left, right), (right, left)):
                if isinstance(times, int) and not isinstance(value, (int, float)):
                    rendering.expect(rendering.size(value) * max(times, 0))
        elif operator == "%" and isinstance(left, str):
            rendering.expect_percent_format(left, right)
        return rendering.made(super().call_binop(context, operator, left, right))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template: nodes.Template = _Counting().visit(super()._parse(source, name, filename))
        return template

    def _written(self, value: Any) -> Any:
        """Return what is about to be written out as text."""
        if not isinstance(value, str):
            rendering = self._rendering
            rendering.expect(rendering.size(value))
        return value

    def _limited(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        # jinja2 passes the environment or the context first where a filter asks for it.
        num_passed = int(hasattr(function, "jinja_pass_arg"))

        @functools.wraps(function)
        def limited(*args: Any, **kwargs: Any) -> Any:
            rendering = self._rendering
            rendering.tick()
            values = list(args[num_passed:])
            if name == "join" and values and not isinstance(values[0], str):
                values[0] = list(values[0])
            if name not in _LOOKING_FILTERS:
                _check_filter(rendering, name, values, kwargs)
            return rendering.made(function(*args[:num_passed], *values, **kwargs))

        return limited

    def _sum(self, iterable: Iterable[Any], start: float = 0) -> Any:
        """Add numbers; of lists, it would take the square of their number."""
        values = list(iterable)
        if not all(isinstance(value, (int, float)) for value in [start, *values]):
            raise LimitError("it sums what are no numbers")
        return sum(values, start)


class _Counting(NodeTransformer):
    """Makes a template call us in each turn of a loop, and with each value that it composes."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        if node.test is not None:
            node.test = nodes.And(nodes.EnvironmentAttribute("tick"), node.test)
        node.body.insert(0, nodes.ExprStmt(nodes.EnvironmentAttribute("tick")))
        return _placed(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _placed(_call("join_texts", *node.nodes), node)

    def visit_List(self, node: nodes.List) -> nodes.Node:
        return self._container(node, node.items)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        return node if node.ctx != "load" else self._container(node, node.items)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        return self._container(node, [pair.value for pair in node.items])

    def _container(self, node: nodes.Expr, values: list[nodes.Expr]) -> nodes.Node:
        if all(isinstance(value, nodes.Const) for value in values):
            return node
        self.generic_visit(node)
        return _placed(_call("container", node), node)


def _call(name: str, *args: nodes.Expr) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(name), list(args), [], None, None)


def _placed(node: nodes.Node, like: nodes.Node | None = None) -> nodes.Node:
    """Return a node, new parts of which get a line number and the environment."""
    origin = like or node
    assert origin.environment is not None, "a parsed node has its environment"
    node.set_lineno(origin.lineno)
    node.set_environment(origin.environment)
    return node


def _check_method(
    rendering: Rendering, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Refuse what a method would make too large."""
    name = getattr(function, "__name__", "")
    if name in _REFUSED_METHODS:
        raise LimitError(f"it calls {name}")
    # A text's format is wrapped by the sandbox.
    owner = getattr(getattr(function, "__wrapped__", function), "__self__", None)
    if not isinstance(owner, (str, bytes, int)):
        return
    if any(isinstance(value, int) and abs(value) > MAX_SIZE for value in args):
        raise LimitError(f"it calls {name} with a huge number")
    if name in ("format", "format_map"):
        rendering.expect_brace_format(str(owner), [args, kwargs])
    elif name == "replace" and isinstance(owner, str):
        _check_replace(rendering, [owner, *args])
    elif name == "expandtabs" and isinstance(owner, str):
        rendering.expect(len(owner) + owner.count("\t") * (args or (8,))[0])
    elif name == "join" and isinstance(owner, str) and args:
        _check_join(rendering, args[0], owner)


def _check_filter(
    rendering: Rendering, name: str, values: list[Any], kwargs: dict[str, Any]
) -> None:
    """Refuse what a filter would make too large."""
    options = [*values[1:], *kwargs.values()]
    rendering.expect(sum(map(rendering.size, [*values[:1], *options])))
    if name == "format":
        rendering.expect_percent_format(str(values[0]), options)
    elif name == "replace":
        _check_replace(rendering, [*map(str, values), *kwargs.values()])
    elif name == "join":
        _check_join(rendering, values[0], next(iter(options), ""))
    elif name == "indent":
        width = max((len(o) if isinstance(o, str) else int(o) for o in options), default=4)
        rendering.expect((str(values[0]).count("\n") + 1) * width + len(str(values[0])))
    elif name == "round" and any(abs(o) > 1000 for o in options if isinstance(o, int)):
        raise LimitError("it rounds to a huge number of digits")
    elif any(isinstance(option, int) and abs(option) > MAX_SIZE for option in options):
        raise LimitError(f"it uses the filter {name} with a huge number")


def _check_replace(rendering: Rendering, values: list[Any]) -> None:
    text, old, new = ([*map(str, values), "", ""])[:3]
    rendering.expect(len(text) + text.count(old) * len(new))


def _check_join(rendering: Rendering, values: Any, between: Any) -> None:
    if isinstance(values, (list, tuple, str)):
        rendering.expect(rendering.size(values) + len(values) * len(str(between)))
