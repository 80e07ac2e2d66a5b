"""What code does, apart from how it is written: by this, results know whether they are out of date."""

from __future__ import annotations

import ast


def meaning(tree: ast.Module) -> str:
    """The syntax of a module without comments, layout and docstrings, as text to be hashed."""
    bare = ast.parse(ast.unparse(tree))
    for item in ast.walk(bare):
        body = getattr(item, "body", None)
        if isinstance(body, list):
            item.body = [line for line in body if not _is_text(line)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.dump(bare)


def _is_text(line: ast.stmt) -> bool:
    """A docstring, of a module, class, function or constant."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
