"""One JSON client for every service on the network: retries, a deadline, redaction, redirects, downloads.

`ApiClient` is the way in. Importing this package does not import httpx: that happens at the first request, because it
brings rich and click along and a server should answer `initialize` before.
"""

from perfsuite.http.allowance import within
from perfsuite.http.client import ApiClient
from perfsuite.http.models import Answer, Downloaded, Json, Options, Progress
from perfsuite.http.retry import Timing
from perfsuite.http.service import Service, basic_auth
from perfsuite.http.service_clock import ServiceClock
from perfsuite.http.settings import HttpSettings

__all__ = [
    "Answer",
    "ApiClient",
    "Downloaded",
    "HttpSettings",
    "Json",
    "Options",
    "Progress",
    "Service",
    "ServiceClock",
    "Timing",
    "basic_auth",
    "within",
]
