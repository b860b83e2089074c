"""Compiling a module for the frozen runtime: with less to load and to run at a start."""

import ast
from types import CodeType

from builder.kit.late_imports import Function, move_late_imports

# Its functions' annotations say what bodies they take.
_READ_ANNOTATIONS = "runtime.server."


def module_code(source: str, name: str, *, is_package: bool) -> CodeType:
    """Compile a module without docstrings, assertions and annotations of functions.

    Annotations of classes stay, since structs and dataclasses are made from them.

    Args:
        source: Its text.
        name: Its whole name.
        is_package: Whether it is a package's `__init__`.
    """
    tree = ast.parse(source)
    if not name.startswith(_READ_ANNOTATIONS):
        _Lightener().visit(tree)
    move_late_imports(tree, name, is_package=is_package)
    place = name.replace(".", "/")
    file = f"{place}/__init__.py" if is_package else f"{place}.py"
    return compile(tree, file, "exec", dont_inherit=True, optimize=2)


class _Lightener(ast.NodeTransformer):
    """Takes away what nothing in the frozen runtime looks at."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Take its annotations away."""
        self._drop_annotations(node)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        """Take its annotations away."""
        self._drop_annotations(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Give a decorated class a text about itself: a dataclass without one makes it."""
        self.generic_visit(node)
        if node.decorator_list:
            (statement,) = ast.parse(f"__doc__ = {node.name!r}").body
            node.body.insert(0, statement)
        return node

    def _drop_annotations(self, node: Function) -> None:
        node.returns = None
        taken = node.args
        for parameter in (
            *taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg,
        ):  # fmt: skip
            if parameter:
                parameter.annotation = None
        self.generic_visit(node)
