# SPDX-License-Identifier: Apache-2.0
"""Random rules and contexts for the differential test, from a seed.

The generator knows types, so that most rules give something; now and then it puts a thing of any type where another is wanted.
What it never makes is where flagd-core has a slip of its own that its two ways of running agree on:
 - operators of flagd's inside an iteration (flagd-core throws there, flagd does not);
 - `cat` of one operand that may be null (flagd-core throws or writes "null", JsonLogic gives "");
 - a `reduce` over a constant list whose start value reads the context (flagd-core computes it too early) or is left out;
 - an `if` without else around iterations, !, !!, / or % (flagd-core interprets it even when it compiles, and its interpreter takes
   shortcuts in these), and ! or !! of a list that is constant (computed once, by the interpreter);
 - a default of `var` where the path gives null (its compiler takes the default, as flagd does, its interpreter does not), a falsy value
   in the middle of a path (its interpreter may return that), `and`, `or`, `missing` right inside `cat` or as a default (its compiler
   forgets brackets), an iteration as a default (its interpreter runs it even where it is not wanted);
 - iterations in the second operand of a comparison (its compiler mixes up what is compared), or within one over a constant list;
 - seeds of `fractional` beyond ASCII (flagd-core hashes UTF-16, flagd UTF-8), halves of surrogate pairs;
 - `$flagd` as a whole, paths to JavaScript's own members ("constructor").
"""

import random

STRINGS = ["", "a", "b", "on", "off", "gold", "silver", "jane@example.com", "bob@corp.example", "eu", "us", "1", "0", "10",
           "2.5", " 7 ", "0x1F", "1e3", "true", "false", "é", "日本", "\ue000", "ab", "abc", "-3", "null"]
NUMBERS = [0, 1, 2, 3, 10, -1, -7, 100, 0.5, 2.5, -0.25, 1e21, 1e-7, 123456789012, 1764000000, 3.0]
VERSIONS = ["1.0.0", "1.2.3", "2.0.0", "v1.0.0", "V2.1.0", "1.0", "1", "2.0.0-alpha", "2.0.0-alpha.1", "2.0.0-beta.2", "2.0.0-beta.11",
            "1.0.0+build.5", "1.0.0-rc.1+b", "not", "", "2.0.0.0", "01.0.0", "1.0.0-01", "1.0.0-0a", "vv1.0.0", " 1.2.3 ", "1.2.x", "1.0.0-", "10.20.30",
            "9007199254740992.0.0", "1.0.0-a..b", "=1.0.0"]
SEMVER_OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "^", "~", "==", ""]
VARIANTS = ["true", "false", "a", "b", "on", "off", "gold", "1", "0", "2.5", "1,2", "3", "-1"]
WALL = 1764000000000


def is_plain(rule):
    """Free of what flagd-core's interpreter understands differently."""
    if isinstance(rule, list):
        return all(is_plain(item) for item in rule)
    if isinstance(rule, dict):
        return not rule.keys() & {"all", "some", "none", "map", "filter", "reduce", "!", "!!", "/", "%"} and all(is_plain(item) for item in rule.values())
    return True


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, items):
        return self.random.choice(items)

    def chance(self, share):
        return self.random.random() < share

    # -- contexts ----------------------------------------------------------------------------------------------

    def scalar(self):
        return self.pick([self.pick(STRINGS), self.pick(NUMBERS), self.pick([True, False]), None])

    def context(self):
        r = self.random
        full = {
            "targetingKey": self.pick(["user-%d" % r.randrange(1000), "jane", "", 17]),
            "email": self.pick(STRINGS),
            "tier": self.pick(["gold", "silver", ""]),
            "age": self.pick(NUMBERS),
            "admin": self.pick([True, False]),
            "version": self.pick(VERSIONS + [1.2, 2]),
            "none": None,
            "roles": [self.pick(STRINGS) for _ in range(r.randrange(4))],
            "numbers": [self.pick(NUMBERS) for _ in range(r.randrange(5))],
            "items": [{"price": self.pick(NUMBERS), "name": self.pick(STRINGS), "tags": [self.pick(STRINGS)]}
                      for _ in range(r.randrange(4))],
            "org": {"name": self.pick(STRINGS), "plan": {"level": self.pick(NUMBERS)}},
            "a.b": self.pick(STRINGS),
            "mixed": [self.scalar() for _ in range(r.randrange(4))],
            "empty": {},
            "time": self.pick([1763999999, 1764000000, 1764000001, 1, 4133980802]),
        }
        return {name: (self.odd(name) if self.chance(0.04) else value)
                for name, value in full.items() if not self.chance(0.15)}

    def odd(self, name):
        """A value of another type than the attribute usually has."""
        if name in ("roles", "numbers", "items", "org", "targetingKey", "none"):
            return self.pick(["abc", "1", 7, 2.5, True])
        return self.pick([self.pick(STRINGS), self.pick(NUMBERS), True, False])

    # -- rules -------------------------------------------------------------------------------------------------

    def var(self, inside, *paths):
        path = self.pick(paths)
        form = self.random.randrange(10)
        if form == 0:
            return {"var": [path]}
        if form == 1 and path not in ("", "none"):
            return {"var": [path, self.scalar()]}
        if form == 2 and path not in ("", "none"):
            default = self.bracketed(1, inside)
            return {"var": [path, default if is_plain(default) else self.scalar()]}
        return {"var": path}

    def bracketed(self, depth, inside):
        rule = self.any(depth, inside)
        if isinstance(rule, dict) and rule.keys() & {"and", "or", "missing", "missing_some"}:
            return {"if": [True, rule, rule]}
        return rule

    def string(self, depth, inside):
        if depth <= 0 or self.chance(0.3):
            return self.pick(STRINGS)
        form = self.random.randrange(7)
        if form < 3:
            return self.var(True, "name") if inside else self.var(False, "email", "tier", "org.name", "a\\.b", "roles.0", "items.0.name", "targetingKey",
                                                                      "$flagd.flagKey")
        if form == 3:
            return {"cat": [self.bracketed(depth - 1, inside) for _ in range(self.random.randrange(2, 4))]}
        if form == 4:
            cut = [self.pick([0, 1, -1, 2, -2, 5, "1"])]
            if self.chance(0.6):
                cut.append(self.pick([0, 1, -1, 2, 10, -9]))
            return {"substr": [self.string(depth - 1, inside)] + cut}
        return self.branch(depth, inside, self.string)

    def number(self, depth, inside):
        if depth <= 0 or self.chance(0.3):
            return self.pick(NUMBERS)
        form = self.random.randrange(9)
        if form < 3:
            return self.var(True, "price", "") if inside else self.var(False, "age", "org.plan.level", "numbers.0", "time", "numbers.length")
        if form == 3:
            return {self.pick(["+", "*"]): [self.number(depth - 1, inside) for _ in range(self.random.randrange(0, 4))]}
        if form == 4:
            return {self.pick(["-", "/", "%"]): [self.number(depth - 1, inside) for _ in range(2)]}
        if form == 5:
            return {self.pick(["-", "+", "/"]): [self.number(depth - 1, inside)]}
        if form == 6:
            return {self.pick(["max", "min"]): [self.number(depth - 1, inside) for _ in range(self.random.randrange(1, 4))]}
        if form == 7:
            items = self.list(depth - 1, inside)
            current = "current.price" if items == {"var": "items"} else "current"
            step = {self.pick(["+", "*", "max"]): [{"var": "accumulator"}, {"var": current}]}
            start = [self.pick(NUMBERS)]
            if isinstance(items, dict) and "var" in items and self.chance(0.3):
                start = []
            return {"reduce": [items, step] + start}
        return self.branch(depth, inside, self.number)

    def list(self, depth, inside):
        form = self.random.randrange(9)
        if depth <= 0 or form < 4:
            path = "tags" if inside else self.pick(["roles", "numbers", "items", "mixed"])
            return {"var": path if self.chance(0.8) else self.pick([[path], [path, []], [path, ["a", 1]]])}
        if form == 4:
            return [self.pick(STRINGS) for _ in range(self.random.randrange(4))]
        if form == 5:
            return [self.any(depth - 1, inside) for _ in range(self.random.randrange(4))]
        if form == 6:
            return self.iterate("map", depth, inside, self.any)
        if form == 7:
            return self.iterate("filter", depth, inside, self.bool)
        if self.chance(0.4):
            names = [self.pick(["email", "org.name", "nothing", "none", "age", "org.plan.x", "roles.7"]) for _ in range(self.random.randrange(4))]
            return self.pick([{"missing": names}, {"missing_some": [self.pick([0, 1, 2]), names]}])
        return {"merge": [self.any(depth - 1, inside) for _ in range(self.random.randrange(1, 4))]}

    def bool(self, depth, inside):
        if depth <= 0 or self.chance(0.1):
            return self.pick([True, False, {"var": "admin"}])
        form = self.random.randrange(14)
        if form < 3:
            kind = self.pick([self.string, self.number])
            return {self.pick(["==", "!=", "===", "!=="]): self.compared(kind, 2, depth, inside)}
        if form < 5:
            kind = self.pick([self.number, self.number, self.string])
            return {self.pick(["<", "<=", ">", ">="]): self.compared(kind, 2 if self.chance(0.8) else 3, depth, inside)}
        if form == 5:
            return {"!": self.pick([self.unlisted(depth - 1, inside), [self.unlisted(depth - 1, inside)]])}
        if form == 6:
            return {"!!": [self.unlisted(depth - 1, inside)]}
        if form == 7:
            return {self.pick(["and", "or"]): [self.bool(depth - 1, inside) for _ in range(self.random.randrange(0, 4))]}
        if form == 8:
            return {"in": [self.any(depth - 1, inside), self.pick([self.list, self.string])(depth - 1, inside)]}
        if form == 9:
            return self.iterate(self.pick(["all", "some", "none"]), depth, inside, self.bool)
        if form == 10 and not inside:
            return {self.pick(["starts_with", "ends_with"]): [self.string(depth - 1, inside), self.any(1, inside)]}
        if form == 11 and not inside:
            return {"sem_ver": [self.pick([{"var": "version"}, self.pick(VERSIONS)]), self.pick(SEMVER_OPERATORS), self.pick(VERSIONS)]}
        if form == 12 and not inside:
            return {self.pick(["<", "<=", ">", ">=", "=="]): [{"var": "$flagd.timestamp"}, self.pick([{"var": "time"}, 1764000000, 1764000000.5])]}
        return self.branch(depth, inside, self.bool)

    def branch(self, depth, inside, kind):
        operands = []
        for _ in range(self.random.randrange(1, 3)):
            operands += [self.bool(depth - 1, inside), kind(depth - 1, inside)]
        if self.chance(0.7) or (len(operands) == 2 and not is_plain(operands)):
            operands.append(kind(depth - 1, inside))
        return {self.pick(["if", "if", "if", "?:"]): operands}

    def any(self, depth, inside):
        kind = self.pick([self.string, self.string, self.number, self.number, self.bool, self.list, None])
        if kind is None:
            return self.pick([None, {}, self.scalar(), {"var": "none"}, {"var": "org"}])
        return kind(depth, inside)

    def compared(self, kind, count, depth, inside):
        operands = [kind(depth - 1, inside) for _ in range(count)]
        return operands[:1] + [operand if is_plain(operand) else kind(0, inside) for operand in operands[1:]]

    def iterate(self, operator, depth, inside, kind):
        items, step = self.list(depth - 1, inside), kind(depth - 1, True)
        if not is_plain(step) and not (isinstance(items, dict) and "var" in items):
            items = {"var": "tags"} if inside else {"var": self.pick(["items", "roles", "mixed"])}
        return {operator: [items, step]}

    def unlisted(self, depth, inside):
        """Anything but a list that is written or made here."""
        if self.chance(0.2) and not inside:
            return self.var(False, "empty", "org", "none")
        return self.pick([self.string, self.number, self.bool])(depth, inside)

    def fractional(self, depth):
        buckets = []
        for _ in range(self.random.randrange(1, 5)):
            name = self.pick(VARIANTS) if self.chance(0.8) else self.pick([True, 1, None, self.branch(depth - 1, False, lambda d, i: self.pick(VARIANTS))])
            bucket = [name]
            if self.chance(0.85):
                bucket.append(self.pick([50, 25, 1, 0, 10, -5, 33, 2147483647]) if self.chance(0.95) else self.pick([0.5, "5", {"var": "age"}]))
            buckets.append(bucket)
        seed = self.pick([[], [], [{"var": "targetingKey"}], [{"cat": [{"var": "$flagd.flagKey"}, "-", {"var": "targetingKey"}]}], [{"var": "none"}],
                          ["seed%d" % self.random.randrange(100)]])
        return {"fractional": seed + buckets}

    def targeting(self, depth):
        form = self.random.randrange(12)
        if form < 5:
            return self.branch(depth, False, lambda d, i: self.pick(VARIANTS + ["nowhere", None, True]))
        if form < 7:
            return self.rule_of(self.bool, depth)
        if form == 7:
            return self.fractional(depth)
        if form == 8:
            return self.rule_of(self.number, depth)
        if form == 9:
            return self.rule_of(self.string, depth)
        if form == 10:
            return self.rule_of(self.list, depth)
        return self.pick([{}, None, {"unknown_op": [1]}, {"var": "tier", "if": []}, {"$ref": "is_gold"}, {"if": [{"$ref": "is_gold"}, "on", "off"]},
                          {"if": [{"$ref": "nowhere"}, "on", "off"]}, {"starts_with": ["abc"]}, {"sem_ver": ["1.0.0", "="]}, {"fractional": []},
                          {"fractional": [None, ["on"]]}, {"var": {"var": "tier"}}, {"var": [{"cat": ["em", "ail"]}]}, {"merge": {"var": "roles"}},
                          {"max": {"var": "numbers"}}, {"+": {"var": "numbers"}}, {"missing": {"var": "roles"}}, {"in": {"var": "mixed"}}])

    def rule_of(self, kind, depth):
        for _ in range(20):
            rule = kind(depth, False)
            if isinstance(rule, dict):
                return rule
        return {"var": "tier"}

    def line(self):
        values = self.pick([lambda name: name == "true", lambda name: name, lambda name: len(name), lambda name: {"name": name}])
        flag = {"state": "DISABLED" if self.chance(0.02) else "ENABLED", "variants": {name: values(name) for name in VARIANTS}}
        if self.chance(0.85):
            flag["defaultVariant"] = self.pick(VARIANTS)
        elif self.chance(0.3):
            flag["defaultVariant"] = None
        if not self.chance(0.03):
            flag["targeting"] = self.targeting(self.random.randrange(1, 5))
        return {
            "key": "flag-%d" % self.random.randrange(100),
            "flag": flag,
            "evaluators": {"is_gold": {"==": [{"var": "tier"}, "gold"]}},
            "wall": WALL + self.random.randrange(-2000, 2000),
            "contexts": [self.context() for _ in range(8)],
        }
