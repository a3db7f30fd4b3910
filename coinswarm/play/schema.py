"""A JSON Schema of plays for editors, made of the keys that the reader knows and of the catalogue.

It finds misspelt keys, names and words while one types. What it cannot say, such as whether a condition names a feature that is declared,
the reader says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coinswarm.indicators.catalog import Indicator, Parameter
from coinswarm.play import reader
from coinswarm.play.model import ExitMode, Mode, StopKind, TargetKind, TimeInForce
from coinswarm.play.reading import account, actions, conditions, features, numbers, operands, risk, structures, timeframes, windows
from coinswarm.play.reading.state import ROLES

Schema = dict[str, Any]
_TEMPLATE: Schema = {"type": "string", "pattern": r"^\s*\{\{.*\}\}\s*$"}
_ANY: Schema = {}
_TEXT: Schema = {"type": "string"}
_WORD: Schema = {"type": ["string", "number"]}
_SCALAR: Schema = {"type": ["string", "number", "boolean"]}


def schema() -> Schema:
    """The schema, in draft 7, as plain dictionaries and lists."""
    catalogue = reader.catalogue()
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "coinswarm play",
        **_mapping(_top(catalogue), required=("actions",)),
        "definitions": {"number": _number(), "condition": _condition(), "operand": _operand(), "features": _features(catalogue)},
    }


def _top(catalogue: Mapping[str, Indicator]) -> dict[str, Schema]:
    roles = _mapping(dict.fromkeys((*ROLES, "exec"), _WORD))
    known: dict[str, Schema] = {
        "version": _WORD,
        "name": _TEXT,
        "description": _TEXT,
        **dict.fromkeys(timeframes.SYMBOL_KEYS, _either(_TEXT, _list(_TEXT))),
        "timeframes": roles,
        **dict.fromkeys(timeframes.EXEC_KEYS, _WORD),
        "account": _account(),
        "features": _ref("features"),
        "structures": _structures(catalogue),
        "constraints": _list({"type": "array", "minItems": 3, "maxItems": 3}),
        "setups": {"type": "object", "additionalProperties": _ref("condition")},
        "actions": _actions(),
        "risk": _risk(),
        "risk_model": _risk(),
        "entry": _keyed(risk.ENTRY_KEYS, _ref("number"), order_type=_words(risk.ORDER_TYPES), time_in_force=_words(TimeInForce)),
        "position_policy": _policy(),
        "provenance": {"type": "object"},
        "variables": {"type": "object"},
    }
    return {key: known[key] for key in reader.KEYS} | dict.fromkeys(reader.IGNORED, _ANY)


# --- numbers, operands, conditions ----------------------------------------------------------------------------------------


def _number() -> Schema:
    return _varying({"type": "number"})


def _varying(one: Schema) -> Schema:
    """One value, a list to choose from, a range of numbers, or a list with a name."""
    choices = _list(_either(one, _TEMPLATE))
    forms = [one, _TEMPLATE, choices, _keyed(numbers.LIST_KEYS, _TEXT, required=("values",), values=choices)]
    if one.get("type") in ("number", "integer"):
        sides = _either({"type": "number"}, _TEMPLATE)
        forms.append(_keyed(numbers.RANGE_KEYS, sides, required=("min", "max"), log={"type": "boolean"}, name=_TEXT))
    return _either(*forms)


def _operand() -> Schema:
    reference = _keyed(operands.REFERENCE_KEYS, _TEXT, offset=_ref("number"))
    arithmetic = _mapping(dict.fromkeys(operands.OPERATORS, _list(_ref("operand"))))
    return _either(_SCALAR, _list(_ref("operand")), _ref("number"), reference, arithmetic, _mapping({"value": _ref("number")}))


def _condition() -> Schema:
    inner = _ref("condition")
    junctions = dict.fromkeys(conditions.JUNCTIONS, inner)
    spans = {key: _keyed(windows.keys_of(key), _ref("number"), expr=inner, anchor_tf=_WORD, duration=_ANY) for key in windows.KEYS}
    spelled = {**dict.fromkeys(conditions.VERBOSE, _ANY), "lhs": _ref("operand"), "op": _TEXT}
    listed = _list(_either(inner, _ref("operand"), _mapping(dict.fromkeys(("low", "high"), _ref("operand")))))
    known = {**junctions, "setup": _TEXT, **spans, **spelled}
    return _either(_TEXT, listed, _mapping({key: known[key] for key in (*conditions.KEYS, *conditions.VERBOSE)}))


def _actions() -> Schema:
    emitted = _list(_keyed(actions.EMIT_KEYS, _ANY, required=("action",), action=_words(actions.NAMES)))
    case = _keyed(actions.CASE_KEYS, _TEXT, required=("when", "emit"), when=_ref("condition"), emit=emitted)
    block = _keyed(actions.BLOCK_KEYS, _TEXT, required=("cases",), cases=_list(case), **{"else": _mapping({"emit": emitted})})
    plain = _mapping(dict.fromkeys(actions.NAMES, _either(_ref("condition"), {"type": "null"})))
    return _either(plain, _list(block))


# --- features and structures ----------------------------------------------------------------------------------------------


def _features(catalogue: Mapping[str, Indicator]) -> Schema:
    plain = {name: indicator.parameters for name, indicator in catalogue.items() if not indicator.structure}
    one = _keyed(features.KEYS, _WORD, params={"type": "object"}, source=_either(_TEXT, _list(_TEXT)), indicator=_words(plain))
    one["allOf"] = [_params_of("indicator", name, parameters) for name, parameters in plain.items()]
    return _either({"type": "object", "additionalProperties": one}, _list(one))


def _structures(catalogue: Mapping[str, Indicator]) -> Schema:
    known = {name: indicator.parameters for name, indicator in catalogue.items() if indicator.structure}
    known["trend"] += known["trend_ema"]  # the short form, `params: {ema_length: …}`
    one = _keyed(structures.KEYS, _ANY, required=("type",), type=_words(known), key=_TEXT, params={"type": "object"}, tf=_WORD)
    one["allOf"] = [_params_of("type", name, parameters) for name, parameters in known.items()]
    group = _either(_list(one), {"type": "null"}, {"type": "object", "additionalProperties": _list(one)})
    return _either(_list(one), {"type": "object", "additionalProperties": group})


def _params_of(key: str, name: str, parameters: Iterable[Parameter]) -> Schema:
    """The parameters of one indicator, where a feature is of that one."""
    idle = features.IDLE if key == "type" else ()
    params = _mapping({parameter.name: _parameter(parameter) for parameter in parameters} | dict.fromkeys(idle, _ANY))
    return {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": {"properties": {"params": params}}}


def _parameter(parameter: Parameter) -> Schema:
    if parameter.words:
        one: Schema = {"type": "string", "enum": list(parameter.words)}
    elif isinstance(parameter.default, bool):
        one = {"type": "boolean"}
    else:
        one = {"type": "integer" if parameter.integer else "number", "minimum": parameter.low, "maximum": parameter.high}
    return _varying(one) | ({} if parameter.default is None else {"default": parameter.default})


# --- risk, account, policy ------------------------------------------------------------------------------------------------


def _risk() -> Schema:
    number = _ref("number")
    levels = {"level": _ref("operand"), "level_short": _ref("operand"), "structure": _TEXT, "atr_feature_id": _ref("operand")}
    stop = _keyed(risk.STOP_KEYS, number, required=("type",), type=_words(StopKind), **levels)
    target = _keyed(risk.TARGET_KEYS, number, required=("type",), type=_words(TargetKind), atr_feature_id=_ref("operand"))
    full = {
        "stop_loss": stop,
        "take_profit": target,
        "break_even": _keyed(risk.BREAK_EVEN_KEYS, number, required=("activation_pct",)),
        "sizing": _keyed(risk.SIZING_KEYS, number, model=_words(risk.SIZING_MODELS)),
    }
    return _mapping(dict.fromkeys(risk.SHORT, number) | {key: full[key] for key in risk.FULL})


def _account() -> Schema:
    number: Schema = {"type": "number"}
    fees = _keyed(account.FEE_KEYS, number)
    modes = _words(account.MARGIN_MODES)
    return _keyed(account.ACCOUNT_KEYS, number, fee_model=fees, margin_mode=modes, margin_model=_ANY, margin=_ANY)


def _policy() -> Schema:
    keys = (*account.POLICY_KEYS, *account.NEVER)
    one: Schema = {"const": 1}
    modes, exits = _words(Mode), _words(ExitMode)
    return _keyed(keys, {"type": "boolean"}, mode=modes, exit_mode=exits, max_gap=_WORD, max_positions_per_symbol=one)


# --- forms ----------------------------------------------------------------------------------------------------------------


def _mapping(properties: Mapping[str, Schema], *, required: Sequence[str] = ()) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, "required": list(required)}


def _keyed(keys: Iterable[str], usual: Schema, *, required: Sequence[str] = (), **special: Schema) -> Schema:
    """A mapping of the keys that the reader knows: each holds the usual, but for those that are named."""
    return _mapping({key: special.get(key, usual) for key in keys}, required=required)


def _either(*forms: Schema) -> Schema:
    return {"anyOf": list(forms)}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _words(words: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [str(word) for word in words]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}
