"""What is wrong with an answer, as data; and, in one place, the words for it.

checks.py and comparing.py report what they find as Findings, which contain no sentences. A sentence is made from WORDS
only when a Verdict is printed.
"""

from dataclasses import dataclass, field

from aelearn.gradcheck import Diagnosis

WORDS = {  # kind of a Finding -> what a learner reads
    # about the answer as a whole
    "unsolved": "not solved yet",
    "raised": "it raised {name}{in_line}: {yours}",
    "raised by inner sizes": "it raised {name}{in_line}: in a product the inner sizes are {yours[0]} and {yours[1]}: "
                             "must one factor be transposed?",
    "raised by shapes": "it raised {name}{in_line}: {yours}: which of the shapes is not what you expect?",
    "raised by unpacking": "it raised {name}{in_line}: {yours}: how many values does the function on the right return?",
    "changed input": "it changes its input {name}: work on a copy, or make a new array",
    "nothing": "it returns nothing, at least for some inputs",
    "one value": "it should return {expected}; it returns one {yours}",
    "values": "it should return {expected}; it returns {yours} values",
    "swapped": "your {name} is what {expected} should be: look at the order in which you return them",
    "not a word": "it should return one word; it returns {yours}",
    "word": "it says {yours!r}, but in this one {expected!r} is wrong, and nothing else: is your tolerance too small, "
            "or your loss different?",
    # about one output
    "right": "{name}: right",
    "missing": "{name} is {yours}: not solved yet",
    "not numbers": "{name} should be an array of numbers; it is {yours}",
    "shape": "{name} has the shape {yours} instead of {expected}",
    "transposed": "{name} has the shape {yours} instead of {expected}: it is transposed",
    "not finite": "{name}: {n_wrong} of {size} entries {are} not finite, the first at {place}",
    "number not finite": "{name} is not finite",
    "numbers": "{name}: {n_wrong} of {size} entries {are} wrong, worst at {place}: yours {yours}, {source} {expected}",
    "labels": "{name}: {n_wrong} of {size} {are} wrong, the first at {place}: yours {yours}, {source} {expected}",
    "number": "{name}: yours {yours}, {source} {expected}",
}
NOT_FINITE = ("not finite", "number not finite")
WRONG_NUMBERS = ("numbers", "labels", "number")


@dataclass(frozen=True)
class Finding:
    """One thing found out about an answer. Fields that a kind does not use keep their defaults.

    kind         a key of WORDS
    name         the output that it is about; or the changed input, or the type of the exception
    yours        the learner's result: a number, a shape, a word, the name of a type, the message of an exception
    expected     the correct result
    source       where `expected` is from: "expected" (a correct answer) or "finite difference"
    place        index of `yours` and `expected` in the output
    n_wrong, size  how many of the output's entries are wrong, of how many
    diagnosis    what is wrong with all of its entries, if it is one thing
    factor_name  what the factor in `diagnosis` is called here, such as "X.shape[0]"
    given        the arguments, {name: number, or shape of an array}, if they help
    line         the line of the learner's code that raised
    remark       a sentence of the exercise's own
    """

    kind: str
    name: str = ""
    yours: object = None
    expected: object = None
    source: str = "expected"
    place: tuple = ()
    n_wrong: int = 1
    size: int = 1
    diagnosis: Diagnosis = Diagnosis()
    factor_name: str = ""
    given: dict = field(default_factory=dict)
    line: str = ""
    remark: str = ""

    @property
    def right(self):
        """True if nothing is wrong."""
        return self.kind == "right"

    def __str__(self):
        values = {**vars(self), "place": list(self.place), "are": "is" if self.n_wrong == 1 else "are",
                  "in_line": f" in the line `{self.line}`" if self.line else ""}
        if self.kind in ("one value", "values"):
            values["expected"] = ", ".join(self.expected)
        if self.kind in WRONG_NUMBERS:
            values |= {"yours": _digits(self.yours, self.expected), "expected": _digits(self.expected, self.yours)}
        words = WORDS[self.kind].format(**values)
        if self.diagnosis.kind:
            words += f"; {self.diagnosis}"
        if self.factor_name:
            words += f", which is {self.factor_name} here"
        if self.given:
            given = (f"{name} of shape {value}" if isinstance(value, tuple) else f"{name} = {value:.5g}"
                     for name, value in self.given.items())
            words += f" (for {', '.join(given)})"
        return words + (f"; {self.remark}" if self.remark else "")


@dataclass(frozen=True)
class Verdict:
    """All findings about an answer on one input: one about the whole of it, or one about each output."""

    findings: tuple

    @property
    def right(self):
        """True if the answer is right."""
        return all(finding.right for finding in self.findings)

    def __str__(self):
        wrong = [str(finding) for finding in self.findings if not finding.right]
        right = " and ".join(finding.name for finding in self.findings if finding.right)
        return "; ".join([*wrong, f"{right}: right"] if right else wrong)


def _digits(number, other):
    """A number with as many digits as distinguish it from the other one, at least three."""
    return next((f"{number:.{n}g}" for n in range(3, 17) if f"{number:.{n}g}" != f"{other:.{n}g}"), repr(number))
