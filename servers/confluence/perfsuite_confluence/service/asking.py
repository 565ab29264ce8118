"""What the user is asked before anything is published. It follows from the arguments and the run folders alone."""

from perfsuite.artifacts import RunStore
from perfsuite.samples.rows import printable
from perfsuite_confluence.models.requests import PublishRequest
from perfsuite_confluence.service.desk import site_of
from perfsuite_confluence.service.publishing import wanted_space
from perfsuite_confluence.service.reports import publication_of
from perfsuite_confluence.service.sources import all_sources, source_of
from perfsuite_confluence.settings import ConfluenceSettings


def publish_question(runs: RunStore, request: PublishRequest) -> str | None:
    """The question before the first report in a space, and before somebody's edits are replaced; else none."""
    source = source_of(runs, request.run_id)
    space = wanted_space(source, request, lambda: _site(request))
    if request.dry_run:
        return None
    site = _site(request)
    where = f"space {printable(space)!r} of {site}"
    if request.overwrite:
        return f"Publish the report of {source.named} in {where}, and replace what others wrote on its page?"
    if _is_known(runs, request.mode, site, space):
        return None
    under = f" under {printable(request.parent)!r}" if request.parent else ""
    return f"Publish the report of {source.named} in {where}{under}? Whoever may see that space will see it."


def _site(request: PublishRequest) -> str:
    return site_of(request.mode, ConfluenceSettings.load())


def _is_known(runs: RunStore, mode: str, site: str, space: str) -> bool:
    """Whether a report was published there before, which the user agreed to then."""
    wanted = space.strip().casefold()
    known = filter(None, (publication_of(one.folder) for one in all_sources(runs)))
    return any(
        (one.mode, one.site) == (mode, site) and wanted in (one.space_key.casefold(), one.space_name.casefold())
        for one in known
    )
