"""From the Markdown of a report to Confluence's storage format, and what is told by comparing a page with it.

pages       all of the following, one after the other
blocks      a report as paragraphs of Markdown, code, and sections that fold
lists       lists as the Markdown package wants them indented
markdown    a piece of Markdown as a tree of HTML, whatever it holds
elements    the elements of the storage format
rendering   the tree of HTML as a tree of the storage format
navigation  the table of contents, and links within the page
tables      tables that are too long for a page, as CSV
storage     the tree as text, checked
hashes      what a page is made of, in one number
announcement  what a page shows before its report
reading     the words of a page
names       titles and labels that Confluence takes
decisions   what to do with a page as it was found
"""
