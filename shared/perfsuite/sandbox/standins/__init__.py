"""What the stand-ins of web services have in common.

evidence     what the shape of an answer rests on
routes       the table of what a stand-in answers
faults       what goes wrong, on which route and how often
journal      the requests that arrived
visits       one request, as a handler sees it
application  a stand-in as a web application
breaking     answers that are cut short
control      the pages of testers: faults, requests, routes
"""
