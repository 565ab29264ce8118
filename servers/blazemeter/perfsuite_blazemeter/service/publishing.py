"""A link by which anybody can read the report of a run."""

from urllib.parse import urlsplit

from perfsuite.artifacts import RunStore
from perfsuite.errors import AccessDenied, NotFound, RateLimited, RemoteError
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.models.answers import PublicReport
from perfsuite_blazemeter.models.ids import master_of

_FOUND = "The answer was lost; the link was found at the run."
_DECIDED = (AccessDenied, NotFound, RateLimited)


async def publish_report(
    blazemeter: BlazeMeter, runs: RunStore, run_id: str | None, master_id: int | None
) -> PublicReport:
    """Make the link, or find the one that was made when its answer got lost."""
    wanted = master_of(runs, run_id, master_id)
    try:
        token, notes = await blazemeter.public_token(wanted), list[str]()
    except RemoteError as error:
        if isinstance(error, _DECIDED):
            raise
        known = (await blazemeter.master(wanted)).public_token
        if not known:
            raise
        token, notes = known, [_FOUND]
    home = urlsplit(blazemeter.api.service.base_url)
    url = f"{home.scheme}://{home.netloc}/app/?public-token={token}#/masters/{wanted}/summary"
    return PublicReport(master_id=wanted, url=url, notes=notes)
