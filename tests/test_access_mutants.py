"""The tests of the row scope are tried themselves: each rule of access.py is taken out in turn, and one of them must fail.

A rule is a statement, one side of an ``and`` or ``or``, or one line of a tuple, in a function of access.py. The function gets
the code of its mutant, the tests run in this process until one fails, and it gets its own code back.
"""

from __future__ import annotations

import ast
import copy
import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from admin_app import access

SOURCE = Path(access.__file__)
RULES = Path(__file__).parent / "test_access.py"
TWICE_HELD = {
    "_limit_rows: if state.is_column_load:": "the criteria reach no refresh anyway",
    "_between: history.deleted[0] is not None": "the three ends are never empty once saved",
    "_between: history.added": "an end is never emptied",
    "moving: transfer.state is not TransferState.PENDING": "the first of the two looks; the second refuses alike",
    "moving: transfer is None": "the second look; a transfer is never removed, only answered",
    "moving: child.school_id != transfer.school_id": "the foreign key makes the transfer follow its child",
}
"""Rules that something else holds as well: without them nothing comes out otherwise."""
AT_IMPORT = {"guard"}
"""Has run before any mutant of it could: ``test_every_session_is_held_to_its_scope`` looks at what it left."""


def functions() -> dict[str, FunctionType]:
    """Everything in access.py that has a body, by its name in the file."""
    found = {}
    for owner in (access, access.Scope):
        for name, each in vars(owner).items():
            bare = each.fget if isinstance(each, property) else each.func if isinstance(each, cached_property) else each
            bare = inspect.unwrap(bare) if callable(bare) else bare
            if isinstance(bare, FunctionType) and bare.__code__.co_filename == str(SOURCE) and not name.startswith("__"):
                found[name] = bare
    return found


def is_rule(node: ast.AST) -> bool:
    said = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # a docstring
    return isinstance(node, ast.If | ast.Expr | ast.Raise | ast.For) and not said


def mutants(function: ast.FunctionDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The function without one of its rules: (what was taken out, what is left)."""
    for at, node in enumerate(ast.walk(function)):
        lists = [name for name in ("body", "orelse") if is_list_of_statements(node, name)]
        lists += ["values"] if isinstance(node, ast.BoolOp) else ["elts"] if isinstance(node, ast.Tuple) else []
        for name in lists:
            for n, each in enumerate(getattr(node, name)):
                if isinstance(each, ast.stmt) and not is_rule(each):
                    continue
                if isinstance(each, ast.expr) and name == "elts" and not isinstance(each, ast.Starred | ast.Call):
                    continue
                left = copy.deepcopy(function)
                twin = getattr(next(x for i, x in enumerate(ast.walk(left)) if i == at), name)
                if isinstance(node, ast.BoolOp):
                    twin[n] = ast.Constant(isinstance(node.op, ast.And))  # what changes nothing there
                elif isinstance(each, ast.stmt):
                    twin[n] = ast.Pass()
                else:
                    del twin[n]
                yield f"{function.name}: {ast.unparse(each).splitlines()[0][:90]}", left


def is_list_of_statements(node: ast.AST, name: str) -> bool:
    return isinstance(getattr(node, name, None), list) and isinstance(node, ast.stmt)


def code_of(function: ast.FunctionDef, name: str) -> CodeType:
    """The compiled body, as if it stood in access.py."""
    bare = copy.deepcopy(function)
    bare.decorator_list = []
    head = ast.parse("from __future__ import annotations")
    head.body.append(bare)
    module = compile(ast.fix_missing_locations(head), str(SOURCE), "exec")
    return next(c for c in module.co_consts if isinstance(c, CodeType) and c.co_name == name)


def all_mutants() -> Iterator[tuple[str, FunctionType, CodeType]]:
    bodies = functions()
    for node in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name in bodies.keys() - AT_IMPORT:
            for said, left in mutants(node):
                yield said, bodies[node.name], code_of(left, node.name)


class Trial:
    """Runs the collected tests once for each mutant, until one fails."""

    def __init__(self) -> None:
        self.survivors: list[str] = []
        self.tried = 0
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        from _pytest.runner import runtestprotocol

        def fails(items: list[pytest.Item]) -> bool:
            for item, following in zip(items, [*items[1:], items[0]], strict=True):  # another one: the item is torn down
                item._initrequest()  # type: ignore[attr-defined]
                if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
                    return True
            return False

        assert not fails(session.items), "the tests fail by themselves"
        order = session.items[::-1]
        for said, function, code in all_mutants():
            own, function.__code__ = function.__code__, code
            for kept in (access.SYSTEM, access.NOTHING):
                vars(kept).pop("criteria", None)  # made once for all
            try:
                self.tried += 1
                if not fails(order):
                    self.survivors.append(said)
            finally:
                function.__code__ = own
        return True


def main() -> None:
    trial = Trial()
    words = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-k", "not role_tables and (not whatever_its_table or Activity)"]
    pytest.main([str(RULES), *words], plugins=[trial])
    print(f"TRIED {trial.tried}")
    for each in trial.survivors:
        print("SURVIVED", each)


@pytest.mark.slow
def test_no_rule_of_the_row_scope_can_be_taken_out_unnoticed():
    done = subprocess.run(
        [sys.executable, "-m", "tests.test_access_mutants"], cwd=RULES.parent.parent, capture_output=True, text=True, check=False
    )
    said = [line for line in done.stdout.splitlines() if line.startswith(("TRIED", "SURVIVED"))]
    assert said and int(said[0].split()[1]) > 60, done.stdout[-3000:] + done.stderr[-3000:]
    assert {line.removeprefix("SURVIVED ") for line in said[1:]} <= TWICE_HELD.keys()


if __name__ == "__main__":
    main()
