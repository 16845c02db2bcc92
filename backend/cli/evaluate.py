"""``docent eval``: how good the search is, by questions whose answers are known. For people, and for CI."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.cli.commands import app, open_application, read_settings, run
from backend.cli.own_instance import index_file, private_settings
from backend.core.config import Settings
from backend.core.errors import DocentError
from backend.core.logging import configure_logging
from backend.core.values.evaluation import Evaluation, KnownQuestion

if TYPE_CHECKING:
    from backend.bootstrap.application import Application

MISSES_SHOWN = 20
Least = Mapping[str, float | None]


@app.command(name="eval")
def evaluate(
    questions: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="One JSON object on each line.")],
    *,
    user: Annotated[str | None, typer.Option(metavar="USERNAME", help="Ask the documents of this account.")] = None,
    folder: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Index these files first, in a place of their own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
    min_recall: Annotated[float | None, typer.Option(min=0, max=1, help="Exit with 1 if recall@5 is lower.")] = None,
    min_ndcg: Annotated[float | None, typer.Option(min=0, max=1, help="Exit with 1 if nDCG@10 is lower.")] = None,
    min_mrr: Annotated[float | None, typer.Option(min=0, max=1, help="Exit with 1 if MRR@10 is lower.")] = None,
    max_wrongly_refused: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit with 1 if more answerable questions find nothing relevant.")
    ] = None,
    min_rightly_refused: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit with 1 if fewer unanswerable questions find nothing relevant.")
    ] = None,
) -> None:
    """Measure the search: recall, nDCG and MRR of each leg, and what is refused. No language model is asked."""
    if (user is None) == (folder is None):
        raise typer.BadParameter("Give either --user or --folder.")
    configure_logging("error", "auto")
    least = {"recall@5": min_recall, "nDCG@10": min_ndcg, "MRR@10": min_mrr, "rightly refused": min_rightly_refused}
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder is not None else []
    run(_evaluate(read_settings(), questions, user, files, as_json=as_json, least=least, most_refused=max_wrongly_refused))


async def _evaluate(
    settings: Settings,
    questions: Path,
    user: str | None,
    files: Sequence[Path],
    *,
    as_json: bool,
    least: Least,
    most_refused: float | None,
) -> int:
    from backend.schemas.evaluation import read_questions  # noqa: PLC0415 - no other command needs it

    known = read_questions(questions)
    found = await (_beside(settings, user, known) if user is not None else _alone(settings, files, known))
    failed = failures(found, least, most_refused)
    if as_json:
        typer.echo(json.dumps({**asdict(found), "failed": failed}, ensure_ascii=False, indent=2))
    else:
        _print(found)
    for sentence in failed:
        typer.secho(sentence, err=True, fg="red")
    return 1 if failed else 0


async def _beside(settings: Settings, user: str, known: Sequence[KnownQuestion]) -> Evaluation:
    async with open_application(settings, attach=True) as application:
        service = application.services.evaluation
        return await service.evaluate(await service.owner(user), known)


async def _alone(settings: Settings, files: Sequence[Path], known: Sequence[KnownQuestion]) -> Evaluation:
    with tempfile.TemporaryDirectory(prefix="docent-eval-") as place:
        private = private_settings(settings, Path(place)).model_copy(update={"limits_enabled": False})
        async with open_application(private) as application:
            return await _indexed(application, files, known)


async def _indexed(application: "Application", files: Sequence[Path], known: Sequence[KnownQuestion]) -> Evaluation:
    services = application.services
    user = await services.accounts.register(username="you", email="you@localhost.invalid", password="-" * 24, full_name=None)
    for file in files:
        try:
            await index_file(services, user.id, file)
        except DocentError as error:
            # A question that needs this file says so; the others do not.
            typer.secho(error.message, err=True, fg="red")
    return await services.evaluation.evaluate(user.id, known)


def failures(found: Evaluation, least: Least, most_refused: float | None) -> list[str]:
    """Return a sentence for each figure that is not good enough. What nobody can tell, for lack of such questions, is not."""
    fused = found.legs["fused"]
    figures = {
        "recall@5": fused.recall_5 if found.answerable else None,
        "nDCG@10": fused.ndcg_10 if found.answerable else None,
        "MRR@10": fused.mrr_10 if found.answerable else None,
        "rightly refused": found.rightly_refused,
    }
    failed = [
        f"{name} is {_share(figures[name])}, and should be at least {bound:.3f}."
        for name, bound in least.items()
        if bound is not None and (figures[name] is None or (figures[name] or 0.0) < bound)
    ]
    if most_refused is not None and (found.wrongly_refused is None or found.wrongly_refused > most_refused):
        failed.append(f"wrongly refused is {_share(found.wrongly_refused)}, and should be at most {most_refused:.3f}.")
    return failed


def _print(found: Evaluation) -> None:
    typer.echo(f"{found.answerable} questions with an answer, {found.unanswerable} without; embedder {found.embedder}\n")
    typer.echo("leg       recall@1  recall@5  recall@10  nDCG@10  MRR@10")
    for leg, ranking in found.legs.items():
        typer.echo(
            f"{leg:<8}  {ranking.recall_1:8.3f}  {ranking.recall_5:8.3f}  {ranking.recall_10:9.3f}"
            f"  {ranking.ndcg_10:7.3f}  {ranking.mrr_10:6.3f}"
        )
    typer.echo(f"\nwrongly refused  {_share(found.wrongly_refused)}   of those with an answer: nothing was relevant")
    typer.echo(f"rightly refused  {_share(found.rightly_refused)}   of those without one")
    for leg, count in found.degraded.items():
        typer.secho(f"The {leg} leg did not answer {count} questions, so these figures are not those of a sound Docent.", fg="red")
    if found.missed:
        typer.echo("\nNot among the first five (line, rank, question):")
        for miss in found.missed[:MISSES_SHOWN]:
            typer.echo(f"  {miss.line:5}  {miss.rank or '-':>4}  {miss.question}")
        if len(found.missed) > MISSES_SHOWN:
            typer.echo(f"  and {len(found.missed) - MISSES_SHOWN} more; --json lists all")


def _share(share: float | None) -> str:
    return "unknown, for lack of such questions" if share is None else f"{share:.3f}"
