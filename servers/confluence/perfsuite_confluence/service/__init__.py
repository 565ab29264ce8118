"""What the tools of the confluence server do.

desk        a connection for the time of one call
finding     from a name or an id to a space or a page
listing     spaces, pages, what stands on them
reports     the reports that runs have
pictures    the pictures of a report, as files of a page
preparing   a report as a page
placing     the page that a report has, or gets
uploading   the files of the page
publishing  all of that, as one act
asking      what the user is asked before
recording   what the ledger of a run is told
"""
