"""How Django writes numbers of itself: as machines read them, in every language.

Numbers stand in form values, data attributes, JSON and coordinates of drawings, too. What a person reads goes through a filter
of console.web.templatetags.display, which writes it in the reader's language.
"""
