"""The command line: the application, its commands, and the exit status of errors.

Torch, datasets and sacrebleu are imported inside the commands, so `--help` answers at once.
"""

from __future__ import annotations

import errno
import sys
import traceback
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer

from nmt.cli.help import Command, Group
from nmt.cli.output import printing, say
from nmt.cli.stopping import ended_by_signals
from nmt.cpu_tuning import keep_freed_memory
from nmt.errors import RunError, UserError


class Entry(NamedTuple):
    """How a command is listed, and the module that has its function, or an ``app`` with subcommands."""

    group: str
    line: str
    module: str


COMMANDS = {
    "translate": Entry("Use", "Translate text, files or stdin.", "nmt.cli.translate"),
    "serve": Entry("Use", "Open a web page and LibreTranslate's interface.", "nmt.cli.serve"),
    "info": Entry("Use", "Print recipe, sizes and scores of a run.", "nmt.cli.info"),
    "doctor": Entry("Use", "Print versions, hardware and extras found here.", "nmt.cli.doctor"),
    "train": Entry("Train", "Train a model, or continue a run.", "nmt.cli.train"),
    "finetune": Entry("Train", "Go on with a trained model on other text.", "nmt.cli.finetune"),
    "evaluate": Entry("Train", "Score runs by BLEU, chrF2 and TER.", "nmt.cli.evaluate"),
    "recipe": Entry("Train", "Show recipes, and explain their keys.", "nmt.cli.recipe"),
    "data": Entry("Train", "Check a corpus before training on it.", "nmt.cli.data"),
    "inspect": Entry("Understand", "Show what a translation rests on, as a heatmap.", "nmt.cli.inspect"),
    "experiment": Entry("Understand", "Measure a claim about memory, in minutes.", "nmt.lab.commands.experiment"),
    "study": Entry("Understand", "Train and compare many models, with a report.", "nmt.lab.commands.study"),
    "bench": Entry("Understand", "Time training and translating.", "nmt.lab.commands.bench"),
    "check-batching": Entry("Understand", "See if batches change translations.", "nmt.lab.commands.check_batching"),
    "bundle": Entry("Share", "Write a run into one file.", "nmt.cli.share"),
    "push": Entry("Share", "Upload a bundle to the Hugging Face Hub.", "nmt.cli.share"),
    "pull": Entry("Share", "Download a bundle from the Hugging Face Hub.", "nmt.cli.share"),
    "export": Entry("Share", "Export a Transformer to CTranslate2.", "nmt.cli.export"),
    "convert": Entry("Share", "Convert a run of version 0.1.0.", "nmt.cli.share"),
}
"""All commands in the order of the help. A module is imported when its command is called or the help is printed."""
RENAMED_COMMANDS = {"bottleneck": "study", "probe": "experiment"}
"""Commands of version 0.1.0 and their present names."""
ANY_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True}


class Commands(Group):
    """The group of all commands, each of which is imported when it is asked for."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return _command(cmd_name) if cmd_name in COMMANDS else super().get_command(ctx, cmd_name)


def _command(name: str) -> Any:
    entry = COMMANDS[name]
    module = import_module(entry.module)
    command: Any
    if hasattr(module, "app"):
        command = typer.main.get_group(module.app)
    else:
        single = typer.Typer(add_completion=False)
        settings = ANY_ARGUMENTS if name == "doctor" else {}
        single.command(cls=Command, context_settings=settings)(getattr(module, name.replace("-", "_")))
        command = typer.main.get_command(single)
    command.name, command.short_help, command.rich_help_panel = name, entry.line, entry.group
    return command


app = typer.Typer(
    name="nmt",
    cls=Commands,
    help="Train, understand and use small neural translators: thought vector, attention, Transformer.",
    epilog="Start with: nmt translate --demo --text 'Ein Hund schläft.', then: nmt train recipes/builtin.yaml",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _add_renamed(old: str, new: str) -> None:
    @app.command(old, hidden=True, add_help_option=False, context_settings=ANY_ARGUMENTS)
    def refuse() -> None:
        raise UserError(f"nmt {old}: this command is called nmt {new} now")


for _name in COMMANDS:  # their order, and the names that a misspelt one is compared with
    app.command(_name)(lambda: None)
for _old, _new in RENAMED_COMMANDS.items():
    _add_renamed(_old, _new)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("nmt-recipes"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback of errors; may stand anywhere.")] = False,
) -> None:
    """Options of all commands."""


def main() -> None:
    """Runs the command line.

    Exit status: 0 success, 1 failure, 2 an error in the command, recipe or input, 128 + n stopped by signal n.
    """
    keep_freed_memory()
    before, dashes, after = _split(sys.argv[1:])
    debug = "--debug" in before
    try:
        with printing(), ended_by_signals():
            app([*(argument for argument in before if argument != "--debug"), *dashes, *after], prog_name="nmt")
    except (UserError, RunError) as error:
        if debug:
            traceback.print_exc()
        say(f"nmt: {error}")
        sys.exit(2 if isinstance(error, UserError) else 1)
    except SystemExit as end:  # raised by typer for every end of a command, Ctrl-C included
        if isinstance(end.__context__, BrokenPipeError):
            sys.exit(0)
        raise
    except KeyboardInterrupt:  # before typer has taken over
        sys.exit(130)
    except BrokenPipeError:  # the reader of stdout has closed it, as `head` does
        sys.exit(0)
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            say(f"nmt: {str(error.filename)[:60]}...: the name is too long for a file")
            sys.exit(2)
        say(f"nmt: {type(error).__name__}: {_first_line(error)}")
        say("this is a fault in nmt or in its surroundings; --debug shows where")
        sys.exit(1)


def _split(arguments: list[str]) -> tuple[list[str], list[str], list[str]]:
    """The arguments before ``--``, the ``--`` itself, and those after it."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at : at + 1], arguments[at + 1 :]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
