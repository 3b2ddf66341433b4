"""`nmt bundle`, `nmt push`, `nmt pull` and `nmt convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nmt import atomic
from nmt.cli.options import Quiet
from nmt.cli.output import check_folder, logger


def bundle(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write, atomically, such as de-en.nmt.")],
    terms: Annotated[
        str | None, typer.Option("--terms", metavar="TEXT", help="Terms of the training data, for the model card.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a bundle: one file with weights, vocabulary, recipe, metadata, scores, a model card, and hashes of all.

    It contains nothing executable. Every command that takes a run folder takes a bundle. The recipe is included
    unchanged, with the names of local files.

    Examples:

      nmt bundle runs/de-en -o de-en.nmt

      nmt translate de-en.nmt --text 'Ein Hund läuft.'
    """
    check_folder(output)
    from nmt.runs.bundling import bundle as write
    from nmt.runs.run_folder import Run

    write(Run(run), atomic.followed(output), terms)
    logger(quiet)(
        f"{output}: {output.stat().st_size / 2**20:.1f} MiB; to look at its card: unzip -p {output} README.md"
    )


def push(
    bundle: Annotated[Path, typer.Argument(help="A bundle, made by nmt bundle.")],
    repository: Annotated[
        str,
        typer.Argument(
            metavar="OWNER/NAME", help="A model repository on the Hugging Face Hub; created if it does not exist."
        ),
    ],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    quiet: Quiet = False,
) -> None:
    """Upload a bundle and its model card to the Hugging Face Hub. Needs a token with write access: hf auth login.

    Example: nmt push de-en.nmt me/multi30k-de-en
    """
    from nmt.runs import hub

    say = logger(quiet)
    say(f"pushing {bundle} to {repository}")
    say(hub.push(bundle, repository, private=private))


def pull(
    repository: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="A model repository on the Hugging Face Hub.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; by default NAME.nmt.")
    ] = None,
    revision: Annotated[str | None, typer.Option("--revision", help="A commit, tag or branch.")] = None,
    quiet: Quiet = False,
) -> None:
    """Download a bundle from the Hugging Face Hub; it is validated before it is moved into place.

    Example: nmt pull me/multi30k-de-en -o de-en.nmt
    """
    if output:
        check_folder(output)
    from nmt.runs import hub

    say, target = logger(quiet), output or Path(f"{repository.rpartition('/')[2]}.nmt")
    say(f"fetching {repository}")
    commit = hub.pull(repository, target, revision)
    say(f"{target}: commit {commit}; nmt translate {target}")


def convert(
    run: Annotated[Path, typer.Argument(help="A run folder or a bundle of an older version.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write the converted run; by default it replaces the old one.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Convert a run of format 1 to format 2: the same weights, vocabulary, checkpoints and scores under new names.

    Translations stay the same to the bit, and nmt train continues from its checkpoints. The run is replaced once all of
    it is converted, so that nothing is lost if the command is stopped.

    Examples:

      nmt convert runs/de-en

      nmt convert de-en.nmt --out de-en-2.nmt
    """
    from nmt.runs import conversion

    logger(quiet)(f"converted: {conversion.convert(run, out)}")
