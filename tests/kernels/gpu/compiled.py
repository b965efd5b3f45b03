"""What CUDA's compiler and assembler make of each kernel, without a GPU.

    python -m tests.kernels.gpu.compiled [KERNEL ...]        prints a table of registers, shared memory, barriers

Needs the extras `cuda` and `cuda-test`. Numba compiles a kernel to PTX, the assembler language of all NVIDIA GPUs;
ptxas assembles that for one kind of GPU and says what a thread and a block of it take.
"""

import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

from numba import types

from aelearn.kernels.common import AdamNumbers

MODULES = assignment, device, losses, matmul, network, optim, seeding, sums = [
    import_module(f"aelearn.kernels.gpu.{name}")
    for name in ("assignment", "device", "losses", "matmul", "network", "optim", "seeding", "sums")]
WANTED = [(7, 5), (8, 0), (9, 0)]  # compute capabilities, to which the newest that the compiler knows is added
THREADS, SIDE, BLOCK = sums.THREADS, matmul.SIDE, matmul.BLOCK
TREE = 1 + THREADS.bit_length() - 1  # barriers of sum_of_block: one at first, one after each halving


@dataclass(frozen=True)
class Spec:
    """A kernel, the types it is launched with, the threads of its blocks, and the barriers it ought to have.

    arguments  letters: V and M arrays of numbers with one and two dimensions, T with three; o int64 and l int32 arrays;
               x a number, i an int, b a bool, A the numbers of Adam
    """

    kernel: object
    arguments: str
    threads: int
    barriers: int

    @property
    def name(self):
        """Module and name of the kernel."""
        function = self.kernel.py_func
        return f"{function.__module__.rsplit('.', 1)[-1]}.{function.__name__}"

    def signature(self, number):
        """Its arguments' Numba types, where numbers are float32 or float64."""
        kinds = {"V": types.Array(number, 1, "C"), "M": types.Array(number, 2, "C"), "T": types.Array(number, 3, "C"),
                 "o": types.Array(types.int64, 1, "C"), "l": types.Array(types.int32, 1, "C"), "x": number,
                 "i": types.int64, "b": types.boolean,
                 "A": types.NamedUniTuple(number, len(AdamNumbers._fields), AdamNumbers)}
        return tuple(kinds[letter] for letter in self.arguments)


SPECS = [
    Spec(device._count, "V", 1, 0),
    Spec(matmul.one_thread_an_entry, "MMM", BLOCK**2, 0),
    Spec(matmul.coalesced, "MMM", BLOCK**2, 0),
    Spec(matmul.shared_tiles, "MMM", BLOCK**2, 2),
    Spec(matmul.register_tiles, "MMMbb", SIDE**2, 2),
    Spec(network._take, "MoiM", THREADS, 0),
    Spec(network._dense, "MMViMM", SIDE**2, 2),
    Spec(losses._row_losses, "MMMbM", THREADS, TREE),
    Spec(losses._nan_unless_finite, "VV", THREADS, TREE),
    Spec(network._output_delta, "MMixM", THREADS, 0),
    Spec(network._add_delta, "MMiM", THREADS, 0),
    Spec(network._weight_gradient, "MMMV", SIDE**2, 2),
    Spec(network._delta_below, "MMMiM", SIDE**2, 2),
    Spec(optim._sgd, "VVx", THREADS, 0),
    Spec(optim._momentum, "VVVxx", THREADS, 0),
    Spec(optim._adam, "VVVVA", THREADS, 0),
    Spec(assignment.pass_over, "MVMVllbiiT", THREADS, 4 + 3 * TREE),
    Spec(seeding._try_all, "MVVobiT", THREADS, TREE),
    Spec(sums.add_rows, "TM", THREADS, TREE),
    Spec(sums.add_all, "MV", THREADS, TREE),
]


@dataclass(frozen=True)
class Assembled:
    """What came of a kernel for one compute capability."""

    spec: Spec
    capability: tuple
    registers: int  # of a thread
    shared: int  # bytes of a block
    spilled: int  # bytes that found no register: stores, loads and the stack
    barriers: int  # bar.sync instructions in the PTX
    float64: int  # float64 instructions in the PTX

    def faults(self, *, double=False):
        """What is wrong with it, as sentences; double: it was compiled for float64 on purpose."""
        kernel, found = f"{self.spec.name} for sm_{''.join(map(str, self.capability))}", []
        if self.float64 and not double:
            found.append(f"{kernel} has {self.float64} float64 instructions")
        if self.spilled:
            found.append(f"{kernel} spills {self.spilled} bytes")
        if self.barriers != self.spec.barriers:
            found.append(f"{kernel} has {self.barriers} barriers, not {self.spec.barriers}")
        if self.registers * self.spec.threads > 65536 or self.shared > 48 * 1024:
            found.append(f"{kernel} does not fit: {self.registers} registers, {self.shared} bytes of shared memory")
        return found


@contextmanager
def pretended(capability):
    """Numba asks the GPU for its compute capability when it compiles functions that kernels call: here it gets one."""
    from numba.cuda import dispatcher

    original = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    try:
        yield
    finally:
        dispatcher.get_current_device = original


def assembler():
    """The path of ptxas. Raises ImportError if it or the compiler is not installed."""
    import numba_cuda as numba_cuda  # the compiler; Numba's own CUDA target is an older one
    from cuda.pathfinder import find_nvidia_binary_utility

    path = find_nvidia_binary_utility("ptxas")
    if path is None:
        raise ImportError("there is no ptxas; the extra 'cuda-test' brings it")
    return path


def capabilities():
    """WANTED, and the newest compute capability that the compiler knows."""
    from numba.cuda.cudadrv import nvrtc

    return sorted({*WANTED, max(nvrtc.get_supported_ccs())})


def assemble(spec, capability, number=types.float32):
    """Compile and assemble a kernel."""
    from numba import cuda

    with pretended(capability):
        ptx, _ = cuda.compile_ptx(spec.kernel.py_func, types.void(*spec.signature(number)), cc=capability)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernel.ptx"
        source.write_text(ptx)
        done = subprocess.run([assembler(), "-v", f"-arch=sm_{capability[0]}{capability[1]}", source, "-o",
                               source.with_suffix(".cubin")], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ptxas refuses {spec.name}: {done.stderr}")

    def figure(pattern):
        return sum(int(number) for number in re.findall(pattern, done.stderr))

    return Assembled(spec, capability, registers=figure(r"Used (\d+) registers"), shared=figure(r"(\d+) bytes smem"),
                     spilled=figure(r"(\d+) bytes (?:stack frame|spill stores|spill loads)"),
                     barriers=len(re.findall(r"\bbar(?:rier)?\.(?:cta\.)?sync", ptx)),
                     float64=len(re.findall(r"^\s.*\.f64\b", ptx, re.M)))


def table(outcomes):
    """Registers for each capability, and shared memory, as a table in Markdown."""
    by_name = {}
    for outcome in outcomes:
        by_name.setdefault(outcome.spec, []).append(outcome)
    header = [f"registers, sm_{''.join(map(str, outcome.capability))}" for outcome in next(iter(by_name.values()))]
    lines = ["| kernel | threads | barriers | shared memory, bytes | " + " | ".join(header) + " |"]
    lines.append("|" + "---|" * (4 + len(header)))
    for spec, found in by_name.items():
        lines.append(f"| {spec.name} | {spec.threads} | {found[0].barriers} | {max(one.shared for one in found)} | "
                     + " | ".join(str(one.registers) for one in found) + " |")
    return "\n".join(lines)


def main(names):
    """Print the table, for all kernels or those named; returns 1 if something is wrong with one, and says what."""
    outcomes = [assemble(spec, capability) for spec in SPECS if spec.name in names or not names
                for capability in capabilities()]
    faults = [fault for outcome in outcomes for fault in outcome.faults()]
    print(table(outcomes), "", *faults or ["nothing is wrong with any of them"], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
