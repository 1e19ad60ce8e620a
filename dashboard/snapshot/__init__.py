"""Snapshots: what a page said, frozen, as one offline HTML file, a tagged PDF and tables.

``content`` is the frozen form and its hash, ``freeze`` makes it from Views, ``compose`` from Views and an agenda, ``html``,
``pdf`` and ``tables`` write the files, ``drawing`` checks figures that a browser drew, ``audience`` withholds small counts.
"""
