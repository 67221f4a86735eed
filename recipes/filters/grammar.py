"""The filter-expression language: text to `Filter`, with errors that name the column and what was expected.

The grammar is ours, after what Amazon Personalize's documentation describes; keywords, datasets and fields are written in any case.
"""

from __future__ import annotations

from typing import Any

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from recipes.filters.expression import (
    EVENT_DATASETS,
    EVENT_TYPE,
    ORDERED,
    Condition,
    CurrentItem,
    Expression,
    FieldReference,
    Filter,
    FilterError,
    Membership,
    OrderCondition,
    Placeholder,
    Target,
    Verb,
    number,
)

MAX_LENGTH = 2500
GRAMMAR = r"""
start: expression ("|" expression)*
expression: VERB TARGET _WHERE alternatives [when]
alternatives: conjunction (_OR conjunction)*
conjunction: condition (_AND condition)*
when: _IF condition (_AND condition)*
?condition: field _IN "(" value ("," value)* ")"         -> within
          | field _NOT _IN "(" value ("," value)* ")"    -> not_within
          | field _IN field                              -> within_current
          | field COMPARE operand                        -> comparison
?operand: NUMBER | STRING | PLACEHOLDER | "(" PLACEHOLDER ")" | field
?value: STRING | PLACEHOLDER | STAR
field: NAME "." NAME
VERB: /(INCLUDE|EXCLUDE)\b/i
TARGET: /(ItemID|UserID|ActionID)\b/i
_WHERE: /WHERE\b/i
_AND: /AND\b/i
_OR: /OR\b/i
_IF: /IF\b/i
_IN: /IN\b/i
_NOT: /NOT\b/i
STAR: "*"
COMPARE: "<=" | ">=" | "!=" | "=" | "<" | ">"
NUMBER: /-?\d+(\.\d+)?/
STRING: /"[^"]*"/
PLACEHOLDER: /\$\w+/
NAME: /[A-Za-z_]\w*/
%ignore /\s+/
"""
WORDS = {
    "VERB": "INCLUDE or EXCLUDE",
    "TARGET": "ItemID, UserID or ActionID",
    "_WHERE": "WHERE",
    "_AND": "AND",
    "_OR": "OR",
    "_IF": "IF",
    "_IN": "IN",
    "_NOT": "NOT IN",
    "STAR": '"*"',
    "COMPARE": "one of = != < <= > >=",
    "NUMBER": "a number",
    "STRING": "a value in double quotes",
    "PLACEHOLDER": "a $PARAMETER",
    "NAME": "a field such as Items.GENRE",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "DOT": "a dot and a column, as in Items.GENRE",
    "VBAR": "|",
    "$END": "the end",
}
DATASETS = {
    Target.ITEM: {"INTERACTIONS": "Interactions", "ITEMS": "Items"},
    Target.USER: {"INTERACTIONS": "Interactions", "USERS": "Users"},
    Target.ACTION: {"ACTION_INTERACTIONS": "Action_Interactions", "ACTIONS": "Actions"},
}
PARSER = Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


def parse(text: str) -> Filter:
    """Read a filter expression.

    Args:
        text: at most 2,500 characters.

    Raises:
        FilterError: it is no valid filter; says at which column, what stands there and what was expected.
    """
    if len(text) > MAX_LENGTH:
        raise _refuse(MAX_LENGTH + 1, f"the expression has {len(text)} characters, {MAX_LENGTH} are allowed.")
    try:
        tree = PARSER.parse(text)
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    expressions = tuple(_expression(child) for child in tree.children)
    for child, expression in zip(tree.children, expressions, strict=True):
        if expression.target is not expressions[0].target:
            first = expressions[0].target
            raise _refuse(
                _column(child.children[1]),
                f"{expression.target} after {first}; all parts of a filter have one target.",
                first,
            )
    return Filter(text, expressions)


def _syntax_error(text: str, error: UnexpectedInput) -> FilterError:
    match error:
        case UnexpectedToken():
            names, position = error.accepts or error.expected, error.token.start_pos
            found = str(error.token) if error.token.type != "$END" else ""
        case UnexpectedCharacters():
            names, position = error.allowed, error.pos_in_stream
            found = text[position]
        case _:
            names, position, found = set(), len(text), ""
    if position is None or not found:
        position, found = len(text), ""
    expected = tuple(WORDS[name] for name in WORDS if name in set(names))
    return _refuse(position + 1, _unexpected(found, _listed(expected)), *expected)


def _unexpected(found: str, expected: str) -> str:
    """What stands where something else was expected, as a sentence."""
    if not found:
        return f"the expression ends too early, expected {expected}."
    if found == '"':
        return f'found " without a closing one, expected {expected}.'
    return f"found {found}, expected {expected}."


def _listed(words: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "nothing more"


def _refuse(column: int, what: str, *expected: str) -> FilterError:
    return FilterError(f"Could not create filter. Column {column}: {what}", column=column, expected=expected)


def _column(token: Token) -> int:
    return int(token.start_pos or 0) + 1


def _expression(tree: Tree[Any]) -> Expression:
    verb, target_token, alternatives, *when = tree.children
    target = next(each for each in Target if each.lower() == target_token.lower())
    found = tuple(
        tuple(_condition(condition) for condition in conjunction.children) for conjunction in alternatives.children
    )
    dataset = found[0][0].field.dataset
    for condition in (each for conjunction in found for each in conjunction):
        _check_dataset(condition, target, dataset)
    users = tuple(_condition(condition) for condition in when[0].children) if when else ()
    for condition in users:
        _check_user(condition, target)
    return Expression(Verb(verb.upper()), target, found, users)


def _condition(tree: Tree[Any]) -> Condition:
    field_tree, *rest = tree.children
    used = FieldReference(field_tree.children[0].upper(), field_tree.children[1].upper())
    column = _column(field_tree.children[0])
    match tree.data:
        case "comparison":
            return _comparison(used, rest[0], rest[1], column)
        case "within_current":
            return Membership(used, (_current(rest[0]),), negated=False, column=column)
        case "within":
            return Membership(used, _values(used, rest), negated=False, column=column)
        case _:
            for token in rest:
                if token.type == "PLACEHOLDER":
                    raise _refuse(
                        _column(token),
                        f"Invalid input symbol: {token}. Placeholders are not allowed with NOT_IN operator; "
                        "expected a value in double quotes.",
                        WORDS["STRING"],
                    )
            return Membership(used, _values(used, rest), negated=True, column=column)


def _comparison(used: FieldReference, operator: Token, operand: Token | Tree[Any], column: int) -> OrderCondition:
    if isinstance(operand, Tree):
        return OrderCondition(used, str(operator), _current(operand), column)
    value: float | str | Placeholder
    match operand.type:
        case "NUMBER":
            value = float(operand)
        case "PLACEHOLDER":
            value = Placeholder(operand[1:])
        case _:
            value = _unquoted(operand)
            if operator in ORDERED and number(value) is None:
                raise _refuse(_column(operand), f"found {operand}, {operator} expects a number.", WORDS["NUMBER"])
    return OrderCondition(used, str(operator), value, column)


def _values(used: FieldReference, tokens: list[Token]) -> tuple[str | Placeholder, ...]:
    placeholders = [token for token in tokens if token.type == "PLACEHOLDER"]
    if len(placeholders) > 1:
        raise _refuse(
            _column(placeholders[1]),
            f"found {placeholders[1]}, one list has one parameter; a parameter may hold several values.",
        )
    for token in tokens:
        if token in {"*", '"*"'} and used.name != EVENT_TYPE:
            raise _refuse(_column(token), 'found "*", which stands for any event type only.', WORDS["STRING"])
    return tuple(Placeholder(token[1:]) if token.type == "PLACEHOLDER" else _unquoted(token) for token in tokens)


def _unquoted(token: Token) -> str:
    return str(token) if token.type == "STAR" else token[1:-1]


def _current(tree: Tree[Any]) -> CurrentItem:
    owner, name = tree.children
    if owner.upper() != "CURRENTITEM":
        raise _refuse(
            _column(owner), f"found {owner}.{name}, expected a value or CurrentItem.{name}.", "CurrentItem", "a value"
        )
    return CurrentItem(name.upper())


def _check_dataset(condition: Condition, target: Target, dataset: str) -> None:
    used, allowed = condition.field, DATASETS[target]
    if used.dataset not in allowed:
        names = tuple(allowed.values())
        raise _refuse(condition.column, f"found {used}, {target} filters by {_listed(names)}.", *names)
    if used.dataset != dataset:
        raise _refuse(
            condition.column,
            f"found {allowed[used.dataset]} after {allowed[dataset]}, one expression uses one dataset; "
            "join two expressions with |.",
            allowed[dataset],
        )
    current = isinstance(condition, Membership) and any(isinstance(v, CurrentItem) for v in condition.values)
    current = current or (isinstance(condition, OrderCondition) and isinstance(condition.operand, CurrentItem))
    if current and dataset != "ITEMS":
        raise _refuse(condition.column, "CurrentItem can be compared with fields of Items only.", "a value")
    if dataset in EVENT_DATASETS:
        _check_event_type(condition, allowed[dataset])


def _check_event_type(condition: Condition, dataset: str) -> None:
    if condition.field.name != EVENT_TYPE:
        raise _refuse(
            condition.column, f"found {condition.field}, of {dataset} only EVENT_TYPE can be tested.", EVENT_TYPE
        )
    if isinstance(condition, OrderCondition) and (
        condition.operator in ORDERED or isinstance(condition.operand, float)
    ):
        raise _refuse(condition.column, "event types are tested with IN, NOT IN, = or != and quoted values.", "IN")


def _check_user(condition: Condition, target: Target) -> None:
    if target is Target.USER:
        raise _refuse(condition.column, "IF is about the user of a request, UserID filters have none.", "the end")
    if condition.field.dataset != "CURRENTUSER":
        raise _refuse(
            condition.column, f"found {condition.field}, after IF only CurrentUser fields can be tested.", "CurrentUser"
        )
    parts = condition.values if isinstance(condition, Membership) else (condition.operand,)
    if any(isinstance(part, CurrentItem) for part in parts):
        raise _refuse(condition.column, "CurrentUser cannot be compared with CurrentItem.", "a value")
