"""What leaves the site by itself: messages about games to the targets that people have named.

``message`` is what is sent; the other modules are one kind of target each.
"""
