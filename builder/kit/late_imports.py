"""Moving imports that a start need not run into the functions that use them, while freezing.

What a package imports at its top is run at every start, used or not. In the frozen runtime, and
there alone, an import of a module of `LATE` stands in each function that uses its names instead,
and nowhere if none does. Whoever takes such a name out of the importing module still gets it: a
`__getattr__` imports it then.
"""

import ast
import symtable
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

# Modules that few starts use, though something at a start names them. It must not matter when one
# is imported.
LATE = frozenset({
    "anyio", "anyio.abc", "anyio.to_thread", "asyncio.sslproto", "asyncio.staggered",
    "configparser", "csv", "email.utils", "gettext", "hashlib", "hmac", "html", "http.client",
    "http.cookies", "inspect", "ipaddress", "jinja2.bccache", "jinja2.loaders", "locale",
    "msgspec._json_schema", "pickle", "pprint", "random", "secrets",
    "starlette.formparsers", "starlette.websockets", "tempfile", "textwrap", "tokenize",
    "traceback", "typing_extensions", "uvicorn._types", "uvicorn.importer", "uvicorn.main",
    "uvicorn.middleware.asgi2", "uvicorn.middleware.message_logger",
    "uvicorn.middleware.proxy_headers", "uvicorn.middleware.wsgi",
})  # fmt: skip

Function = ast.FunctionDef | ast.AsyncFunctionDef
Import = ast.Import | ast.ImportFrom

_HOOK = "__getattr__"
_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError"}


def move_late_imports(tree: ast.Module, name: str, *, is_package: bool) -> None:
    """Change a module's tree so that its imports of late modules run when they are first used.

    An import stays where the module's own run, or a default of a parameter, uses a name of it.

    Args:
        tree: The module, already without what is not to be compiled.
        name: Its whole name.
        is_package: Whether it is a package's `__init__`.
    """
    mover = _Mover(tree, name, is_package=is_package)
    if mover.has_hook or not any(mover.late(node) for node in ast.walk(tree)):
        return
    mover.find_uses()
    mover.visit(tree)
    if mover.moved:
        tree.body.append(_hook(mover.moved))
    ast.fix_missing_locations(tree)


@dataclass(slots=True)
class _Uses:
    """Where a global name is used: while the module is run, or in which functions."""

    at_import: bool = False
    functions: list[Function] = field(default_factory=list)


class _Mover(ast.NodeTransformer):
    """Takes late imports out of what a module runs when it is imported."""

    def __init__(self, tree: ast.Module, name: str, *, is_package: bool) -> None:
        self._tree = tree
        self._package = name if is_package else name.rpartition(".")[0]
        self._own_modules = name if is_package else None
        self._bound = _bound_names(tree.body)
        self._bound_late = self._late_names(tree.body)
        self._uses: defaultdict[str, _Uses] = defaultdict(_Uses)
        self._num_conditions = 0
        self.moved: list[tuple[str, Import]] = []

    @property
    def has_hook(self) -> bool:
        """Whether the module makes attributes itself."""
        return _HOOK in self._bound

    def late(self, node: ast.AST) -> list[ast.alias]:
        """Return what a node imports of late modules."""
        if isinstance(node, ast.Import):
            return [alias for alias in node.names if alias.name in LATE]
        if not isinstance(node, ast.ImportFrom) or node.names[0].name == "*":
            return []
        module = self._absolute(node)
        if module == self._own_modules:
            # The import would ask the package for the module's name first, and so the hook.
            return []
        return [n for n in node.names if module in LATE or f"{module}.{n.name}" in LATE]

    def find_uses(self) -> None:
        """Look through all scopes for uses of global names."""
        # Written anew, every function has a line of its own.
        text = ast.unparse(self._tree)
        written = [node for node in ast.walk(ast.parse(text)) if isinstance(node, Function)]
        own = [node for node in ast.walk(self._tree) if isinstance(node, Function)]
        functions = {
            (copy.name, copy.lineno): node for copy, node in zip(written, own, strict=True)
        }
        self._look_through(symtable.symtable(text, "", "exec"), functions, None)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Leave it."""
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        """Leave it."""
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Leave it."""
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        """Drop what is not used of what is imported on a condition."""
        return self._visit_conditional(node)

    def visit_Try(self, node: ast.Try) -> ast.AST:
        """Treat an import that may fail as one that does not: all modules are frozen."""
        attempted = _attempted_import(node)
        if not attempted:
            return self._visit_conditional(node)
        kept = self._visit_import(attempted)
        return node if isinstance(kept, Import) else kept

    def visit_Import(self, node: ast.Import) -> ast.AST:
        """Move it, or what of it can be moved."""
        return self._visit_import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """Move it, or what of it can be moved."""
        return self._visit_import(node)

    def _visit_conditional(self, node: ast.AST) -> ast.AST:
        self._num_conditions += 1
        self.generic_visit(node)
        self._num_conditions -= 1
        return node

    def _visit_import(self, node: Import) -> ast.AST:
        late = self.late(node)
        kept = [alias for alias in node.names if alias not in late]
        for alias in late:
            name = _bound_by(alias)
            uses = self._uses[name]
            can_move = not self._num_conditions and self._bound[name] == self._bound_late[name]
            if uses.at_import or (uses.functions and not can_move):
                kept.append(alias)
                continue
            single = _import_of(node, [alias])
            for function in uses.functions:
                _insert(single, name, function.body)
            if can_move:
                self.moved.append((name, single))
        return _import_of(node, kept) if kept else ast.Pass()

    def _late_names(self, body: list[ast.stmt]) -> Counter[str]:
        """Count how often the module binds names to what late modules have, in any case."""
        names: Counter[str] = Counter()
        for statement in body:
            attempted = _attempted_import(statement)
            late = [_bound_by(alias) for alias in self.late(attempted or statement)]
            bound = _bound_names([statement])
            names.update({name: bound[name] for name in late})
        return names

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        base = self._package.split(".")[: 1 - node.level or None]
        return ".".join([*base, node.module] if node.module else base)

    def _look_through(
        self,
        table: symtable.SymbolTable,
        functions: dict[tuple[str, int], Function],
        inside: Function | None,
    ) -> None:
        is_module = table.get_type() == "module"
        for symbol in table.get_symbols():
            is_own = not is_module and not symbol.is_global()
            is_set = symbol.is_declared_global() and symbol.is_assigned()
            if is_own or not (symbol.is_referenced() or is_set):
                continue
            uses = self._uses[symbol.get_name()]
            if inside is None or is_set:
                uses.at_import = True
            elif inside not in uses.functions:
                uses.functions.append(inside)
        for child in table.get_children():
            # Lambdas, comprehensions and classes are run by the function they are in.
            own = functions.get((child.get_name(), child.get_lineno()), inside)
            self._look_through(child, functions, own if child.get_type() == "function" else inside)


def _bound_names(body: list[ast.stmt]) -> Counter[str]:
    """Count how often statements bind each name where they are, not in functions or classes."""
    names: Counter[str] = Counter()
    for node in body:
        if isinstance(node, Function | ast.ClassDef):
            names[node.name] += 1
        elif isinstance(node, Import):
            names.update(_bound_by(alias) for alias in node.names)
        elif isinstance(node, ast.Name):
            names[node.id] += isinstance(node.ctx, ast.Store | ast.Del)
        else:
            names += _bound_names(list(ast.iter_child_nodes(node)))  # type: ignore[arg-type]
    return names


def _attempted_import(node: ast.stmt) -> Import | None:
    """Return the import of a statement that does nothing but to try it, and to do without."""
    if not isinstance(node, ast.Try) or node.orelse or node.finalbody:
        return None
    errors = [handler.type for handler in node.handlers]
    if not all(isinstance(error, ast.Name) and error.id in _IMPORT_ERRORS for error in errors):
        return None
    (statement,) = node.body if len(node.body) == 1 else (None,)
    return statement if isinstance(statement, Import) else None


def _bound_by(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _insert(statement: Import, name: str, body: list[ast.stmt]) -> None:
    """Put an import before the first use of its name, and into each block inside that uses it."""
    is_used = [name in _names_in(step) for step in body]
    for step in body:
        if not isinstance(step, Function | ast.ClassDef):
            for block in _blocks(step):
                _insert(statement, name, block)
    if any(is_used):
        body.insert(is_used.index(True), statement)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements in a statement, not those inside them."""
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield value
        elif isinstance(value, list):
            for part in value:
                if isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield part.body


def _names_in(node: ast.AST) -> set[str]:
    """Return the names that a statement itself uses, without the blocks in it; all of a class's."""
    if isinstance(node, ast.Name):
        return {node.id}
    is_open = not isinstance(node, ast.ClassDef)
    parts = (
        _names_in(child)
        for child in ast.iter_child_nodes(node)
        if not (is_open and isinstance(child, ast.stmt))
    )
    return set[str]().union(*parts)


def _import_of(node: Import, aliases: list[ast.alias]) -> Import:
    if isinstance(node, ast.Import):
        return ast.copy_location(ast.Import(aliases), node)
    return ast.copy_location(ast.ImportFrom(node.module, aliases, node.level), node)


def _hook(moved: list[tuple[str, Import]]) -> ast.stmt:
    """Return the function that Python calls for names a module does not have."""
    (function,) = ast.parse(
        f"def {_HOOK}(name):\n"
        "    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')"
    ).body
    assert isinstance(function, ast.FunctionDef)
    for name, statement in moved:
        (found,) = ast.parse(f"if name == {name!r}:\n    return {name}").body
        assert isinstance(found, ast.If)
        found.body.insert(0, statement)
        function.body.insert(0, found)
    return function
