"""What is wrong with an answer, as data; and, in one place, the words for it.

checks.py and comparing.py report what they find as Findings, which contain no sentences. A sentence is made from WORDS
only when a Verdict is printed.
"""

from dataclasses import dataclass, field

from aelearn.gradcheck import Diagnosis

LONGEST = 160  # characters of a verdict, one line on a narrow screen

WORDS = {  # kind of a Finding -> what a learner reads
    # about the answer as a whole
    "unsolved": "not solved yet",
    "raised": "it raised {name}{in_line}: {yours}",
    "raised by inner sizes": "it raised {name}{in_line}: in a product the inner sizes are {yours[0]} and {yours[1]}: "
                             "must one factor be transposed?",
    "raised in a product inside": "it raised {name}{in_line}: inside it the inner sizes {yours[0]} and {yours[1]} do "
                                  "not fit: wrong arguments?",
    "raised by shapes": "it raised {name}{in_line}: the shapes {yours} do not fit: which is not what you expect?",
    "raised by unpacking": "it raised {name}{in_line}: {yours}: how many values are on the right?",
    "needs SciPy": "Numba needs SciPy for products of arrays: pip install scipy, and restart the kernel",
    "parameters": "it is called with {expected}, but does not take these {n_wrong}: {yours}",
    "exits": "it calls exit(): a function is left with return",
    "asks": "it calls input(), but what it needs comes as arguments",
    "endless": "it had not returned after {expected:g} seconds, where a moment is enough: does a loop never end?",
    "changed input": "it changes its input {name}: work on a copy, or make a new array",
    "changed by rounding": "it changes the last digits of its input {name}, as p += h; p -= h does: save the old value "
                           "and put it back",
    "nothing": "it returns nothing, at least for some inputs",
    "prints": "it prints, but returns nothing, at least for some inputs: what follows `return` is the result",
    "one value": "it should return {expected}; it returns one {yours}",
    "values": "it should return {expected}; it returns {yours} values",
    "swapped": "your {name} is what {expected} should be: look at the order in which you return them",
    "not a word": "it should return one word; it returns {yours}",
    "word": "it says {yours!r}, but in this one {expected!r} is wrong: is your tolerance too small, or your loss "
            "different?",
    "loop": "it returns the right result, but runs {yours:,} lines of Python for it: where is the loop?",
    "memory": "it returns the right result, but needs {yours:.3g} MB for it; {expected:.3g} are enough",
    "slow": "it returns the right result, but is only {yours:.2g} times as fast as {name}; aim at {expected:g} times",
    # about one output
    "right": "{about}right",
    "missing": "{about}it is {yours}: not solved yet",
    "not numbers": "{about}it should be {expected}; it is {yours}",
    "other kind": "{about}it should be {expected}; yours {yours}",
    "shape": "{about}its shape is {yours} instead of {expected}",
    "no number": "{about}it should be a single number; yours has the shape {yours}",
    "one number": "{about}it is a single number; its shape should be {expected}",
    "transposed": "{about}its shape is {yours} instead of {expected}: it is transposed",
    "not finite": "{about}{n_wrong} of {size} {are} not finite, the first at {place}",
    "number not finite": "{about}it is not finite",
    "numbers": "{about}{n_wrong} of {size} {are} wrong, worst at {place}: yours {yours}, {source} {expected}",
    "labels": "{about}{n_wrong} of {size} {are} wrong, the first at {place}: yours {yours}, {source} {expected}",
    "number": "{about}yours {yours}, {source} {expected}",
}
OF_ONE_NUMBER = {"sign": "it has the wrong sign", "factor": "it is off by the factor {factor:.7g}"}  # of a Diagnosis
OPEN = ("unsolved", "missing")
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
    mistake      the words of the exercise's typical mistake that leads to this output
    diagnosis    what is wrong with all of its entries, if it is one thing
    factor_name  what the factor in `diagnosis` is called here, such as "X.shape[0]"
    given        the arguments, {name: number, or shape of an array}, if they help
    line         the line of the learner's code that raised
    remark       a sentence of the exercise's own
    digits       "float32" if the output is right, but has only as many digits
    """

    kind: str
    name: str = ""
    yours: object = None
    expected: object = None
    source: str = "expected"
    place: tuple = ()
    n_wrong: int = 1
    size: int = 1
    mistake: str = ""
    diagnosis: Diagnosis = Diagnosis()
    factor_name: str = ""
    given: dict = field(default_factory=dict)
    line: str = ""
    remark: str = ""
    digits: str = ""

    @property
    def right(self):
        """True if nothing is wrong."""
        return self.kind == "right"

    def words(self, exercise=""):
        """What is wrong, in words: the sentence, and more of them, each of which may be left out.

        exercise  its name: an output of the same name is not named again
        """
        values = {**vars(self), "place": list(self.place), "are": "is" if self.n_wrong == 1 else "are",
                  "in_line": f" in `{clipped(self.line, 45)}`" if self.line else "",
                  "about": f"{self.name}: " if self.name not in ("", exercise) else ""}
        if self.mistake:
            return [values["about"] + self.mistake]
        if isinstance(self.expected, tuple) and self.kind in ("one value", "values", "parameters"):
            values["expected"] = ", ".join(self.expected)
        if self.kind in WRONG_NUMBERS:
            values |= {"yours": _digits(self.yours, self.expected), "expected": _digits(self.expected, self.yours)}
        sentence, more = WORDS[self.kind].format(**values), [self.remark]
        if self.diagnosis.kind:
            one_thing = str(self.diagnosis) + (f", which is {self.factor_name} here" if self.factor_name else "")
            if self.kind == "number":
                more.insert(0, OF_ONE_NUMBER.get(self.diagnosis.kind, "").format(**vars(self.diagnosis)))
            else:  # what is wrong with all entries says more than one of them
                sentence = values["about"] + one_thing
                more.append("at {place} yours {yours}, {source} {expected}".format(**values))
        if self.given:
            given = (f"{name} of shape {value}" if isinstance(value, tuple) else f"{name} = {value:.5g}"
                     for name, value in self.given.items())
            more.append(f"for {', '.join(given)}")
        return [sentence, *filter(None, more)]

    def __str__(self):
        return "; ".join(self.words())


@dataclass(frozen=True)
class Verdict:
    """All findings about an answer on one input: one about the whole of it, or one about each output.

    exercise  its name, with which the line begins
    n_inputs  on how many inputs the answer is right, so far
    """

    findings: tuple
    exercise: str = ""
    n_inputs: int = 0

    @property
    def right(self):
        """True if the answer is right."""
        return all(finding.right for finding in self.findings)

    @property
    def open(self):
        """True if there is no answer yet, to the whole or to an output, and nothing else is wrong."""
        wrong = [finding for finding in self.findings if not finding.right]
        return bool(wrong) and all(finding.kind in OPEN for finding in wrong)

    def __str__(self):
        """One line of at most LONGEST characters: the first thing that is wrong, then whatever else there is room for,
        and which outputs are right."""
        start = f"{self.exercise}: " if self.exercise else ""
        if self.right:
            digits = {finding.digits for finding in self.findings} - {""}
            how = f"right, to {digits.pop()}'s digits" if digits else "right"
            return f"{start}{how}, on {self.n_inputs} inputs"
        # What a typical mistake explains says most.
        wrong = sorted((finding for finding in self.findings if not finding.right), key=lambda f: not f.mistake)
        sentence, *details = wrong[0].words(self.exercise)
        others = []
        if len(wrong) > 1:
            others.append(f"also wrong: {listed(finding.name for finding in wrong[1:])}")
        if len(wrong) < len(self.findings):
            others.append(f"right: {listed(finding.name for finding in self.findings if finding.right)}")
        line = clipped(start + sentence, LONGEST)
        for words in others + details:
            if len(line) + len(words) + 2 <= LONGEST:
                line += "; " + words
        return line


def listed(names):
    """Names in a sentence: "dx", "dx and dW", "dx, dW and db"."""
    *names, last = names
    return f"{', '.join(names)} and {last}" if names else last


def with_article(noun):
    """A noun with its article: "a list", "an int"; None as it is."""
    return noun if noun == "None" else f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"


def clipped(text, longest):
    """A text of at most this many characters, with dots where something is left out."""
    return text if len(text) <= longest else text[:longest - 3].rstrip() + "..."


def _digits(number, other):
    """A number with as many digits as distinguish it from the other one, at least three; or True or False."""
    if isinstance(number, bool):
        return str(number)
    number += 0.0  # not -0
    return next((f"{number:.{n}g}" for n in range(3, 17) if f"{number:.{n}g}" != f"{other:.{n}g}"), repr(number))
