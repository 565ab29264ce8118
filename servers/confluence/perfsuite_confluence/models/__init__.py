"""What goes in and out of the confluence server.

values     the values that answers of Confluence are made of
entities   spaces, pages and what hangs on them, in either flavour
parts      what a page is put together from
published  what is kept of a publication, in the run folder and on the page
answers    what the tools answer
requests   what the tools are asked for
"""
