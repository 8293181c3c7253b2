"""Code that costs a known number of instructions and does nothing, at the head of a function."""

import ast
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Filler", "Price", "filler_for", "planted", "price_of"]

#: To learn their prices: in a call, and in a request.
FEW_TURNS = 10
STATEMENTS, TURNS = 20_000, 60_000


@dataclass(frozen=True, slots=True)
class Filler:
    """So many assignments in a row, then a loop of so many turns (none: no loop)."""

    statements: int
    turns: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """Instructions of an assignment, of beginning and ending a loop, of one of its turns."""

    statement: float
    loop: float
    turn: float

    def of(self, filler: Filler) -> float:
        loop = self.loop + filler.turns * self.turn if filler.turns else 0.0
        return filler.statements * self.statement + loop


def price_of(cost: Callable[[Filler], float], calls: int) -> Price:
    """From what a request costs with a filler in a function that it calls so many times."""
    turns, statements = TURNS // calls, STATEMENTS // calls
    bare, begun, done = (cost(Filler(1, each)) for each in (0, FEW_TURNS, turns))
    statement = (cost(Filler(statements + 1)) - bare) / statements
    turn = (done - begun) / (turns - FEW_TURNS)
    return Price(statement / calls, (begun - bare - FEW_TURNS * turn) / calls, turn / calls)


def filler_for(instructions: float, price: Price) -> Filler:
    """The one that comes nearest to so many instructions a call; never none at all."""
    turns = max(0, int((instructions - price.loop) / price.turn))
    rest = instructions - price.of(Filler(0, turns))
    return Filler(max(0 if turns else 1, round(rest / price.statement)), turns)


def planted(text: str, function: str, filler: Filler) -> str:
    """The function begins with the filler. Every turn of its loop takes the same object: numbers
    of a range cost more from 257 on, where each is made anew."""
    found = _function(text, function)
    first = found.body[1] if ast.get_docstring(found) and len(found.body) > 1 else found.body[0]
    lines = text.splitlines(keepends=True)
    indent = " " * first.col_offset
    code = [indent + "; ".join(["_turn = 0"] * filler.statements) + "\n"] * bool(filler.statements)
    if filler.turns:
        code += [f"{indent}for _turn in bytes({filler.turns}):\n", f"{indent}    pass\n"]
    return "".join([*lines[: first.lineno - 1], *code, *lines[first.lineno - 1 :]])


def _function(text: str, name: str) -> ast.FunctionDef:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    raise ValueError(f"there is no function {name}")
