"""Reads what the fields of a class mean: the docstrings below them."""

import ast
import inspect
import textwrap


def read_meanings(cls: type) -> dict[str, str]:
    """Return the docstrings below the fields of a class of this project, and of its bases."""
    meanings: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith("homeroom."):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(tree, ast.ClassDef)  # noqa: S101  for the type checker
        for node, below in zip(tree.body, [*tree.body[1:], None], strict=True):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                match below:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        meanings[node.target.id] = " ".join(text.split())
    return meanings
