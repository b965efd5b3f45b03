"""The command line: arguments in, exit code out. The work is done in aelearn.jobs; for lessons in aelearn.teaching.

Exit codes: 0 done; 2 the arguments, the data or a folder are wrong, TensorBoard or JupyterLab is missing, or JupyterLab
fails (one line on stderr says what); 130 interrupted by Ctrl-C (0 if that ends JupyterLab). A warning, such as fewer
distinct clusters than requested, is also one line on stderr. If stderr is a terminal, progress bars appear there.
"""

import argparse
import sys
import warnings

from aelearn import __version__


class _Parser(argparse.ArgumentParser):
    """argparse, but an error is one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def make_parser():
    """The parser of all flags; their names are those of main_job.Settings."""
    parser = _Parser(
        prog="aelearn", description="Train an autoencoder on handwritten digits, cluster its codes with k-means, "
        "score both, and write a report, tables and pictures. `aelearn map` compares all methods of the package; "
        "`aelearn deep` finds all ten digits by deep clustering; `aelearn lessons` copies the lessons and shows your "
        "progress. Each has a --help of its own.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    _add_shared_flags(add, epochs=150, out="out")
    add("--hidden", type=int, nargs="*", default=[128], metavar="H", help="units of the layers before the code")
    add("--batch-size", type=int, default=48, metavar="B", help="images per training step")
    add("--learning-rate", type=float, default=3e-3, metavar="R", help="step size of Adam")
    add("--loss", choices=("mse", "bce"), default="mse", help="mean squared error or binary cross-entropy")
    add("--clusters", type=int, metavar="K", help="clusters of k-means; None: one for each digit")
    add("--resume", action="store_true",
        help="continue from the checkpoint in the output folder, or train a finished run for more epochs; repeat the "
             "other flags")
    add("--tensorboard", metavar="DIR",
        help="write logs of the training to this folder, to watch it with tensorboard --logdir DIR; needs the extra "
             "tensorboard; None: no logs")
    add("--version", action="version", version=f"aelearn {__version__}")
    return parser


def make_map_parser():
    """The parser of `aelearn map`; its flags are those of compare.Settings."""
    parser = _Parser(
        prog="aelearn map", description="Every method of the package on the same images: PCA, sparse coding, the "
        "autoencoder, a Gaussian mixture, a kernel density, k-means and spectral clustering. Prints a table, and "
        "writes it as map.csv and a picture, map.png.", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    _add_shared_flags(parser.add_argument, epochs=40, out="map")
    return parser


def make_deep_parser():
    """The parser of `aelearn deep`; its flags are those of deep_job.Settings."""
    parser = _Parser(
        prog="aelearn deep", description="Find all digits without a label: an autoencoder is trained on images that "
        "are shifted and turned a little, clusters are found in the graph of its codes, and both are trained together. "
        "Writes a report, tables, the model and pictures.", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--data", metavar="DIR", help="folder of IDX files in MNIST's format, plain or gzipped; None: MNIST itself")
    add("--digits", type=int, nargs="+", metavar="D", help="labels whose images are used; None: all")
    add("--clusters", type=int, metavar="K", help="clusters; None: one for each label")
    add("--pretraining-epochs", type=int, default=24, metavar="E", help="passes over the images before the clusters")
    add("--epochs", type=int, default=20, metavar="E", help="most epochs of joint training, of 140 steps each")
    add("--start", choices=("graph", "k-means"), default="graph", help="what finds the first clusters of the codes")
    _add_run_flags(add, out="deep", computes="the autoencoder")
    add("--resume", action="store_true",
        help="continue from the checkpoint in the output folder, or a finished run for more epochs; repeat the other "
             "flags")
    return parser


def make_lessons_parser():
    """The parser of `aelearn lessons`."""
    parser = _Parser(
        prog="aelearn lessons", description="Copy the lessons, Jupyter notebooks with exercises, to a folder of yours, "
        "and print how far you are: exercises solved, minutes left. Files that you have changed are kept as they are; "
        "to start a lesson afresh, rename or delete its notebook first. Files that you have not changed are replaced "
        "if this version of aelearn has newer ones. Nothing leaves your machine: your progress is in progress.json, "
        "next to the notebooks.", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("folder", nargs="?", default="lessons", metavar="DIR", help="your folder")
    add("--solutions", action="store_true", help="copy the solved notebooks as well, to DIR/solutions")
    add("--open", action="store_true", help="open the lessons in JupyterLab; Ctrl-C ends it")
    return parser


def _add_shared_flags(add, *, epochs, out):
    add("--data", metavar="DIR", help="folder of IDX files in MNIST's format, plain or gzipped; None: MNIST itself")
    add("--digits", type=int, nargs="+", default=[0, 1], metavar="D", help="labels whose images are used")
    add("--code-size", type=int, default=3, metavar="C", help="numbers in a code")
    add("--epochs", type=int, default=epochs, metavar="E", help="passes over the images")
    _add_run_flags(add, out=out, computes="the autoencoder and k-means on codes")


def _add_run_flags(add, *, out, computes):
    add("--backend", choices=("auto", "numpy", "numba", "cuda"), default="auto",
        help=f"what computes {computes}: auto is numba (compiled, all cores) if that "
             "runs, otherwise numpy; cuda needs an NVIDIA GPU")
    add("--seed", type=int, default=0, metavar="S", help="of all random choices")
    add("--out", default=out, metavar="DIR", help="folder for the results")
    add("--quiet", action="store_true", help="print nothing but warnings and errors, and no progress bars")


def main(argv=None):
    """Run the job that the arguments select; returns the exit code."""
    with warnings.catch_warnings():
        warnings.showwarning = _print_warning
        return _run(argv)


def _print_warning(message, *where, **more):
    _say(f"warning: {message}", code=0)


def _run(argv):
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["lessons"]:
        return _lessons(make_lessons_parser().parse_args(argv[1:]))
    parsers = {"map": make_map_parser, "deep": make_deep_parser}
    job = argv[0] if argv[:1] and argv[0] in parsers else None
    arguments = vars(parsers[job]().parse_args(argv[1:]) if job else make_parser().parse_args(argv))
    arguments = {name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items()}
    quiet = arguments.pop("quiet")
    shown = {"say": _silent if quiet else _print_now, "verbose": not quiet and sys.stderr.isatty()}
    try:
        from aelearn.jobs.main_job import Interrupted, Settings, UnavailableError, run  # --help needs none of it

        if job == "map":
            from aelearn.jobs import compare

            compare.run(compare.Settings(**arguments), **shown)
            return 0
        if job == "deep":
            from aelearn.jobs import deep_job

            report = deep_job.run(deep_job.Settings(**arguments), **shown)
            shown["say"](f"{report['n_clusters']} clusters: accuracy {report['accuracy']:.4f}, "
                         f"NMI {report['nmi']:.4f}, ARI {report['ari']:.4f}; "
                         f"on test images {report['test_accuracy']:.4f}; {report['seconds']:.0f} s in all")
            return 0
        report = run(Settings(**arguments), **shown)
    except Interrupted as interruption:
        return _say(interruption, 130)
    except KeyboardInterrupt:
        return _say("interrupted", 130)
    except (ValueError, TypeError, OSError, MemoryError, ModuleNotFoundError, UnavailableError) as error:
        return _say(f"error: {error}" if str(error) else "error: out of memory", 2)
    if not quiet:
        print(_table(report))
    return 0


def _lessons(arguments):
    """Copy the lessons, print the progress and, if asked to, open JupyterLab; returns the exit code."""
    from aelearn.teaching import copies, progress

    folder = arguments.folder
    if arguments.open and not copies.jupyterlab_is_installed():
        return _say("error: JupyterLab is not installed; pip install 'aelearn[lessons]' installs it", 2)
    try:
        done = copies.copy_lessons(folder, solutions=arguments.solutions)
        n, n_kept = len(done.copied), len(done.kept)
        kept = f", {n_kept} kept because you have changed {'it' if n_kept == 1 else 'them'}" if n_kept else ""
        copied = f"{n} {'file' if n == 1 else 'files'} copied{kept}" if n or n_kept else "all files are there already"
        _print_now(f"{folder}: {copied}\n\n{progress.table(folder)}")
        code = copies.open_in_jupyterlab(folder) if arguments.open else 0
    except KeyboardInterrupt:
        return _say("interrupted", 130)
    except OSError as error:
        return _say(f"error: {error}", 2)
    return _say(f"error: JupyterLab has ended with exit code {code}", 2) if code else 0


def _silent(line):
    pass


def _print_now(line):
    print(line, flush=True)


def _say(message, code):
    """Print one line on stderr; returns `code`, to exit with."""
    print(f"aelearn: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def _table(report):
    """The report's main figures as a small table."""
    n_codes = report["settings"]["code_size"]
    rows = [(f"k-means on codes ({n_codes} numbers)", report)]
    for name, label in (("raw", "k-means on raw pixels"), ("pca", "k-means on principal components")):
        rows.append((f"{label} ({report['baselines'][name]['n_dimensions']})", report["baselines"][name]))
    lines = [f"{'':40} accuracy     NMI     ARI"]
    lines += [f"{label:40} {r['accuracy']:8.4f} {r['nmi']:7.4f} {r['ari']:7.4f}" for label, r in rows]
    lines.append(f"{'test images, by the same centres':40} {report['test_accuracy']:8.4f}")
    lines.append(f"mean squared error {report['mse']:.5f}, on test images {report['test_mse']:.5f}; "
                 f"{report['seconds']['total']:.1f} s in all")
    return "\n".join(lines)
