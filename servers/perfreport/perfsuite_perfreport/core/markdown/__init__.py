"""The report as Markdown, and Markdown as a tree."""
