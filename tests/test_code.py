import ast

from her2study.code import meaning

PLAIN = "LIMIT = 2\ndef f(x):\n    return x + LIMIT\nclass A:\n    pass\n"
EXPLAINED = '''"""A module."""
LIMIT = 2  # two
"""How far."""
def f(x):
    """Add."""

    return x + LIMIT
class A:
    """Nothing."""
'''


def test_docstrings_comments_and_layout_mean_nothing():
    assert meaning(ast.parse(EXPLAINED)) == meaning(ast.parse(PLAIN))


def test_everything_else_does():
    for old, new in {"2": "3", "x +": "x -", "def f": "def g", "return x + LIMIT": "return 'x'"}.items():
        assert meaning(ast.parse(EXPLAINED.replace(old, new))) != meaning(ast.parse(EXPLAINED))


def test_the_tree_that_was_given_stays_as_it_was():
    tree = ast.parse(EXPLAINED)
    before = ast.dump(tree)
    meaning(tree)
    assert ast.dump(tree) == before
