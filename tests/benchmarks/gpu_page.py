"""The page about the GPU's kernels on paper, from the figures of gpu.py.

    python -m tests.benchmarks.gpu_page        writes lessons/src/gpu_on_paper.md
"""

import importlib.metadata
from pathlib import Path

from aelearn.core.files import replacing
from aelearn.kernels.gpu.matmul import SIDE
from tests.benchmarks.gpu import BY_NAME, HEADER, T4, all_cases, footprints, row

PAGE = Path(__file__).parent.parent.parent / "lessons" / "src" / "gpu_on_paper.md"


def markdown(rows):
    """A table in Markdown."""
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, cells)) + " |" for cells in rows)])


def page(found, versions, card=T4):
    """The page for the lessons: the same table in words. found: what `footprints` returns."""
    parts = all_cases()
    step = next(part for name, part in parts.items() if name.startswith("One training step"))
    least = sum(max(case.bounds(card).values()) for case in step)
    n_steps = -(-11_623 // 48)
    products = [case for case in step if BY_NAME[case.kernel].threads == SIDE**2]
    few = sum(case.n_blocks < card.multiprocessors for case in products)
    text = [f"""# The GPU's kernels on paper

**None of this has been measured yet.** These times are predicted for one particular card, the {card.name}, from its
data sheet and from what CUDA's assembler says of the kernels. Where there is a GPU, `python -m tests.benchmarks.gpu`
prints the measured times beside those predicted for that GPU. This page is written by
`python -m tests.benchmarks.gpu_page`.

## How to read it

A kernel is held up by whichever of three things takes longest:

- **arithmetic**: `instructions / (multiprocessors x lanes x clock)`, where a multiply-add is one instruction;
- **memory**: `bytes / bandwidth`, each array counted once, as if caches forgot nothing in between (k-means with many
  features reads its points several times: a tile of them does not stay near);
- **near memory**: `accesses / (multiprocessors x clock)`. A multiprocessor serves one access of a warp (32 threads) in
  a cycle, to shared memory or to its first cache; an access to scattered places counts as many times as it touches
  lines, or as threads want the same bank of shared memory.

*instructions*, *bytes* and *accesses* are those of the whole launch. With fewer blocks than multiprocessors, those
without a block do not help, and all three are taken to get worse by that share.
*Occupancy* is how many of the threads that a multiprocessor can hold it does hold, given the registers and the
shared memory that the kernel takes. It bounds nothing by itself: the more threads are there, the better they hide
each other's waiting.

What the model leaves out mostly makes real times longer: the waiting for memory and for barriers that is not hidden,
the arithmetic on indices, the last blocks that do not fill the card, and the launch itself, for which Python may need
longer than the card needs for most kernels of a training step. Two things make them shorter: arrays of a few MB, such
as all the parameters here, may still be in the second cache from the launch before, which is faster than memory; and
a few multiprocessors may draw more than their share of the bandwidth.

## The card

| | {card.name} |
|---|---|
| multiprocessors | {card.multiprocessors} |
| float32 lanes of each | {card.lanes} |
| clock | {card.clock / 1e9:.2f} GHz |
| so: float32 multiply-adds | {card.multiprocessors * card.lanes * card.clock / 1e12:.2f} x 10^12 a second |
| memory | {card.bandwidth / 1e9:.0f} GB/s |
| threads that fit on a multiprocessor | {card.threads:,} |
| blocks, registers, shared memory of it | {card.blocks}, {card.registers:,}, {card.shared // 1024} KB |

Sources: NVIDIA, "T4 Tensor Core GPU" data sheet (2019); "Turing GPU architecture" whitepaper (2018); "CUDA C++
programming guide", technical specifications of compute capability 7.5.

Registers and shared memory of the kernels: {versions}.
"""]
    for name, cases in parts.items():
        rows = [row(case, card, *found[case.kernel]) for case in cases]
        text.append(f"## {name}\n\n{markdown(rows)}\n")
    work = f"{least * 1e6:.0f} us of work, an epoch of {n_steps} is {least * n_steps * 1e3:.0f} ms"
    text.append(f"""## What follows from it

- Of the four rungs only the last one can come near the card's arithmetic: the others wait for shared memory or cache,
  because they load two numbers for each multiply-add.
- A training step is {len(step)} launches and {work}.
  The batch is small: {few} of the {len(products)} products have fewer blocks than the card has multiprocessors.
- On the 3-D codes of the main job an iteration of k-means is a matter of microseconds; its launches and the copy of
  a few numbers will take longer than its kernels.
""")
    return "\n".join(text)


def main():
    """Write the page, whole or not at all."""
    ptxas, numba_cuda = map(importlib.metadata.version, ("cuda-toolkit", "numba-cuda"))
    versions = (f"ptxas {ptxas}, numba-cuda {numba_cuda}, "
                f"compute capability {'.'.join(map(str, T4.capability))}, float32")
    text = page(footprints(T4), versions)
    with replacing(PAGE, "w") as file:
        file.write(text)


if __name__ == "__main__":
    main()
