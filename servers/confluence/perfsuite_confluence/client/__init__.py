"""Confluence, as both flavours of it answer.

api        what can be asked of either
answers    reading what came
cloud      the cloud, by the one HTTP client of the suite
onprem     on premises, by the server client of atlassian-python-api
exchange   how that one's requests are sent: in a thread, with our limits, retries and errors
session    what is told to `requests`, which it stands on
"""
