"""The `vitrine` command."""

import errno
import sys
from typing import Annotated

import typer

from vitrine import __version__
from vitrine.cli import (
    affected,
    card,
    comment,
    compare,
    demo,
    diff,
    evaluate,
    export,
    history,
    import_,
    key,
    lineage,
    monitor,
    package,
    prepare,
    pretrain,
    promote,
    quarantine,
    register,
    rollback,
    smoke,
    train,
    tune,
    validate,
    watch,
)
from vitrine.core.errors import VitrineError

__all__ = ["app", "main"]

SQLITE_FULL = 13
"""The number of `sqlite3.SQLITE_FULL`, which is not worth an import here."""

app = typer.Typer(
    name="vitrine",
    help="Style and category recognition for product images: what dvc, mlflow and bentoml lack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vitrine {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where in the code an error arose.")
    ] = False,
) -> None:
    """Hold the options that come before the command."""


app.add_typer(import_.app, name="import")
app.command("demo")(demo.command)
app.command("validate")(validate.command)
app.command("quarantine")(quarantine.command)
app.command("prepare")(prepare.command)
app.command("pretrain")(pretrain.command)
app.command("tune")(tune.command)
app.command("train")(train.command)
app.command("export")(export.command)
app.command("evaluate")(evaluate.command)
app.command("register")(register.command)
app.command("promote")(promote.command)
app.command("package")(package.command)
app.command("watch")(watch.command)
app.command("rollback")(rollback.command)
app.command("compare")(compare.command)
app.command("history")(history.command)
app.command("lineage")(lineage.command)
app.command("diff")(diff.command)
app.command("affected")(affected.command)
app.command("comment")(comment.command)
app.command("monitor")(monitor.command)
app.command("card")(card.command)
app.command("smoke")(smoke.command)
app.command("key")(key.command)


def main() -> None:
    """Run the command line: one line and exit status 1 for what a user can mend."""
    try:
        app()
    except VitrineError as error:
        _fail(str(error))
    except Exception as error:
        if not _is_full_disk(error):
            raise
        file = getattr(error, "filename", None)
        where = f" while writing {file}" if file else ""
        _fail(f"no space is left on the device{where}: free some and run the command again")


def _is_full_disk(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "sqlite_errorcode", None) == SQLITE_FULL


def _fail(message: str) -> None:
    if "--traceback" in sys.argv[1:2]:
        raise  # noqa: PLE0704 - only called while an exception is handled
    typer.echo(f"error: {message}", err=True)
    sys.exit(1)
