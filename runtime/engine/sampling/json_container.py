"""Objects and arrays of given members, as rules of a grammar."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.engine.sampling.json_grammar import GrammarRules, literal

_CLOSE = '"\\""'
# Escapes of which each has one meaning, so that a name cannot come in disguise.
_ESCAPES = '"\\bfnrt'
_NAME_CHARACTER = r'[^"\\\x00-\x1F] | "\\" ["\\bfnrt]'
_END = ""


class Property(msgspec.Struct, frozen=True):
    """A named member of an object.

    Args:
        name: Its name.
        rule: The name of its value's rule.
        is_required: Whether it must be there.
    """

    name: str
    rule: str
    is_required: bool


def object_rule(rules: GrammarRules, properties: Sequence[Property], others: str | None) -> str:
    """Return the name of the rule of an object.

    Args:
        rules: Where it is written.
        properties: What it has, in the order in which it must come.
        others: The rule of the values of other members, which come last; None allows none.
    """
    # What can follow when nothing came before, and when something did.
    after_none = after_some = ""
    if others:
        names = [each.name for each in properties]
        pair = rules.add(f'{_other_name(rules, names)} ":" space {others} space')
        after_some = rules.add(f'"," space {pair}') + "*"
        after_none = rules.add(f"{pair} {after_some}") + "?"
    for each in reversed(properties):
        key = literal(json.dumps(each.name, ensure_ascii=False))
        pair = rules.add(f'{key} ":" space {each.rule} space')
        next_pair = rules.add(f'"," space {pair}')
        first = rules.add(f"{pair} {after_some}")
        if each.is_required:
            after_none = first
            after_some = rules.add(f"{next_pair} {after_some}")
        else:
            after_none = rules.add(f"{first} | {after_none}") if after_none else f"{first}?"
            after_some = rules.add(f"{next_pair}? {after_some}")
    return rules.add(f'"{{" space {after_none} "}}"')


def array_rule(
    rules: GrammarRules, first: Sequence[str], others: str | None, low: int, high: int | None
) -> str:
    """Return the name of the rule of an array.

    Args:
        rules: Where it is written.
        first: The rules of its first items, one each.
        others: The rule of all further items; None allows none.
        low: How many items it has at least.
        high: How many at most; None is no limit.
    """
    tail = ""
    if others and (high is None or high > len(first)):
        item = rules.add(f"{others} space")
        next_item = rules.add(f'"," space {item}')
        at_least = max(0, low - len(first))
        at_most = None if high is None else high - len(first)
        if first:
            tail = rules.repeat(next_item, at_least, at_most)
        else:
            more = rules.repeat(
                next_item, max(0, at_least - 1), None if at_most is None else at_most - 1
            )
            tail = rules.add(f"{item} {more}") + ("" if at_least else "?")
    for index in reversed(range(min(len(first), len(first) if high is None else high))):
        comma = '"," space ' if index else ""
        tail = rules.add(f"{comma}{first[index]} space {tail}") + ("" if index < low else "?")
    return rules.add(f'"[" space {tail} "]"')


def _other_name(rules: GrammarRules, names: Sequence[str]) -> str:
    """Return the name of the rule of a string that is none of some names."""
    if not names:
        return "string"
    trie: dict[str, Any] = {}
    for name in names:
        node = trie
        for unit in _units(name):
            node = node.setdefault(unit, {})
        node[_END] = {}
    return rules.add(f"{_CLOSE} {_differing(rules, trie)}")


def _units(name: str) -> list[str]:
    """Return a name's characters as JSON spells them."""
    return [json.dumps(character, ensure_ascii=False)[1:-1] for character in name]


def _differing(rules: GrammarRules, trie: dict[str, Any]) -> str:
    """Return the rule of what goes on, after a common beginning, unlike any name."""
    raw = "".join(f"\\U{ord(unit):08X}" for unit in trie if len(unit) == 1)
    escapes = [escape for escape in _ESCAPES if f"\\{escape}" not in trie]
    anything = rules.add(_NAME_CHARACTER) + "*"
    ways = [f'[^"\\\\\\x00-\\x1F{raw}] {anything} {_CLOSE}']
    ways += [f"{literal(chr(92) + escape)} {anything} {_CLOSE}" for escape in escapes]
    ways += [
        f"{literal(unit)} {_differing(rules, below)}"
        for unit, below in trie.items()
        if unit != _END
    ]
    if _END not in trie:
        ways.append(_CLOSE)
    return rules.add(" | ".join(ways))
